"""What the rules share: values out of their range, in a provider's own words.

Law: pure; the whole sentence is the provider's, its place and its code are what its error body
says. Called by the rules of each provider.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from agentfuzz.providers.turns import Refusal, written

NAME = "^[a-zA-Z0-9_-]+$"
_NAME = re.compile(r"[a-zA-Z0-9_-]+")


class Range(NamedTuple):
    """What a number of an OpenAI request may be. `whole`: no decimals. `taken`: the least that is
    taken, where it is not the least that is said."""

    least: float
    most: float | None
    whole: bool = False
    taken: float | None = None


DECIMALS = {"temperature": Range(0, 2), "top_p": Range(0, 1)}


def in_range(request: Mapping[str, Any], ranges: Mapping[str, Range]) -> None:
    """Raises Refusal for the first number that OpenAI's APIs do not take."""
    for name, known in ranges.items():
        value = request.get(name)
        kind = "integer" if known.whole else "decimal"
        if value is None:
            continue
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            an = "an" if known.whole else "a"
            raise Refusal(
                f"Invalid type for '{name}': expected {an} {kind}, but got {_got(value)} instead.",
                name,
                "invalid_type",
            )
        if value < (known.least if known.taken is None else known.taken):
            side, sign, bound = ("below", "minimum", "min"), ">=", known.least
        elif known.most is not None and value > known.most:
            side, sign, bound = ("above", "maximum", "max"), "<=", known.most
        else:
            continue
        raise Refusal(
            f"Invalid '{name}': {kind} {side[0]} {side[1]} value. Expected a value {sign} "
            f"{bound:g}, but got {value} instead.",
            name,
            f"{kind}_{side[0]}_{side[2]}_value",
        )


def not_empty(items: Any, place: str) -> None:
    """Raises Refusal for a list without items."""
    if items == []:
        raise Refusal(
            f"Invalid '{place}': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead.",
            place,
            "empty_array",
        )


def not_longer(items: Any, most: int, place: str) -> None:
    """Raises Refusal for a list of more than so many items."""
    if isinstance(items, list) and len(items) > most:
        raise Refusal(
            f"Invalid '{place}': array too long. Expected an array with maximum length {most}, but "
            f"got an array with length {len(items)} instead.",
            place,
            "array_above_max_length",
        )


def short(text: Any, most: int, place: str) -> None:
    """Raises Refusal for what is no text, a text of no characters, or of more than so many."""
    if not isinstance(text, str):
        raise Refusal(
            f"Invalid type for '{place}': expected a string, but got {_got(text)} instead.",
            place,
            "invalid_type",
        )
    if text == "":
        raise Refusal(
            f"Invalid '{place}': empty string. Expected a string with minimum length 1, but got an "
            "empty string instead.",
            place,
            "empty_string",
        )
    if len(text) > most:
        raise Refusal(
            f"Invalid '{place}': string too long. Expected a string with maximum length {most}, "
            f"but got a string with length {len(text)} instead.",
            place,
            "string_above_max_length",
        )


def named(name: Any, most: int, place: str) -> None:
    """Raises Refusal for what is no name of a tool at OpenAI."""
    short(name, most, place)
    if not is_name(name):
        raise Refusal(
            f"Invalid '{place}': string does not match pattern. Expected a string that matches "
            f"the pattern '{NAME}'.",
            place,
            "invalid_value",
        )


def is_name(text: str) -> bool:
    """Whether a text is letters, digits, underscores and dashes, of ASCII."""
    return _NAME.fullmatch(text) is not None


def wants_json(form: Any) -> bool:
    """Whether the format of an answer is JSON mode."""
    return isinstance(form, Mapping) and form.get("type") == "json_object"


def says_json(said: Any) -> bool:
    """Whether the word that JSON mode wants is anywhere in it."""
    return "json" in written(said).lower()


def _got(value: Any) -> str:
    words = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return words.get(type(value), "null" if value is None else "a number")
