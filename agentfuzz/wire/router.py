"""The face: a world's model behind the HTTP endpoints of real providers, without any HTTP.

Law: a pure router; (method, path, headers, body) in, a `WireReply` out. Every request is one
crossing: of the model where it gets that far, else of the boundary alone, so that a client that
sends nonsense for ever is cut off too. A request that can be read, and that its provider would
refuse, is refused as a turn that the model did not take, unless the face is told to be lenient.
Called by the in-process clients and by the server.

What goes wrong has the provider's own form: a ModelError is its status and error body (429 with
Retry-After; 529 is `overloaded_error` at Anthropic and 503 at OpenAI); a reply that is cut ends as
`model.endings` says: a stream in its middle, cleanly or not, or with the provider's error event,
and any other reply before its first byte, or as that error; TimeoutError is a reply that never
comes.
"""

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal

from agentfuzz.core.errors import ModelError
from agentfuzz.model.endings import BROKE_OFF, CLOSED, OVERLOADED
from agentfuzz.providers import anthropic, openai_chat, openai_responses, strict
from agentfuzz.providers.strict.refusal import is_name
from agentfuzz.providers.turns import (
    Asked,
    BadRequest,
    Json,
    Kept,
    Stamp,
    Turn,
    as_message,
    dump,
    tokens,
)
from agentfuzz.runtime.clock import START
from agentfuzz.wire.provider import Provider, provider_of, went_on

Ending = Literal["complete", "cut", "reset", "never"]
_ENDS: dict[str, Ending] = {CLOSED: "cut", "reset": "reset", "silence": "never"}
MODEL = "agentfuzz"
CODECS: dict[str, ModuleType] = {c.PATH: c for c in (openai_chat, openai_responses, anthropic)}
_COUNT = "/v1/messages/count_tokens"
STORED = (f"{openai_responses.PATH}/", "/v1/conversations")
_MODELS = "/v1/models"
_EPOCH = int(START.timestamp())


