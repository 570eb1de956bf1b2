"""A baseline: the causes that a project knows already, in a file that people review and git merges.

Law: equal content gives equal bytes, without a date, a line number or an order of tests; an entry
is a block of lines whose first and last are like those of no other one, so that two branches which
add entries both keep them; what stands there twice counts once, what nobody knows here is kept, and
a file that is broken or of a newer agentfuzz is refused with its line. Pure; called by the plugin.

Its plans, and the troubles in its entries, are of plan format 2: another one is another schema.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from agentfuzz.core import migrations
from agentfuzz.core.codec import dump
from agentfuzz.core.errors import PlanError, SavedFileError
from agentfuzz.core.escaping import visible
from agentfuzz.core.events import Json
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.secrets.redaction import redacted
from agentfuzz.telling.troubles import Trouble, troubles_of

SCHEMA, VERSION = "agentfuzz.baseline", 1
_ENTRY = "AF"  # what the name of an entry begins with
_MARKS = ("<<<<<<<", "=======", ">>>>>>>")
_TEXTS = ("title", "id", "plan", "code", "subject", "scenario")
_OWN = (*_TEXTS, "tests", "troubles")


class Key(NamedTuple):
    """What makes two findings one entry, whatever their test is called and wherever its lines are.
    Of a scenario that is named after its test, or a subject that is, the name is left out."""

    code: str
    subject: str
    scenario: str
    troubles: tuple[Trouble, ...]

    @property
    def name(self) -> str:
        """Of its entry: the code, and a hash by which neighbours stand apart."""
        return f"{self.code} {sha256(dump(list(self)).encode()).hexdigest()[:12]}"

    @property
    def kinds(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The law and the kinds of trouble, at whatever tool."""
        return self.code, tuple(sorted((where, what) for where, _, what in self.troubles))


@dataclass(frozen=True, slots=True)
class Entry:
    """One cause as it is known: the tests that show it, and an example of one of them."""

    key: Key
    tests: tuple[str, ...]
    title: str
    id: str
    plan: FaultPlan
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The entries by key, and what else the file says."""

    entries: Mapping[Key, Entry] = field(default_factory=dict)
    more: Mapping[str, Json] = field(default_factory=dict)


def key_of(cx: Counterexample) -> Key:
    """The key of a finding."""
    own = cx.nodeid.partition("[")[0].rpartition("::")[2]
    return Key(
        cx.code,
        cx.violation.subject.removeprefix(f"{own}: "),
        "" if cx.scenario == own else cx.scenario,
        tuple(sorted(troubles_of(cx.plan))),
    )


def entry_of(cx: Counterexample) -> Entry:
    """A new entry, of one finding. Inputs in which there is a secret are no part of an example."""
    told = str(cx.plan)
    plan = cx.plan if redacted(told) == told else cx.plan.over("")
    return Entry(key_of(cx), (cx.nodeid,), cx.title, cx.id, plan)


# Text -------------------------------------------------------------------------------------


def text(baseline: Baseline) -> str:
    """The whole file."""
    entries = sorted((one for one in baseline.entries.values() if one.tests), key=_name)
    blocks = [_block(one) for one in entries]
    more = [f" {_line(name)}: {_line(value)},\n" for name, value in sorted(baseline.more.items())]
    return "".join(["{\n", *blocks, *more, f' "schema": "{SCHEMA}/{VERSION}"\n', "}\n"])


def _name(entry: Entry) -> str:
    return entry.key.name


def _block(entry: Entry) -> str:
    code, subject, scenario, troubles = entry.key
    key: dict[str, Json] = {"code": code, "subject": subject, "scenario": scenario}
    # The key comes last, with the brace: no two entries end in the same line.
    lines = [
        _fields({"title": entry.title}),
        _fields({"tests": sorted(set(entry.tests))}),
        *(_fields({name: value}) for name, value in sorted(entry.more.items())),
        _fields({"id": entry.id, "plan": str(entry.plan)}),
        _fields({**key, "troubles": [list(one) for one in troubles]}),
    ]
    told = ",\n".join(f"  {line}" for line in lines)
    return f" {_line(entry.key.name)}: {{\n{told}}},\n"


def _fields(data: Mapping[str, Json]) -> str:
    return ", ".join(f"{_line(name)}: {_line(value)}" for name, value in data.items())


def _line(value: Json) -> str:
    """JSON on one line, in which nothing is invisible."""
    told = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in told)


def read(text: str) -> Baseline:
    """What a file says. Raises SavedFileError with the line, NewerFileError."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_MARKS):
            raise SavedFileError(
                f"line {number}: git has left its marks of a conflict; keep the entries of both "
                "sides, and take out the three lines with marks"
            )
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_refused)
    except json.JSONDecodeError as error:
        raise SavedFileError(f"line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise SavedFileError(f"cannot be read ({error})") from error
    migrations.schema(data, SCHEMA, VERSION)
    entries: dict[Key, Entry] = {}
    for name in [one for one in data if one.startswith(_ENTRY)]:
        try:
            one = _entry(data[name])
        except (SavedFileError, PlanError) as error:
            at = text.find(json.dumps(name)[:-1])
            above = text.count("\n", 0, max(at, 0))
            raise SavedFileError(f"line {above + 1}, {visible(name[:60])}: {error}") from error
        entries[one.key] = _both(entries.get(one.key), one)
    more = {k: v for k, v in data.items() if not k.startswith(_ENTRY) and k != "schema"}
    return Baseline(entries, more)


def _entry(data: Any) -> Entry:
    if not isinstance(data, dict):
        raise SavedFileError("must be an object")
    for name in _OWN:
        if name not in data:
            raise SavedFileError(f"the field {name!r} is missing")
    for name in _TEXTS:
        if not isinstance(data[name], str):
            raise SavedFileError(f"the field {name!r} must be a text")
    if not re.fullmatch(r"AF\d{3}", data["code"]):
        raise SavedFileError(f"the field 'code' must be one as AF101, not {data['code'][:20]!r}")
    if not _texts(data["tests"]):
        raise SavedFileError("the field 'tests' must be a list of texts")
    troubles = data["troubles"]
    if not isinstance(troubles, list) or not all(_texts(one) and len(one) == 3 for one in troubles):
        raise SavedFileError("the field 'troubles' must be a list of lists of three texts")
    found = tuple(sorted({(where, name, what) for where, name, what in troubles}))
    return Entry(
        Key(data["code"], data["subject"], data["scenario"], found),
        tuple(sorted(set(data["tests"]))),
        data["title"],
        data["id"],
        FaultPlan.parse(data["plan"]),
        {name: value for name, value in data.items() if name not in _OWN},
    )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _both(one: Entry | None, other: Entry) -> Entry:
    if one is None:
        return other
    tests = tuple(sorted({*one.tests, *other.tests}))
    return Entry(one.key, tests, one.title, one.id, one.plan, {**other.more, **one.more})


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names may stand there several times, as after a merge: objects and lists
    are united, of anything else the last one counts."""
    out: dict[str, Any] = {}
    for name, value in pairs:
        before = out.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            value = _once([*before.items(), *value.items()])
        elif isinstance(before, list) and isinstance(value, list):
            value = before + [one for one in value if one not in before]
        out[name] = value
    return out


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
