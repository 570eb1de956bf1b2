"""Values and histories as JSON: bounded, canonical, the same bytes on every machine.

Law: whatever an agent or tool hands over becomes a finite JSON tree without running more of its
code than one `repr`, and `dump(history)` of equal histories gives equal bytes. Called by the
world (values), the search (digests) and every report (files).
"""

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

from agentfuzz.core import migrations
from agentfuzz.core.errors import CutOff, PlanError, SavedFileError
from agentfuzz.core.events import EVENTS, Event, Intent, Json, Shown
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History, ToolFacts
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan, fault_of

MAX_DEPTH = 20
MAX_ITEMS = 1_000
MAX_STRING = 4_096
MAX_NODES = 20_000

_SCALARS = frozenset({str, int, float, bool, type(None)})
# Where an object lies, as a `repr` says it, a mock and a cancellation of AnyIO. No longer number:
# what is said to be `at` the address of a wallet is business.
_ADDRESS = re.compile(
    r" at 0x[0-9a-fA-F]{4,16}\b|(?<=cancel scope )[0-9a-f]{6,16}\b| id='\d+'(?=>)"
)
_AT, _PLAIN = " at 0x", 16  # and how long a text is at most that has none


def plain(value: object) -> Json:
    """Any value as a bounded JSON tree: depth 20, 1,000 items, 4 KB a string, 20,000 nodes.

    Memory addresses are left out. Cycles, odd floats, bytes, lone surrogates, key collisions and
    failing `repr`s are marked in `<...>` text, never raised.
    """
    # The quick way, spelled out: this is asked several times a call.
    kind = type(value)
    if kind is dict and len(value) < 32:  # type: ignore[arg-type]
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str or not key.isascii():
                break
            if len(key) > _PLAIN and (len(key) > 63 or _AT in key):
                break
            kind = type(item)
            if kind is str:
                if not item.isascii() or (len(item) > _PLAIN and (len(item) > 63 or _AT in item)):
                    break
            elif kind is int:
                if item.bit_length() > 63:
                    break
            elif item is not None and kind is not bool:
                break
        else:
            return value.copy()  # type: ignore[attr-defined]
    elif kind is str:
        text: Any = value
        size = len(text)
        if size < 64 and text.isascii() and (size <= _PLAIN or _AT not in text):
            return value
    elif value is None or kind is bool:
        return value
    return _Tree().convert(value, 0)


def snapshot(mapping: Mapping[str, Any]) -> dict[str, Json]:
    """A shallow-safe copy of arguments or a reply body: what it is now, whoever changes it."""
    if type(mapping) is dict:
        found = plain(mapping)
        if len(found) == len(mapping) and type(found) is dict:
            return found
    return {key: plain(value) for key, value in mapping.items()}


def scope_value(value: object) -> Json:
    """A value of a business scope, hashable: plain text and numbers as they are, else as JSON."""
    found = plain(value)
    return found if type(found) in _SCALARS else dump(found)


