"""What earlier versions wrote, as this one would have written it: one step from each format to the
next.

Law: a reader names the version that it found and gets today's data, so that no reader knows an old
format; fields that nobody knows here are left in place; what a newer agentfuzz wrote is refused by
that name, for half of it understood would be a lie. Called by every reader of files: the codec,
saved counterexamples, plans written ahead, JSON reports.

    format 1  0.1.0. Saves, turns of the model and the end of a run had their slots at the boundary
              `process`, like the tool calls of the process; a plan's text had no quotes.
    format 2  They are at `store`, `turn` and `end`. A name that is no plain word stands in quotes.
              What died unheard is an event.
"""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from agentfuzz.core.errors import NewerFileError, PlanError, SavedFileError
from agentfuzz.core.events import Json
from agentfuzz.core.faults import Slot
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan

# Versions ---------------------------------------------------------------------------------


def version(found: object, known: int, what: str) -> int:
    """A version that was found in a file. Raises SavedFileError for none, NewerFileError for one
    beyond `known`; `what` is its name in the message: `plan format`."""
    if type(found) is not int or found < 1:
        raise SavedFileError(f"it has no {what} ({str(found)[:40]!r})")
    if found > known:
        raise NewerFileError(
            f"written by a newer agentfuzz ({what} {found}; this one reads up to {known}). Update "
            "agentfuzz to read it"
        )
    return found


def schema(data: object, name: str, known: int) -> int:
    """The version in a file's `schema`, as in `agentfuzz.saved/2`. Raises as `version` does."""
    given = data.get("schema") if isinstance(data, Mapping) else None
    found = re.fullmatch(rf"{re.escape(name)}/([1-9]\d{{0,8}})", str(given))
    if found is None:
        raise SavedFileError(f"its schema is not {name} ({str(given)[:40]!r})")
    return version(int(found[1]), known, f"schema {name}")


# Plans ------------------------------------------------------------------------------------


def plan(text: str, written: int) -> FaultPlan:
    """A plan out of a file of this format. In a plan of format 1, saves, turns and the end are
    still at `process`: `migrated` tells them from tool calls, once the tools are known.

    Raises PlanError."""
    for n in range(written, FORMAT_VERSION):
        text = _PLANS[n](text)
    return FaultPlan.parse(text)


def typed(text: str | FaultPlan) -> FaultPlan:
    """A plan that somebody typed or an exported test holds, which say no format: as today's, or
    as an older one that alone can be meant. Raises PlanError, the one of today."""
    try:
        return FaultPlan.parse(text)
    except PlanError:
        for written in range(FORMAT_VERSION - 1, 0, -1):
            try:
                return plan(str(text), written)
            except PlanError:
                continue
        raise


def migrated(plan: FaultPlan, tools: Collection[str]) -> FaultPlan:
    """A plan in which every slot has today's address, by the tools of the world it belongs to.
    Raises PlanError when two of its slots are one then."""
    if all(slot.boundary != "process" or slot.name in tools for slot, _ in plan):
        return plan
    moved = FaultPlan([(_moved(slot, tools), fault) for slot, fault in plan], plan.given)
    if len(moved) < len(plan):
        raise PlanError(f"plan {str(plan)!r}: a slot is named twice, once as in format 1.")
    return moved


_TURN, _END = Slot("turn", "", 1), Slot("end", "", 1)
_FACTS_1 = 5  # what format 1 says of a tool: name, effect, scope, dedup, undoes
_OLD_NAMES: Mapping[str, Slot] = {"model": _TURN, "end": _END}  # each at `process` in format 1


def _moved(slot: Slot, tools: Collection[str]) -> Slot:
    if slot.boundary != "process" or slot.name in tools:
        return slot
    known = _OLD_NAMES.get(slot.name)
    return Slot("store", slot.name, slot.nth) if known is None else known._replace(nth=slot.nth)


def _back(slot: Slot) -> Slot:
    """Where a slot was in format 1."""
    for name, place in _OLD_NAMES.items():
        if slot.boundary == place.boundary:
            return Slot("process", name, slot.nth)
    return slot._replace(boundary="process") if slot.boundary == "store" else slot


_PART_1 = re.compile(r"(?:(?P<boundary>\w+):)?(?P<name>[^#:+]*)#(?P<nth>[1-9]\d*)(?P<fault>:.*)")
_BOUNDARIES_1 = ("tool", "model", "process", "approval", "schedule")


def _plan_1_to_2(text: str) -> str:
    if text.strip() in ("", "no faults"):
        return ""
    parts = []
    for part in text.split("+"):
        found = _PART_1.fullmatch(part.strip())
        if found is None:
            raise PlanError(f"cannot read {part.strip()!r} in a plan of format 1.")
        boundary, name = found["boundary"], found["name"]
        if boundary is None:
            whole = name in _BOUNDARIES_1 and name != "tool"
            boundary, name = (name, "") if whole else ("tool", name)
        parts.append(f"{Slot(boundary, name, int(found['nth']))}{found['fault']}")
    return " + ".join(parts)


