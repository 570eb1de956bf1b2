"""What an answer says of its effect, where a tool has no other way to say no than its answer.

Law: an answer is taken for a refusal only where its own fields say so beyond doubt; whatever else
a body returns stands for its effect. Asked by the backend of every answer to an effectful call.
"""

import json
from collections.abc import Mapping
from typing import Any

# The fields that are looked at. Of `status` only what a model takes for an error counts: "declined"
# or "rejected" may be the very thing that a tool was asked for.
FIELDS = frozenset({"error", "ok", "success", "isError", "is_error", "status"})
_BROKEN = ("error", "failed")
_PLAIN = (str, int, float, list, tuple, dict)


def says_no(value: object, arguments: Mapping[str, Any]) -> bool:
    """Whether an answer is an object (or the JSON text of one) with an `error`, with `ok` or
    `success` False, with `isError` True, or with a `status` of error or failed. A field that
    repeats the argument of its name says nothing: that was asked for."""
    if type(value) is not dict and isinstance(value, str):
        if value[:1] != "{":
            return False
        value = _read(value)
    if not isinstance(value, dict) or FIELDS.isdisjoint(value):
        return False
    for name in FIELDS:
        if (
            name in value
            and _refuses(name, value[name])
            and not (name in arguments and arguments[name] == value[name])
        ):
            return True
    return False


def _read(text: str) -> object:
    if not any(f'"{name}"' in text for name in FIELDS):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _refuses(name: str, value: object) -> bool:
    if name == "error":
        return isinstance(value, BaseException) or (isinstance(value, _PLAIN) and bool(value))
    if name == "status":
        return isinstance(value, str) and value.lower() in _BROKEN
    return value is (name in ("isError", "is_error"))
