"""Profiles: sets of values for the settings, by name.

Law: a profile fills in what no option and no ini key says, and says it under the name of the
setting. A line of the ini file adds a profile, or changes what it names of one that is here.
Called by the settings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agentfuzz.core.errors import near_miss

PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"depth": 1, "max-time": 10.0},
    "ci": {"depth": 2, "max-time": 60.0, "session-time": 900.0, "strict": True},
    "nightly": {
        "depth": 2,
        "max-runs": 200_000,
        "max-time": 1_800.0,
        "session-time": 7_200.0,
        "workers": "auto",
        "strict": True,
    },
}
_SWITCH = {"true": True, "false": False}


def chosen(
    name: str, lines: Sequence[str], kinds: Mapping[str, type], file: str
) -> Mapping[str, Any]:
    """What the profile of this name sets, by setting; nothing without a name. `lines` are those of
    the ini file, `kinds` the types of the settings. Raises UsageError."""
    known = {one: dict(values) for one, values in PROFILES.items()}
    for line in lines:
        own, colon, words = line.partition(":")
        if not colon or not own.strip():
            raise _wrong(file, line, "must be NAME: SETTING=VALUE ...")
        values = known.setdefault(own.strip(), {})
        values |= dict(_value(word, kinds, file, line) for word in words.split())
    if name and name not in known:
        raise pytest.UsageError(
            f"there is no profile {name!r}.{near_miss(name, known)} Profiles are: "
            f"{', '.join(known)}."
        )
    return known[name] if name else {}


def told(values: Mapping[str, Any]) -> str:
    """Settings as one reads them: `depth 2, max-time 60, strict`."""
    words = {True: "{}", False: "not {}"}
    return ", ".join(
        words[value].format(name)
        if isinstance(value, bool)
        else f"{name} {f'{value:,g}' if isinstance(value, float) else value}"
        for name, value in values.items()
    )


def _value(word: str, kinds: Mapping[str, type], file: str, line: str) -> tuple[str, Any]:
    name, _, value = word.partition("=")
    name = name.replace("_", "-")
    if name not in kinds:
        raise _wrong(file, line, f"there is no setting {name!r}.{near_miss(name, kinds)}")
    try:
        return name, _SWITCH[value.lower()] if kinds[name] is bool else kinds[name](value)
    except (ValueError, KeyError):
        must = {int: "a whole number", float: "a number of seconds", bool: "true or false"}
        raise _wrong(file, line, f"{name} must be {must[kinds[name]]}, not {value!r}") from None


def _wrong(file: str, line: str, what: str) -> pytest.UsageError:
    return pytest.UsageError(f"{file}: agentfuzz_profiles: {line.strip()}: {what}")
