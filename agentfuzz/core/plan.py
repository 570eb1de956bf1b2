"""The fault plan: which fault strikes at which slot.

Law: a plan is made of slots and faults; its text form is test id, saved file and replay line in
one, and reads back to an equal plan whatever the names in it. Called by the world, by the search,
and by whoever types a plan.

    charge_card#1:once/timeout + lookup#4:twice + model#2:reword=7 + ship#1:late/timeout@45
    process:charge_card#1:crash/after + schedule:book_seat#2:preempted + approval:refund#1:twice
    store:cursor#2:crash + "my tool: a+b"#1:lost/timeout
    charge_card#2-4:once/timeout + model#1+:rate_limited
    charge_card#1:once/timeout + given:order="12" + given:limit=3
    handoff:billing#1:twice + given:agents=["triage","billing"]

reads: the first call of charge_card is delivered once and its reply is lost in a timeout; the
fourth lookup is delivered twice; the model's second turn is reworded with wording 7; the first
ship request arrives 45 virtual seconds after it was sent. And: the process dies after the first
charge_card was carried out, before its reply; before the second book_seat every other task goes
on first; the approval of the first refund is delivered twice. And: the process dies before the
second save of `cursor`; the first request of a tool with an odd name is lost. And: the replies of
three calls in a row are lost, from the second on; the model never answers anything but 429. And:
the first reply is lost in a run whose `world.data` is {"order": "12", "limit": 3}. And: the
first handoff to billing arrives twice in a slice of a run: of its agents these two take part.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from agentfuzz.core.errors import PlanError, near_miss
from agentfuzz.core.events import Json
from agentfuzz.core.faults import (
    FOR_GOOD,
    TABLES,
    VALUE,
    Fault,
    Slot,
    covers,
    part,
    quoted,
    unquoted,
)

FORMAT_VERSION = 2  # of plans and histories; a change is told in docs/decisions
NOTHING = "no faults"
AGENTS = "agents"  # the input that names those agents that take part in a slice of a run


class FaultPlan:
    """Which fault strikes at which slot. Immutable; equal plans have equal text. `given` are the
    inputs of the run, as JSON text; empty: the simplest ones of the scenario, if it has any.
    `by_slot` are the faults; do not change it."""

    __slots__ = ("by_slot", "given")

    def __init__(
        self, faults: Mapping[Slot, Fault] | Iterable[tuple[Slot, Fault]] = (), given: str = ""
    ) -> None:
        self.by_slot: Mapping[Slot, Fault] = dict(faults)
        self.given = given

    def get(self, slot: Slot) -> Fault | None:
        """The fault at this slot, or None."""
        return self.by_slot.get(slot)

    def touches(self, boundaries: Collection[str]) -> bool:
        """Whether a fault is at one of these boundaries."""
        for slot in self.by_slot:  # noqa: SIM110 - a generator costs more than this
            if slot[0] in boundaries:
                return True
        return False

    @property
    def lasting(self) -> list[tuple[Slot, Fault]]:
        """The faults that strike at more than one crossing."""
        return [(s, f) for s, f in self.by_slot.items() if f[3] or s[0] == "all"]

    def with_(self, slot: Slot, fault: Fault) -> "FaultPlan":
        """This plan and one more fault (or another fault at the same slot)."""
        found: FaultPlan = FaultPlan.__new__(FaultPlan)
        found.by_slot = {**self.by_slot, slot: fault}
        found.given = self.given
        return found

    def without(self, slot: Slot) -> "FaultPlan":
        """This plan with no fault at this slot."""
        return FaultPlan({s: f for s, f in self.by_slot.items() if s != slot}, self.given)

    def over(self, given: str) -> "FaultPlan":
        """The same faults in a run with these inputs."""
        return self if given == self.given else FaultPlan(self.by_slot, given)

    @property
    def inputs(self) -> Mapping[str, Json]:
        """The inputs of the run by name, as plain values."""
        found: dict[str, Json] = json.loads(self.given) if self.given else {}
        return found

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that take part in this slice of a run; none: it is no slice, all do."""
        return tuple(self.inputs.get(AGENTS, ()))

    def among(self, agents: Collection[str]) -> "FaultPlan":
        """The same faults and inputs in a run in which these agents take part; none: all."""
        inputs = {**self.inputs, AGENTS: list(agents)}
        if not agents:
            del inputs[AGENTS]
        return self.over(canonical(inputs) if inputs else "")

    def __iter__(self) -> Iterator[tuple[Slot, Fault]]:
        return iter(sorted(self.by_slot.items()))

    def __len__(self) -> int:
        return len(self.by_slot)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, FaultPlan)
            and self.by_slot == other.by_slot
            and self.given == other.given
        )

    def __hash__(self) -> int:
        return hash(frozenset(self.by_slot.items()))

    def __str__(self) -> str:
        faults = [part(slot, fault) for slot, fault in self]
        inputs = [given_part(name, value) for name, value in self.inputs.items()]
        return " + ".join([*faults, *inputs]) or NOTHING

    def __repr__(self) -> str:
        return f"FaultPlan.parse({str(self)!r})"

    @classmethod
    def parse(cls, text: "str | FaultPlan") -> "FaultPlan":
        """Read the text form. Raises PlanError naming the part that cannot be read."""
        if isinstance(text, FaultPlan):
            return text
        if not isinstance(text, str):
            raise PlanError(f"a plan is a text or a FaultPlan, not {type(text).__name__}.")
        if text.strip() in ("", NOTHING):
            return cls()
        inputs: dict[str, Json] = {}
        parts = list(_parts(text, inputs))
        slots = [slot for slot, _ in parts]
        for slot in slots:
            if slots.count(slot) > 1:
                raise PlanError(f"plan {text!r}: the slot {slot} is named twice; keep one of them.")
        for first, fault in parts:
            for slot in slots:
                if fault.until and slot != first and covers(first, fault, slot):
                    raise PlanError(
                        f"plan {text!r}: the slot {slot} lies within {part(first, fault)}; keep "
                        "one of them."
                    )
        return cls(parts, canonical(inputs) if inputs else "")


