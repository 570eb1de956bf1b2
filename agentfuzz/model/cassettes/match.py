"""Matching by meaning: when two requests ask a model the same thing.

Law: what counts is the roles, the texts, the calls by name and arguments, which call a result
answers, and the names of the tools; what does not count is ids, the order of keys, the spelling
of a number, the order of results of one turn, and what the provider's own tools did. Pure. Called
by the store and the cassette's model.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agentfuzz.providers import anthropic, openai_items

_LONG = 90  # characters of a text in an error
_DIFFERENCES = 5  # of one recording in an error
_ROLES = {"developer": "system", "function": "tool"}
# What a provider's own tools did, as the codecs show it; a reply that is replayed has none of it.
_HOSTED = re.compile(rf"\[(?:{'|'.join((*openai_items.HOSTED, *anthropic.HOSTED))})\]")


class Said(NamedTuple):
    """One message by its meaning. `answers` is the number of the call in the conversation (from
    1) that a tool result answers, 0 where it answers none that is there."""

    role: str
    text: str
    calls: tuple[str, ...] = ()
    answers: int = 0


class Question(NamedTuple):
    """What a model is asked: the conversation so far, and the names of its tools (None: the
    caller does not say)."""

    said: tuple[Said, ...]
    tools: frozenset[str] | None

    @property
    def turns(self) -> int:
        """How many turns of the model lie before it."""
        return self.having("assistant")

    def having(self, role: str) -> int:
        """How many messages have this role."""
        return sum(one.role == role for one in self.said)


def question(messages: Sequence[Mapping[str, Any]], tools: Any = None) -> Question:
    """The meaning of a request. Tools may be names, mappings or objects with a name."""
    numbers: dict[str, int] = {}
    said: list[Said] = []
    serial = 0
    for message in messages:
        role = str(message.get("role"))
        role = _ROLES.get(role, role)
        calls = []
        for call in message.get("tool_calls") or ():
            serial += 1
            numbers[str(_of(call, "id"))] = serial
            calls.append(written(*_named(call)))
        text, answers = _text(message.get("content")), 0
        if role == "tool":
            answers = numbers.get(str(message.get("tool_call_id")), 0)
            text = _by_value(text)
        if role == "assistant":
            own = _HOSTED.sub("", text).strip()
            if text and not own and not calls:
                continue
            text = own
        said.append(Said(role, text.strip(), tuple(calls), answers))
    return Question(_in_order(said), None if tools is None else frozenset(map(_name, tools)))


def _in_order(said: list[Said]) -> tuple[Said, ...]:
    """Results that stand next to each other, in the order of the calls that they answer."""
    at = 0
    while at < len(said):
        end = at
        while end < len(said) and said[end].role == "tool":
            end += 1
        if end - at > 1:
            said[at:end] = sorted(said[at:end], key=lambda one: one.answers)
        at = end + 1
    return tuple(said)


def written(name: str, arguments: Any) -> str:
    """A call by its meaning, readable: `charge({"amount": 42})`."""
    if isinstance(arguments, str):
        return f"{name}({_by_value(arguments)})"
    return f"{name}({_canonical(arguments)})"


def shared(a: Question, b: Question) -> tuple[int, int]:
    """How alike two questions are: messages in common, and in common from the beginning."""
    common = sum((Counter(a.said) & Counter(b.said)).values())
    first = 0
    for one, other in zip(a.said, b.said, strict=False):
        if one != other:
            break
        first += 1
    return common, first


def differences(recorded: Question, asked: Question) -> list[str]:
    """What differs, field by field, as lines."""
    found: list[str] = []
    for i in range(max(len(recorded.said), len(asked.said))):
        if i >= len(asked.said):
            found.append(f"messages[{i}]: recorded {_whole(recorded.said[i])}, not asked")
        elif i >= len(recorded.said):
            found.append(f"messages[{i}]: asked {_whole(asked.said[i])}, not recorded")
        else:
            found += _between(recorded.said[i], asked.said[i], f"messages[{i}]")
    if None not in (recorded.tools, asked.tools) and recorded.tools != asked.tools:
        found.append(f"tools: recorded {_names(recorded.tools)}, asked {_names(asked.tools)}")
    more = len(found) - _DIFFERENCES
    return found[:_DIFFERENCES] + ([f"and {more} more"] if more > 0 else [])


def _between(recorded: Said, asked: Said, place: str) -> list[str]:
    found = []
    for name, a, b in (
        ("role", recorded.role, asked.role),
        ("content", recorded.text, asked.text),
        ("tool_calls", recorded.calls, asked.calls),
        ("tool_call_id", recorded.answers, asked.answers),
    ):
        if a != b:
            one, other = _shown(a, b)
            found.append(f"{place}.{name}: recorded {one}, asked {other}")
    return found


def _shown(a: Any, b: Any) -> tuple[str, str]:
    """Two values that differ, cut to where they do."""
    if isinstance(a, int):
        return tuple(f"call {n}" if n else "no call" for n in (a, b))  # type: ignore[return-value]
    if not isinstance(a, str):
        a, b = (", ".join(calls) or "none" for calls in (a, b))
    same = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        same += 1
    start = max(0, same - 30)
    return _cut(a, start), _cut(b, start)


def _cut(text: str, start: int) -> str:
    part = text[start : start + _LONG]
    return repr(("..." if start else "") + part + ("..." if start + _LONG < len(text) else ""))


def _whole(one: Said) -> str:
    calls = f" calling {', '.join(one.calls)}" if one.calls else ""
    return f"{one.role} {_cut(one.text, 0)}{calls[:_LONG]}"


def _names(tools: Iterable[str] | None) -> str:
    return ", ".join(sorted(tools or ())) or "none"


def _of(call: Any, name: str) -> Any:
    return call.get(name) if isinstance(call, Mapping) else getattr(call, name, call)


def _named(call: Any) -> tuple[str, Any]:
    """The name and arguments of a call, in the words of `world.model` or of a provider."""
    inner = _of(call, "function") if isinstance(call, Mapping) and "function" in call else call
    arguments = _of(inner, "arguments")
    return str(_of(inner, "name")), {} if arguments is None else arguments


def _name(tool: Any) -> str:
    if isinstance(tool, str):
        return tool
    if isinstance(tool, Mapping):
        inner = tool.get("function")
        return str((inner if isinstance(inner, Mapping) else tool).get("name"))
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", tool))


def _text(content: Any) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text", "") if isinstance(part, Mapping) else part for part in content)
        return "".join(map(str, parts))
    return _canonical(content)


def _by_value(text: str) -> str:
    """A text that is JSON, as its value; any other as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return _canonical(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _canonical(value: Any) -> str:
    return json.dumps(_number(value), sort_keys=True, ensure_ascii=False, default=str)


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(name): _number(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_number(item) for item in value]
    return value
