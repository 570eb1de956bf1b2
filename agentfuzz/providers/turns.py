"""What the protocols share: a request and a reply in the words of `world.model.turn`.

Law: pure; a protocol's bytes go in as an `Asked`, a turn comes out as a body or as a `Stream` of
events, and nothing here knows a socket, a clock or a world. Called by the codecs (`openai_chat`,
`openai_responses`, `anthropic`), by the wire's face and by cassettes.

A turn is `{"content", "tool_calls": [{"id", "name", "arguments"}], "stop", "usage"}`; arguments
that are a text are what the model wrote and no JSON: they go over the wire as they are. It may say
which stop sequence ended it (`"stopped_by"`), and the calls of the other choices of a request for
several (`"others"`), whose words are the same; with `"old_id"` its reply bears the id of the one
before it. A turn
that is cut holds what was written until then, and may say with `"cut_at"` what of it a stream
sends: `start` (the first event), `middle` (up to the last thing written; arguments that are a
whole object break in their middle), or `end` (everything but the end itself). What comes instead
of the rest where the provider itself fails is each codec's `failed`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha512
from itertools import pairwise
from typing import Any

from agentfuzz.providers.offer import NOT_SAID, Offer

Json = Any
Message = dict[str, Json]
Turn = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what the model is shown and offered, and whether the reply is streamed. `after`
    is the id of the reply, or the conversation, that it goes on from; `keep` says that a later
    request may go on from its own, and `conversation` names the one that it becomes part of. The
    first `once` of the messages are of this request alone: nobody who goes on sees them."""

    messages: list[Message]
    tools: list[Message]
    stream: bool
    request: Mapping[str, Any]
    after: str | None = None
    keep: bool = False
    offer: Offer = NOT_SAID
    conversation: str = ""
    once: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What the server remembers of a conversation up to one of its replies."""

    messages: list[Message]
    tools: list[Message]
    continued: bool = False
    items: Mapping[str, Message] | None = None  # of the last reply, by their ids


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes a reply its own: its number in the run, and the virtual time in Unix seconds. One
    that bears the id of another reply is known `as_of` its number."""

    n: int
    created: int
    as_of: int = 0

    def id(self, prefix: str, nth: int = 0) -> str:
        """An id of this reply: always the same in the same run, never twice in one."""
        return made_id(prefix, self.n, nth)

    def reply(self, prefix: str) -> str:
        """The id that the reply itself bears."""
        return made_id(prefix, self.as_of or self.n)


@dataclass(frozen=True, slots=True)
class Stream:
    """A reply as events, in order; `middle` and `end` are how many a cut stream still sends."""

    events: list[bytes]
    middle: int
    end: int

    def until(self, cut_at: str) -> list[bytes]:
        """The events before the cut."""
        return self.events[: {"start": 1, "end": self.end}.get(cut_at, self.middle)]


_LENGTHS = {"chatcmpl-": 29, "resp_": 48, "msg_": 48, "fc_": 48, "req_": 32, "call_": 24}
_BEHIND_01 = 22  # as Anthropic's are
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def made_id(prefix: str, number: int, nth: int = 0) -> str:
    """An id in the form of a provider's: a prefix, and letters and digits that look like chance
    and hang on nothing but the numbers."""
    digest = sha512(f"agentfuzz/{prefix}/{number}/{nth}".encode()).digest()
    return prefix + "".join(
        _DIGITS[byte % 62] for byte in digest[: _LENGTHS.get(prefix, _BEHIND_01)]
    )