def canonical(inputs: Mapping[str, Json]) -> str:
    """Inputs as the text that a plan keeps: JSON, ASCII, in the order of their names."""
    return json.dumps(inputs, sort_keys=True, separators=(",", ":"), allow_nan=False)


def given_part(name: str, value: Json) -> str:
    """One input as it stands in a plan: `given:order="12"`."""
    return f"given:{name}={canonical(value)}"


_QUOTED = r'"(?:[^"\\]|\\.)*"'
_WORD = rf"{_QUOTED}|[^\s#:+\"][^\s#:+]*"
_NTH = r"(?P<nth>[1-9]\d{0,8})(?:-(?P<until>[1-9]\d{0,8})|(?P<on>\+(?=:)))?(?!\d)"
_SLOT = re.compile(rf"\s*(?:(?P<boundary>\w+):)?(?P<name>{_WORD})?#{_NTH}", re.DOTALL)
_FAULT = re.compile(
    rf":(?P<axes>{VALUE.pattern}(?:/{VALUE.pattern})*)(?:=(?P<variant>\d{{1,9}}))?"
    r"(?:@(?P<latency>\d{1,15}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?))?"
    r"\s*(?P<end>\+|$)"
)
_JSON = json.JSONDecoder()
_GIVEN = re.compile(r"\s*given:(?P<name>[^\W\d]\w*)=")
_END = re.compile(r"\s*(?P<end>\+|$)")


def _parts(text: str, inputs: dict[str, Json]) -> Iterator[tuple[Slot, Fault]]:
    """The faults of a text; what else it says of the run is put into `inputs`."""
    at = 0
    while True:
        if given := _GIVEN.match(text, at):
            end = _END.match(text, _read_input(text, given, inputs))
            if end is None:
                raise PlanError(f"cannot read what follows {given['name']} in the plan {text!r}.")
            at = end.end()
            if not end["end"]:
                return
            continue
        slot = _SLOT.match(text, at)
        fault = _FAULT.match(text, slot.end()) if slot else None
        if slot is None or fault is None:
            raise _unreadable(text, at)
        said = text[at : fault.start("end")].strip()
        where, until = _read_slot(slot, said), _until(slot, said)
        yield where, _read_fault(fault, where.boundary, said)._replace(until=until)
        at = fault.end()
        if not fault["end"]:
            return


