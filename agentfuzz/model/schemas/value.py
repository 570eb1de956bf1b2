"""The simplest value of a JSON schema: what a model answers that has nothing of its own to say.

Law: pure; the same schema gives the same value, with what is required and nothing else: the first
of an enum, the number nearest to 0, the shortest text and list, the first alternative that has a
value. Called by the simulated model, for answers and calls that its script does not name.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from agentfuzz.model.schemas.fits import fits, parts_of
from agentfuzz.model.schemas.merged import both, whole
from agentfuzz.model.schemas.pattern import matching

_DEEP = 12  # schemas within schemas: a schema that goes on for ever ends here
_FORMATS = {
    "date-time": "2025-01-01T00:00:00Z",
    "date": "2025-01-01",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "a@example.com",
    "idn-email": "a@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uri": "https://example.com/",
    "iri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "regex": "a",
    "binary": "",
    "byte": "",
}
_NUMBERED = "abcdefghijklmnopqrstuvwxyz"
_SHAPES = {
    "object": ("properties", "required", "minProperties", "patternProperties", "propertyNames"),
    "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
    "string": ("minLength", "pattern", "format", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class NoValue(ValueError):
    """No value is known for a schema."""


def value_of(schema: Any, text: str = "") -> Any:
    """The simplest value of a schema; a text without a form of its own says `text`. Raises NoValue
    where none is found."""
    return _Maker(schema, text).make(schema)


class _Maker:
    """Makes the values of one document. `nth` asks for another value than the ones before it."""

    def __init__(self, root: Any, text: str) -> None:
        self._root = root
        self._text = text

    def make(self, schema: Any, nth: int = 0, deep: int = _DEEP) -> Any:
        if not deep:
            raise NoValue("the schema goes on for ever")
        for found in self._tried(schema, nth, deep):
            if fits(found, schema, self._root):
                return found
        raise NoValue(f"no value is known for {schema!r:.200}")

    def _tried(self, schema: Any, nth: int, deep: int) -> Iterator[Any]:
        """Values that may be of a schema, the simplest first."""
        told = whole(schema, self._root)
        if not isinstance(told, Mapping):
            if told is not False:
                yield self._string({}, nth)
            return
        if "const" in told:
            yield told["const"]
        elif "enum" in told:
            yield from told["enum"][nth:]
        else:
            for one in self._alternatives(told):
                try:
                    yield from self._of_kind(one, nth, deep)
                except (NoValue, ValueError):
                    continue

    def _alternatives(self, told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The schema with one of its alternatives each."""
        for word in ("anyOf", "oneOf"):
            if word in told:
                rest = {name: part for name, part in told.items() if name != word}
                for part in told[word]:
                    found = both(rest, whole(part, self._root))
                    if found is not False:
                        yield from self._alternatives(whole(found, self._root))
                return
        if "if" in told:
            rest = {name: part for name, part in told.items() if name not in ("if", "then", "else")}
            for parts in ((told["if"], told.get("then", True)), (told.get("else", True),)):
                found = whole({"allOf": [rest, *parts]}, self._root)
                if found is not False:
                    yield from self._alternatives(found)
            return
        yield told

    def _of_kind(self, told: Mapping[str, Any], nth: int, deep: int) -> Iterator[Any]:
        if "const" in told or "enum" in told:
            yield from [told["const"]] if "const" in told else told["enum"][nth:]
            return
        kinds = told.get("type")
        if kinds is None:
            kinds = [kind for kind, words in _SHAPES.items() if any(one in told for one in words)]
        for kind in (kinds if isinstance(kinds, list) else [kinds]) or ["string"]:
            if kind == "object":
                yield self._object(told, nth, deep)
            elif kind == "array":
                yield self._array(told, nth, deep)
            elif kind in ("number", "integer"):
                yield from _numbers(told, nth, kind == "integer")
            elif kind == "boolean":
                yield from (False, True)[nth:]
            elif kind == "null":
                yield None
            else:
                yield self._string(told, nth)

    def _object(self, told: Mapping[str, Any], nth: int, deep: int) -> dict[str, Any]:
        known = told.get("properties") or {}
        needed = set(told.get("required") or ())
        for name, more in (told.get("dependentRequired") or {}).items():
            needed |= set(more) if name in needed else set()
        names = [name for name in known if name in needed]
        names += [name for name in told.get("required") or () if name not in known]
        names += sorted(needed.difference(names))
        least, others = told.get("minProperties", 0), self._names(told, known)
        while len(names) < least or (nth and not names):
            names.append(next(name for name in others if name not in names))
        made = {}
        for name in names:
            parts = parts_of(name, told)
            made[name] = self.make({"allOf": parts} if len(parts) > 1 else parts[0], nth, deep - 1)
        return made

    def _names(self, told: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
        yield from known
        yield from (matching(pattern) for pattern in told.get("patternProperties") or {})
        if told.get("additionalProperties", True) is not False:
            shape = {"type": "string", **(told.get("propertyNames") or {})}
            yield from (self.make(shape, nth + 1) for nth in range(100))
        raise NoValue("too few properties are allowed")

    def _array(self, told: Mapping[str, Any], nth: int, deep: int) -> list[Any]:
        least = max(told.get("minItems", 0), min(nth, 1))
        first = told.get("prefixItems") or ()
        made: list[Any] = []
        if "contains" in told:
            shape = {"allOf": [told["contains"], told.get("items", True)]}
            made += [self.make(shape, n, deep - 1) for n in range(told.get("minContains", 1))]
        while len(made) < least:
            at = len(made)
            shape = first[at] if at < len(first) else told.get("items", True)
            unlike = at if told.get("uniqueItems") else 0
            made.append(self.make(shape, nth + unlike, deep - 1))
        return made

    def _string(self, told: Mapping[str, Any], nth: int) -> str:
        least: int = told.get("minLength", 0)
        most: int | None = told.get("maxLength")
        if "pattern" in told:
            return _matching(told, least)
        form = _FORMATS.get(told.get("format", ""))
        if form is not None:
            return form
        found: str = self._text + (_NUMBERED[(nth - 1) % 26] * (1 + (nth - 1) // 26) if nth else "")
        found += "a" * (least - len(found))
        if most is None or len(found) <= most:
            return found
        return found[len(found) - most :] if nth else found[:most]


def _matching(told: Mapping[str, Any], least: int) -> str:
    found = matching(told["pattern"])
    if not found or len(found) >= least:
        return found
    longer = found + found[-1] * (least - len(found))
    return longer if fits(longer, told) else found[0] + longer[:-1]


def _numbers(told: Mapping[str, Any], nth: int, is_whole: bool) -> Iterator[Any]:
    """The numbers nearest to 0 that may be, and the ones behind them."""
    step = told.get("multipleOf") or (1 if is_whole else None)
    low = max(told.get("minimum", -math.inf), told.get("exclusiveMinimum", -math.inf))
    high = min(told.get("maximum", math.inf), told.get("exclusiveMaximum", math.inf))
    near = min(max(0, low), high)
    size = step or (1 if high - low > 2 else (high - low) / 4)
    sign = 1 if near < high else -1
    start = near if step is None else step * (math.ceil if sign > 0 else math.floor)(near / step)
    found = [start + sign * size * n for n in range(nth + 3)][nth:]
    for one in found:
        yield int(one) if is_whole else one
