"""Whether a value is one of a JSON schema.

Law: pure; a keyword that it does not know says nothing. Called by the maker of values, and by the
simulated model, which looks for the value that is asked for.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from agentfuzz.model.schemas.merged import target

_KINDS: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: _is_number(value),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
}
_DEEP = 60  # schemas within schemas


def fits(value: Any, schema: Any, root: Any = None, deep: int = _DEEP) -> bool:
    """Whether a value is one of this schema."""
    if not isinstance(schema, Mapping) or not deep:
        return schema is not False
    root = schema if root is None else root

    def within(part: Any, given: Any = value) -> bool:
        return fits(given, part, root, deep - 1)

    if "$ref" in schema and not within(target(str(schema["$ref"]), root)):
        return False
    kinds = schema.get("type")
    if kinds is not None:
        named = kinds if isinstance(kinds, list) else [kinds]
        if not any(_KINDS[kind](value) for kind in named if kind in _KINDS):
            return False
    if "const" in schema and not same(value, schema["const"]):
        return False
    if "enum" in schema and not any(same(value, one) for one in schema["enum"]):
        return False
    return (
        _combined(schema, within)
        and (not isinstance(value, str) or _text(value, schema))
        and (not _is_number(value) or _number(value, schema))
        and (not isinstance(value, list) or _array(value, schema, within))
        and (not isinstance(value, Mapping) or _object(value, schema, within))
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON: 1 is 1.0, and not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _combined(schema: Mapping[str, Any], within: Callable[..., bool]) -> bool:
    if not all(map(within, schema.get("allOf") or ())):
        return False
    if "anyOf" in schema and not any(map(within, schema["anyOf"])):
        return False
    if "oneOf" in schema and sum(map(within, schema["oneOf"])) != 1:
        return False
    if "not" in schema and within(schema["not"]):
        return False
    if "if" in schema:
        return within(schema.get("then" if within(schema["if"]) else "else", True))
    return True


def _text(value: str, schema: Mapping[str, Any]) -> bool:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    try:
        return "pattern" not in schema or bool(re.search(schema["pattern"], value))
    except re.error:
        return True


def _number(value: float, schema: Mapping[str, Any]) -> bool:
    step = schema.get("multipleOf")
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        and (not step or abs(value / step - round(value / step)) < 1e-9)
    )


def _array(value: list[Any], schema: Mapping[str, Any], within: Callable[..., bool]) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    if schema.get("uniqueItems") and any(
        same(one, other) for i, one in enumerate(value) for other in value[:i]
    ):
        return False
    first = schema.get("prefixItems") or ()
    if not all(within(part, one) for part, one in zip(first, value, strict=False)):
        return False
    if "items" in schema and not all(within(schema["items"], one) for one in value[len(first) :]):
        return False
    if "contains" in schema:
        found = sum(within(schema["contains"], one) for one in value)
        return bool(schema.get("minContains", 1) <= found <= schema.get("maxContains", found))
    return True


def _object(
    value: Mapping[str, Any], schema: Mapping[str, Any], within: Callable[..., bool]
) -> bool:
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return False
    if not set(schema.get("required") or ()) <= value.keys():
        return False
    for name, needed in (schema.get("dependentRequired") or {}).items():
        if name in value and not set(needed) <= value.keys():
            return False
    for name, part in (schema.get("dependentSchemas") or {}).items():
        if name in value and not within(part):
            return False
    if "propertyNames" in schema and not all(within(schema["propertyNames"], n) for n in value):
        return False
    return all(
        within(part, item) for name, item in value.items() for part in parts_of(name, schema)
    )


def parts_of(name: str, schema: Mapping[str, Any]) -> list[Any]:
    """The schemas that a property must fit."""
    found = [part for one, part in (schema.get("properties") or {}).items() if one == name]
    patterns = (schema.get("patternProperties") or {}).items()
    found += [part for one, part in patterns if re.search(one, name)]
    return found or [schema.get("additionalProperties", True)]