_PLANS: Mapping[int, Callable[[str], str]] = {1: _plan_1_to_2}

# Histories --------------------------------------------------------------------------------

Data = Mapping[str, Any]


class Step(NamedTuple):
    """From one format of histories to the next, and back: a digest is of the bytes that the
    version wrote which made it."""

    forward: Callable[[Data], Data]
    back: Callable[[Data], Data]


def history(data: Data, written: int) -> Data:
    """A history as `history_to_json` writes it today, out of a file of this format."""
    for n in range(written, FORMAT_VERSION):
        data = _HISTORIES[n].forward(data)
    return data


def history_as_of(data: Data, wanted: int) -> Data:
    """Today's `history_to_json` as the version of this format would have written it."""
    for n in range(FORMAT_VERSION - 1, wanted - 1, -1):
        data = _HISTORIES[n].back(data)
    return data


def _slots(events: Any, place: Callable[[str, Slot], Slot]) -> list[Json]:
    """Events with their slots elsewhere; `place` is given the kind of the event."""
    return [
        {**one, "slot": list(place(str(one.get("event")), Slot(*one["slot"])))}
        if isinstance(one, Mapping) and isinstance(one.get("slot"), list) and len(one["slot"]) == 3
        else one
        for one in events
    ]


def _facts_1(tools: Data) -> Data:
    return {name: facts[:_FACTS_1] for name, facts in tools.items()}


def _history_1_to_2(data: Data) -> Data:
    tools = _facts_1(data["tools"])

    def place(kind: str, slot: Slot) -> Slot:
        return _moved(slot, () if kind == "Saved" else tools)

    return {**data, "format": 2, "tools": tools, "events": _slots(data["events"], place)}


def _history_2_to_1(data: Data) -> Data:
    events = _slots(data["events"], lambda _, slot: _back(slot))
    if any(one["event"] in _NEW_IN_2 for one in events):
        events = [one for one in events if one["event"] not in _NEW_IN_2]
        events = [{**one, "seq": seq} for seq, one in enumerate(events)]
    events = _with_ids_of_then(events)
    return {**data, "format": 1, "tools": _facts_1(data["tools"]), "events": events}


def _with_ids_of_then(events: list[Json]) -> list[Json]:
    """Events in which the calls that the model asked for have the ids of format 1: `tc_` and a
    number, also where a provider's own form stands today."""
    turns: Any = [one for one in events if isinstance(one, Mapping) and one["event"] == "ModelTurn"]
    asked = dict.fromkeys(call[0] for turn in turns for call in turn["calls"])
    then = {call: f"tc_{n}" for n, call in enumerate(asked, 1) if not call.startswith("tc_")}

    def renamed(value: Any) -> Any:
        if isinstance(value, str):
            for call, name in then.items():
                value = value.replace(call, name)
            return value
        if isinstance(value, Mapping):
            return {key: renamed(item) for key, item in value.items()}
        return [renamed(item) for item in value] if isinstance(value, list | tuple) else value

    return [renamed(one) for one in events] if then else events


_NEW_IN_2 = ("Asserted", "Unheard")  # nobody told of it then


_HISTORIES: Mapping[int, Step] = {1: Step(_history_1_to_2, _history_2_to_1)}

# JSON reports -----------------------------------------------------------------------------


def finding(data: Data, written: int) -> Data:
    """The object of a finding as it is written today, out of a report of this format."""
    for n in range(written, FORMAT_VERSION):
        data = _FINDINGS[n](data)
    return data


def _finding_1_to_2(data: Data) -> Data:
    tools = data["tools"]

    def text(given: str) -> str:
        return str(migrated(plan(given, 1), tools))

    def fault(given: Data) -> Data:
        boundary, name, nth = _moved(Slot(given["boundary"], given["name"], given["nth"]), tools)
        return {**given, "boundary": boundary, "name": name, "nth": nth}

    return {
        **data,
        **_history_1_to_2(data),
        "schema": "agentfuzz.finding/2",
        "baseline": _history_1_to_2({**data, "events": data["baseline"]})["events"],
        "plan": {
            **data["plan"],
            "text": text(data["plan"]["text"]),
            "faults": [fault(one) for one in data["plan"]["faults"]],
        },
        "controls": [
            {**one, "removed": text(one["removed"]), "plan": text(one["plan"])}
            for one in data["controls"]
        ],
    }


_FINDINGS: Mapping[int, Callable[[Data], Data]] = {1: _finding_1_to_2}