class BadRequest(Exception):
    """The request is at fault. `place` names where, `code` is the provider's word for it."""

    def __init__(self, message: str, place: str = "", status: int = 400, code: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place
        self.status = status
        self.code = code


class Refusal(BadRequest):
    """The same, where `words` are all that the provider says."""

    def __init__(self, words: str, place: str = "", code: str = "", status: int = 400) -> None:
        super().__init__(words, status=status, code=code)
        self.place = place


def dump(value: Json) -> bytes:
    """JSON as providers send it: compact, UTF-8. Half a surrogate pair stays an escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def sse(data: Json, event: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {event}\n".encode() if event else b""
    return head + b"data: " + dump(data) + b"\n\n"


def pieces(text: str) -> list[str]:
    """A text as it comes over a stream: up to four nearly equal pieces, none of them empty."""
    count = min(4, len(text))
    cuts = [len(text) * i // count for i in range(count + 1)] if count else [0]
    return [text[a:b] for a, b in pairwise(cuts)]


def sent(said: list[str], arguments: Json) -> int:
    """How many of these pieces a stream sends that is cut in the middle of a call."""
    return len(said) if isinstance(arguments, str) else len(said) // 2


def written(arguments: Json) -> str:
    """The arguments of a call as the model wrote them."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))


def read(text: Any) -> Json:
    """The arguments of a call in a request: an object, or the text where it is none."""
    if not isinstance(text, str):
        return text if text is not None else {}
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


def readable(arguments: Json) -> dict[str, Json]:
    """What can be read of arguments that are no JSON: the members before the place where the
    text breaks off or breaks down, for a protocol that sends objects only."""
    if isinstance(arguments, Mapping):
        return dict(arguments)
    text, found = str(arguments).lstrip(), dict[str, Json]()
    decoder, at = json.JSONDecoder(), 1
    if text[:1] != "{":
        return found
    try:
        while True:
            key, at = decoder.raw_decode(text, _skip(text, at, ", \n\t\r"))
            value, at = decoder.raw_decode(text, _skip(text, at, ": \n\t\r"))
            if isinstance(key, str) and text[_skip(text, at, " \n\t\r") :][:1] in (",", "}"):
                found[key] = value  # a number at the very end may have lost digits
    except ValueError:
        return found


def _skip(text: str, at: int, blanks: str) -> int:
    while at < len(text) and text[at] in blanks:
        at += 1
    return at


def text_of(content: Any, place: str) -> str:
    """The text of a message, whose content is a text or a list of parts. What is no text (an
    image, a file) becomes its type in brackets. Raises BadRequest for anything else."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list):
        raise BadRequest(f"is {_kind(content)}; expected a text or a list of parts", place)
    found = []
    for i, part in enumerate(content):
        if isinstance(part, str):
            found.append(part)
            continue
        if not isinstance(part, Mapping):
            raise BadRequest(f"is {_kind(part)}; expected an object", f"{place}[{i}]")
        text = part.get("text", part.get("refusal"))
        found.append(text if isinstance(text, str) else f"[{part.get('type', 'part')}]")
    return "".join(found)


def field(holder: Mapping[str, Any], name: str, kind: type, place: str = "") -> Any:
    """A field that must be there and of its type. Raises BadRequest naming it."""
    value = holder.get(name)
    where = f"{place}.{name}" if place else name
    if value is None:
        raise BadRequest("is required", where)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        wanted = {str: "a text", list: "a list", dict: "an object", int: "a whole number"}[kind]
        raise BadRequest(f"is {_kind(value)}; expected {wanted}", where)
    return value


def objects(items: Any, place: str) -> Sequence[Mapping[str, Any]]:
    """The items of a list that must all be objects. Raises BadRequest naming the first other."""
    if not isinstance(items, list):
        raise BadRequest(f"is {_kind(items)}; expected a list", place)
    for i, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise BadRequest(f"is {_kind(item)}; expected an object", f"{place}[{i}]")
    return items


def tool(spec: Mapping[str, Any], schema: str, place: str) -> Message:
    """A tool as the model is shown it. One that the provider would run has only its type."""
    name = spec.get("name", spec.get("type"))
    if not isinstance(name, str) or not name:
        raise BadRequest("is required", f"{place}.name")
    return {
        "name": name,
        "description": spec.get("description") or "",
        "schema": spec.get(schema) or {},
    }


def tokens(asked: Asked, turn: Turn) -> tuple[int, int]:
    """Tokens in and out: what the turn says, or an estimate of four characters each."""
    usage = turn.get("usage")
    if usage:
        return int(usage["input"]), int(usage["output"])
    shown = sum(
        len(message["content"]) + len(str(message.get("tool_calls", "")))
        for message in asked.messages
    )
    said = len(turn["content"] or "") + len(str(turn["tool_calls"] or ""))
    return max(1, shown // 4), max(1, said // 4)


def as_message(turn: Turn) -> Message:
    """A turn as the message that the next request of its conversation would show."""
    message: Message = {"role": "assistant", "content": turn["content"] or ""}
    if turn["tool_calls"]:
        message["tool_calls"] = list(turn["tool_calls"])
    return message


def _kind(value: Any) -> str:
    return {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "a truth value",
        type(None): "null",
    }.get(type(value), "a number")
