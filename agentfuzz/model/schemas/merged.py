"""One schema out of several: what it refers to, and what `allOf` puts together.

Law: pure, and read as far as it can be: what it does not know is left as it is. Called by the
makers and checkers of values.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def target(pointer: str, root: Any) -> Any:
    """What a `$ref` points to in its own document; anything at all where that is not there."""
    found = root
    for part in pointer.removeprefix("#").split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return {}
    return found if pointer.startswith("#") else {}


def whole(schema: Any, root: Any, deep: int = 20) -> Any:
    """A schema without `$ref` and `allOf` of its own."""
    if not isinstance(schema, Mapping) or not deep:
        return schema
    rest = {name: part for name, part in schema.items() if name not in ("$ref", "allOf")}
    parts = [target(str(schema["$ref"]), root)] if "$ref" in schema else []
    for part in [*parts, *(schema.get("allOf") or ())]:
        found = both(rest, whole(part, root, deep - 1))
        if found is False:
            return False
        rest = found
    return rest


def both(one: Schema, other: Any) -> Any:
    """What holds where both do; False where nothing can."""
    if not isinstance(other, Mapping):
        return one if other is True else False
    made = dict(one)
    for name, part in other.items():
        made[name] = part if name not in made else _joined(name, made[name], part)
        if made[name] is None and name in ("type", "enum"):
            return False
    return made


def _joined(name: str, one: Any, other: Any) -> Any:
    if name == "required":
        return [*one, *(word for word in other if word not in one)]
    if name in ("properties", "patternProperties", "$defs", "definitions"):
        joined = dict(one)
        for word, part in other.items():
            joined[word] = {"allOf": [joined[word], part]} if word in joined else part
        return joined
    if name in _LEAST:
        return max(one, other)
    if name in _MOST:
        return min(one, other)
    if name == "enum":
        return [value for value in one if value in other] or None
    if name == "type":
        return _types(one, other)
    if name in ("anyOf", "oneOf") and one != other:
        return [{"allOf": [first, second]} for first in one for second in other]
    if name == "items" and one != other:
        return {"allOf": [one, other]}
    if name == "additionalProperties" and False in (one, other):
        return False
    return other


def _types(one: Any, other: Any) -> Any:
    first = one if isinstance(one, list) else [one]
    second = other if isinstance(other, list) else [other]
    shared = [kind for kind in first if kind in second]
    if "integer" in first + second and "number" in first + second and "integer" not in shared:
        shared.append("integer")
    return shared or None