def _read_input(text: str, given: re.Match[str], inputs: dict[str, Json]) -> int:
    """Read one input. Returns where it ends."""
    name = given["name"]
    if name in inputs:
        raise PlanError(f"plan {text!r}: the input {name} is given twice; keep one of them.")
    try:
        inputs[name], end = _JSON.raw_decode(text, given.end())
        canonical(inputs[name])
    except (ValueError, RecursionError) as error:
        raise PlanError(
            f"cannot read the input {name} in the plan {text!r} ({error}); it is written as JSON, "
            f'as in given:{name}="12".'
        ) from None
    return end


def _unreadable(text: str, at: int) -> PlanError:
    """What is wrong with the part that begins there, up to the next one, as far as one can tell."""
    part = text[at:].partition(" + ")[0].strip()
    if not part or part[0] == "+":
        where = "before" if text[at:].strip() else "after"
        return PlanError(f"plan {text!r}: there is no fault {where} one of the +; take that away.")
    first = " The first crossing is #1." if "#0" in part or "#-" in part else ""
    return PlanError(
        f"cannot read {part!r} in the plan.{first} A part looks like "
        'tool#1:once/timeout, tool#2:twice, tool#1:late/timeout@45, "odd name"#1:lost, '
        "model#3:reword=2, lasts: tool#2-4:once/timeout, tool#2+:lost/error; or is an "
        'input: given:order="12". Between two parts stands " + ".'
    )


def _read_slot(found: re.Match[str], part: str) -> Slot:
    boundary, name, nth = found["boundary"], found["name"] or "", int(found["nth"])
    odd = name.startswith('"')
    if odd:
        try:
            name = unquoted(name[1:-1])
        except ValueError as error:
            raise PlanError(f"cannot read the name in {part!r}: {error}.") from None
    if boundary is None:
        if not name and not odd:
            raise PlanError(f"{part!r}: there is no name before the #.")
        if name == "*" and not odd:
            return Slot("all", "", nth)
        at_a_boundary = not odd and name in TABLES and name != "tool"
        return Slot(name, "", nth) if at_a_boundary else Slot("tool", name, nth)
    if boundary == "all":
        raise PlanError(f"{part!r}: everything at once is written *#{nth}, without a name.")
    if boundary not in TABLES:
        raise PlanError(
            f"{part!r}: there is no boundary {boundary!r}.{near_miss(boundary, TABLES)} A name "
            f"with a colon stands in quotes: {quoted(f'{boundary}:{name}')}#{nth}."
        )
    return Slot(boundary, name, nth)


def _until(slot: re.Match[str], part: str) -> int:
    if slot["on"]:
        return FOR_GOOD
    if slot["until"] and int(slot["until"]) <= int(slot["nth"]):
        raise PlanError(f"{part!r}: {slot['nth']}-{slot['until']} is no range; the first is less.")
    return int(slot["until"] or 0)


def _read_fault(found: re.Match[str], boundary: str, part: str) -> Fault:
    table = TABLES[boundary]
    given = tuple(found["axes"].split("/"))
    axes = given + table.neutral[len(given) :]
    if len(axes) != len(table.axes):
        most = f"at most {len(table.axes)} parts" if len(table.axes) > 1 else "one part"
        name = "fault of everything (*)" if boundary == "all" else f"{boundary} fault"
        raise PlanError(f"{part!r}: a {name} has {most}.")
    for value, axis in zip(axes, table.axes, strict=True):
        if value not in axis:
            kinds = [one.kind for one in table.default() if value in one.axes]
            hint = f" Did you mean {kinds[0]!r}?" if kinds else near_miss(value, axis)
            raise PlanError(f"{part!r}: {value!r} is none of {', '.join(axis)}.{hint}")
    if not table.is_fault(axes):
        raise PlanError(f"{part!r} is no fault at all; leave it out.")
    latency = float(found["latency"]) if found["latency"] else None
    if latency == float("inf"):
        raise PlanError(f"{part!r}: so many seconds are no number; write fewer.")
    if latency is not None and axes[0] != "late":
        raise PlanError(f"{part!r}: only a late delivery has a latency (@seconds).")
    return Fault(axes, int(found["variant"] or 0), latency)


def fault_of(boundary: str, text: str) -> Fault:
    """Read the text of one fault at a boundary, as histories keep it. Raises PlanError."""
    found = _FAULT.fullmatch(f":{text}")
    if found is None or boundary not in TABLES:
        raise PlanError(f"cannot read the fault {text!r} at the boundary {boundary!r}.")
    return _read_fault(found, boundary, text)