class _Tree:
    def __init__(self) -> None:
        self.open: set[int] = set()
        self.nodes = 0

    def convert(self, value: object, depth: int) -> Json:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            return "<more than 20000 values>"
        if value is None or value is True or value is False:
            return value
        if type(value) is int:
            small = -(2**63) <= value < 2**63
            return value if small else f"<int of {value.bit_length()} bits>"
        if type(value) is float:
            return value if math.isfinite(value) else f"<{value}>"
        try:
            if isinstance(value, str):
                return _text(str.__str__(value))
            if isinstance(value, (bytes, bytearray)):
                head = base64.b64encode(bytes(value[:48])).decode()
                return f"<{len(value)} bytes {head}>"
        except Exception as error:  # a proxy whose class cannot be asked for
            return f"<{type(value).__name__}: {type(error).__name__}>"
        return self._container(value, depth)

    def _container(self, value: object, depth: int) -> Json:
        if id(value) in self.open:
            return "<cycle>"
        if depth >= MAX_DEPTH:
            return "<deeper than 20>"
        self.open.add(id(value))
        try:
            if type(value) is dict or (type(value) is not list and isinstance(value, Mapping)):
                return self._mapping(value, depth)
            if isinstance(value, (list, tuple)):
                items = [self.convert(item, depth + 1) for item in value[:MAX_ITEMS]]
                return items + _rest(len(value))
            if isinstance(value, (set, frozenset)):
                items = [self.convert(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
                return sorted(items, key=repr) + _rest(len(value))
            dumped = _model(value)
            return described(value) if dumped is None else self.convert(dumped, depth + 1)
        except Exception as error:
            return f"<{type(value).__name__}: {type(error).__name__}>"
        finally:
            self.open.discard(id(value))

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Json]:
        out: dict[str, Json] = {}
        for i, (key, item) in enumerate(value.items()):
            if i >= MAX_ITEMS:
                out["<more>"] = f"<{len(value) - MAX_ITEMS} more>"
                break
            name = _text(key) if type(key) is str else f"<{type(key).__name__} {described(key)}>"
            out[name] = self.convert(item, depth + 1)
        return out


def _rest(length: int) -> list[Json]:
    return [f"<{length - MAX_ITEMS} more>"] if length > MAX_ITEMS else []


def _text(text: str) -> str:
    if _AT in text:
        text = _ADDRESS.sub("", text)
    if len(text) > MAX_STRING:
        text = f"{text[:MAX_STRING]}<{len(text) - MAX_STRING} more characters>"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _model(value: object) -> object:
    """The fields of a pydantic model or dataclass, or None for anything else."""
    dump = getattr(type(value), "model_dump", None)
    if callable(dump):
        return dump(value)
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return {name: getattr(value, name, None) for name in fields}
    return None


def described(value: object) -> str:
    """The `repr` of a value, without memory addresses, cut at 200 characters."""
    try:
        text = repr(value)
    except CutOff:
        raise
    except BaseException as error:  # a hostile `repr` may even exit
        return f"<{type(value).__name__}: repr failed: {type(error).__name__}>"
    return _text(_ADDRESS.sub("", text)[:200])


def message(error: BaseException, most: int = 500) -> str:
    """The message of an exception, or its `repr`, without addresses, cut at 500 characters."""
    try:
        return _text(_ADDRESS.sub("", str(error))[:most])
    except CutOff:
        raise
    except BaseException:  # a hostile `__str__` may even exit
        return described(error)


def event_to_json(event: Event) -> dict[str, Json]:
    """One event as a JSON object whose `event` names its kind."""
    out: dict[str, Json] = {"event": type(event).__name__}
    for name, value in event._asdict().items():
        if isinstance(value, Slot):
            out[name] = list(value)
        elif isinstance(value, Fault):
            out[name] = value.text
            if value.of:
                out["of"] = value.of
        elif isinstance(value, Intent):
            out[name] = {"effect": value.effect, "scope": [list(pair) for pair in value.scope]}
        else:
            out[name] = value
    return out


def event_from_json(data: Mapping[str, Json]) -> Event:
    """The event that `event_to_json` wrote, without fields that this version does not know.
    Raises SavedFileError for anything else."""
    name = data.get("event") if isinstance(data, Mapping) else None
    kind = EVENTS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise SavedFileError(
            f"unknown event {str(name)[:40]!r}; it may come from a newer agentfuzz"
        )
    try:
        fields = {field: data[field] for field in kind._fields if field in data}
        if "slot" in fields:
            fields["slot"] = Slot(*fields["slot"])
        if "fault" in fields:
            fault, of = fault_of(fields["slot"].boundary, fields["fault"]), data.get("of", "")
            fields["fault"] = fault._replace(of=of and str(FaultPlan.parse(of)))
        if fields.get("intent") is not None:
            scope = tuple((name, value) for name, value in fields["intent"]["scope"])
            fields["intent"] = Intent(fields["intent"]["effect"], scope)
        if "calls" in fields:
            fields["calls"] = tuple((i, tool, args) for i, tool, args in fields["calls"])
        if "sources" in fields:
            fields["sources"] = tuple(fields["sources"])
        if "messages" in fields:
            fields["messages"] = tuple(
                Shown(role, text, tuple(calls), answers)
                for role, text, calls, answers in fields["messages"]
            )
        return kind(**fields)
    except (TypeError, KeyError, ValueError, PlanError) as error:
        raise SavedFileError(f"a broken {kind.__name__} event: {error}") from error


def facts_to_json(facts: ToolFacts) -> list[Json]:
    """What is declared of a tool, as a JSON list: without what is as it is for most, at its end."""
    out, defaults = list(facts), ToolFacts._field_defaults
    for name in reversed(ToolFacts._fields[5:]):
        if out[-1] != defaults[name]:
            break
        out.pop()
    return out


def history_to_json(history: History) -> dict[str, Json]:
    """A whole history as a JSON object with its format version."""
    return {
        "format": FORMAT_VERSION,
        "tools": {name: facts_to_json(facts) for name, facts in sorted(history.tools.items())},
        "events": [event_to_json(event) for event in history.events],
    }


def history_from_json(data: Mapping[str, Json]) -> History:
    """Read `history_to_json` back, of this version or an earlier one. Raises SavedFileError;
    NewerFileError for a newer format."""
    found = data.get("format") if isinstance(data, Mapping) else None
    written = migrations.version(found, FORMAT_VERSION, "history format")
    try:
        data = migrations.history(data, written)
        tools = {
            name: ToolFacts(facts[0], facts[1], tuple(facts[2]), *facts[3:_FACTS])
            for name, facts in data["tools"].items()
        }
        return History((event_from_json(event) for event in data["events"]), tools)
    except (TypeError, KeyError, IndexError, AttributeError, ValueError) as error:
        raise SavedFileError(f"a broken history: {error!r}") from error


_FACTS = len(ToolFacts._fields)


def dump(data: Json, *, indent: int | None = None, in_order: bool = False) -> str:
    """Canonical JSON text: sorted keys (or as they stand, `in_order`), strict numbers, UTF-8."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        data,
        sort_keys=not in_order,
        allow_nan=False,
        ensure_ascii=False,
        indent=indent,
        separators=separators,
        default=described,
    )
    # A lone surrogate becomes its JSON escape, which reads back as it was.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def digest(history: History, written: int = FORMAT_VERSION) -> str:
    """SHA-256 of the canonical bytes of a history, as 64 hex digits: those bytes that the version
    of this format would write, so that a digest of then can be compared with a history of now."""
    data = migrations.history_as_of(history_to_json(history), written)
    return hashlib.sha256(dump(data).encode()).hexdigest()