@dataclass(frozen=True, slots=True)
class WireReply:
    """What goes back: the pieces of the body in order (a stream has one per event), and how it
    ends after them. `complete`; `cut`: the connection is closed; `reset`: it is reset; `never`: it
    stays open and silent. What is no stream has no pieces then, and what is one no end."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: tuple[bytes, ...] = ()
    ending: Ending = "complete"
    streamed: bool = False

    @property
    def body(self) -> bytes:
        """All pieces together."""
        return b"".join(self.chunks)


class Face:
    """The endpoints of one world. What they number, and what later requests go on from
    (`previous_response_id`, threads), is the provider's, and the same in all legs of a run."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.lock = threading.RLock()

    @property
    def _provider(self) -> Provider:
        return provider_of(self.world.gateway)

    def answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        is_strict: bool = True,
    ) -> WireReply:
        """Answer one request. `path` may have a query; names of headers are in lower case, or
        the mapping does not care. `is_strict`: what its provider refuses is refused here. Raises
        CutOff once the run's budget is used up."""
        with self.lock:
            stamp = self._stamp()
            asked_for, path = path, path.partition("?")[0]
            codec = CODECS.get(path)
            form = _form(path, headers)
            try:
                if path.startswith(STORED):
                    return self._of_store(method, asked_for, body, stamp)
                if codec is None:
                    return self._other(form, method, path, body, stamp)
                if method != "POST":
                    raise BadRequest(f"{method} {path}: only POST is served here", status=405)
                asked = codec.parse(_object(body), self._provider.kept)
                self._provider.stored.check(asked)
            except BadRequest as bad:
                self.world.gateway.crossing()
                return _error(form, bad.status, str(bad), stamp, bad.place, bad.code)
            try:
                if is_strict:
                    strict.check(path, asked, self._provider.kept, self._provider.doubled)
            except strict.Refusal as no:
                self.world.model.refuse(asked.messages, str(no))
                return _error(form, no.status, str(no), stamp, no.place, no.code)
            return self._turn(codec, asked, stamp)

    def refuse(
        self, path: str, headers: Mapping[str, str], status: int, sentence: str
    ) -> WireReply:
        """Answer a request that was not even read."""
        with self.lock:
            stamp = self._stamp()
            self.world.gateway.crossing()
            return _error(_form(path, headers), status, sentence, stamp)

    def _stamp(self) -> Stamp:
        """That of the next request."""
        provider = self._provider
        provider.requests += 1
        went_on(self.world.gateway)
        return Stamp(provider.requests, _EPOCH + int(self.world.clock.now))

    def _turn(self, codec: ModuleType, asked: Asked, stamp: Stamp) -> WireReply:
        model, provider = self.world.model, self._provider
        try:
            turn = model.turn(asked.messages, asked.offer, codec.CALLS, asked.stream)
        except ModelError as error:
            wait = getattr(error, "retry_after", None)
            return _error(codec, error.status, str(error), stamp, wait=wait)
        except TimeoutError:
            return WireReply(0, ending="never")
        names = [call["id"] for call in turn["tool_calls"]]
        provider.doubled.update(n for n in names if names.count(n) > 1 or n in provider.given)
        provider.given.update(names)
        tools = [call["name"] for call in turn["tool_calls"]]
        provider.doubled.update(name for name in tools if not is_name(name))
        if turn.get("old_id") and provider.replied:
            stamp = replace(stamp, as_of=provider.replied)
        else:
            provider.replied = stamp.n
        cut = turn.get("ending", CLOSED) if turn["stop"] == "cut" else None
        whole = codec.body(asked, turn, stamp)
        if asked.keep and cut is None:
            _keep(provider.kept, codec, asked, turn, stamp)
            if codec is openai_responses:
                whole = provider.stored.keep(asked, whole, stamp)
        went_on(self.world.gateway)
        if asked.stream:
            return _stream(codec, asked, turn, stamp, cut)
        if cut is None:
            return _json(200, whole, codec.headers(stamp))
        if cut in _ENDS:
            return WireReply(0, ending=_ENDS[cut])
        return _error(codec, OVERLOADED, BROKE_OFF, stamp)

    def _of_store(self, method: str, path: str, body: bytes, stamp: Stamp) -> WireReply:
        found = self._provider.stored.answer(method, path, _object(body or b"{}"), stamp)
        if found is None:
            raise _nothing(method, path.partition("?")[0])
        went_on(self.world.gateway)
        self.world.gateway.crossing()
        return _json(200, found, openai_responses.headers(stamp))

    def _other(
        self, form: ModuleType, method: str, path: str, body: bytes, stamp: Stamp
    ) -> WireReply:
        """The endpoints beside the model: its name, and counting tokens."""
        if path == _COUNT and method == "POST":
            asked = anthropic.parse({"max_tokens": 1, **_object(body)}, self._provider.kept)
            given, _ = tokens(asked, {"content": None, "tool_calls": []})
            found: Json = {"input_tokens": given}
        elif path in (_MODELS, f"{_MODELS}/{MODEL}") and method == "GET":
            card = (
                {
                    "type": "model",
                    "id": MODEL,
                    "display_name": MODEL,
                    "lifecycle": "active",
                    "created_at": START.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
                if form is anthropic
                else {"id": MODEL, "object": "model", "created": _EPOCH, "owned_by": MODEL}
            )
            page = {"has_more": False, "first_id": MODEL, "last_id": MODEL}
            found = {"object": "list"} if form is openai_chat else page
            found = card if path.endswith(MODEL) else {**found, "data": [card]}
        else:
            raise _nothing(method, path)
        self.world.gateway.crossing()
        return _json(200, found, form.headers(stamp))


def face_of(world: Any) -> Face:
    """The face of a world: one, however many clients it has. A world of another leg, which was
    made of this one, has a face of its own."""
    found: Face | None = vars(world).get("_face")
    if found is None:
        found = vars(world).setdefault("_face", Face(world))
    elif found.world is not world:
        found = vars(world)["_face"] = Face(world)
    return found


def _keep(kept: dict[str, Kept], codec: ModuleType, asked: Asked, turn: Turn, stamp: Stamp) -> None:
    """Remember a reply, under its own name and that of its conversation."""
    if asked.after is not None:
        kept[asked.after] = replace(kept[asked.after], continued=True)
    items = codec.items(turn, stamp) if codec is openai_responses else None
    made = Kept([*asked.messages[asked.once :], as_message(turn)], asked.tools, items=items)
    if asked.request.get("store") is not False:
        kept[stamp.reply(codec.PREFIX)] = made
    if asked.conversation:
        kept[asked.conversation] = made


def _nothing(method: str, path: str) -> BadRequest:
    served = ", ".join(f"POST {known}" for known in (*CODECS, _COUNT))
    return BadRequest(
        f"there is no {method} {path}; there is: {served}, GET {_MODELS}, and what is stored of "
        f"responses and conversations.",
        status=404,
    )


def _form(path: str, headers: Mapping[str, str]) -> ModuleType:
    """The provider whose form an answer has, also where nothing is served."""
    theirs = "anthropic-version" in headers or path.startswith(anthropic.PATH)
    return CODECS.get(path) or (anthropic if theirs else openai_chat)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadRequest("the body is no JSON object")
    return found


def _stream(
    codec: ModuleType, asked: Asked, turn: Turn, stamp: Stamp, cut: str | None
) -> WireReply:
    """A stream, which a cut ends in its middle in this way."""
    made = codec.stream(asked, turn, stamp)
    events = made.events if cut is None else made.until(turn.get("cut_at", "middle"))
    if cut is not None and cut not in _ENDS:
        events = [*events, *codec.failed(asked, stamp, len(events), BROKE_OFF)]
    headers = {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        **codec.headers(stamp),
    }
    return WireReply(200, headers, tuple(events), _ENDS.get(cut or "", "complete"), streamed=True)


def _json(status: int, value: Json, headers: Mapping[str, str]) -> WireReply:
    return WireReply(status, {"content-type": "application/json", **headers}, (dump(value),))


def _error(
    form: ModuleType,
    status: int,
    message: str,
    stamp: Stamp,
    place: str = "",
    code: str = "",
    wait: float | None = None,
) -> WireReply:
    status = form.status_of(status)
    headers = form.headers(stamp)
    if wait is not None:
        headers["retry-after"] = str(math.ceil(wait))
        if form is not anthropic:
            headers["retry-after-ms"] = f"{wait * 1000:g}"
    if status == 405:
        headers["allow"] = "POST"
    return _json(status, form.error(status, message, stamp, place, code), headers)
