"""Slots, faults and fault plans: where a world may misbehave, how, and the text that says so.

Law: a fault is a choice on each of a boundary's independent axes, the first value of each axis
is no fault, and a plan's text form is its identity: test id, saved file and replay line in one.
Called by the world (which fault strikes here?) and by the search (which faults are there?).

    charge_card#1:once/timeout + lookup#4:twice + model#2:reword=7 + ship#1:late/timeout@45
    process:charge_card#1:crash/after + schedule:book_seat#2:preempted + approval:refund#1:twice

reads: the first call of charge_card is delivered once and its reply is lost in a timeout; the
fourth lookup is delivered twice; the model's second turn is reworded with wording 7; the first
ship request arrives 45 virtual seconds after it was sent. And: the process dies after the first
charge_card was carried out, before its reply; before the second book_seat every other task goes
on first; the approval of the first refund is delivered twice.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NamedTuple

from agentfuzz.core.errors import PlanError, near_miss

FORMAT_VERSION = 1


_PLAIN = ("intact", "before")  # last values that a fault's text leaves out


class Slot(NamedTuple):
    """The address of one crossing in a run: the nth (from 1) at this boundary under this name."""

    boundary: str
    name: str
    nth: int

    def __str__(self) -> str:
        if self.boundary == "tool" and self.name not in TABLES:
            return f"{self.name}#{self.nth}"
        return ":".join(filter(None, (self.boundary, self.name))) + f"#{self.nth}"


_TEXTS: dict[tuple[object, ...], str] = {}


class Fault(NamedTuple):
    """One fault: a value on each axis, and what the search may vary beyond the axes.

    `variant` picks one of several wordings or values (0 is the plainest); `latency` is in
    virtual seconds and only late deliveries have it (None: the default).
    """

    axes: tuple[str, ...]
    variant: int = 0
    latency: float | None = None

    @property
    def text(self) -> str:
        """The same as `str`, made once for every fault."""
        found = _TEXTS.get(self)
        if found is None:
            found = _TEXTS[self] = str(self)
        return found

    def __str__(self) -> str:
        axes = self.axes[:-1] if self.axes[-1] in _PLAIN else self.axes
        text = "/".join(axes)
        if self.variant:
            text += f"={self.variant}"
        if self.latency is not None:
            text += f"@{self.latency:.3f}".rstrip("0").rstrip(".")
        return text


@dataclass(frozen=True, slots=True)
class Table:
    """The closed table of one boundary's faults. `off` are combinations not tried by default.
    `led`: the first axis says what happens and the others only when, so that there is no fault
    without it."""

    boundary: str
    axes: tuple[tuple[str, ...], ...]
    off: frozenset[tuple[str, ...]] = frozenset()
    led: bool = False

    @property
    def neutral(self) -> tuple[str, ...]:
        """No fault: the first value of each axis."""
        return tuple(axis[0] for axis in self.axes)

    def is_fault(self, axes: tuple[str, ...]) -> bool:
        """Whether these values are a fault at all."""
        return axes[0] != self.axes[0][0] if self.led else axes != self.neutral

    def all(self) -> tuple[Fault, ...]:
        """Every fault, simplest first: fewest axes away from neutral, then axis by axis."""
        return _simplest_first(self)

    def default(self) -> tuple[Fault, ...]:
        """The faults that a campaign tries when nothing else is said."""
        return tuple(fault for fault in self.all() if fault.axes not in self.off)


@cache
def _simplest_first(table: Table) -> tuple[Fault, ...]:
    found = [axes for axes in product(*table.axes) if table.is_fault(axes)]
    return tuple(Fault(axes) for axes in sorted(found, key=lambda axes: rank(table, axes)))


def rank(table: Table, axes: tuple[str, ...]) -> tuple[int, ...]:
    """The order of simplicity: fewest axes away from neutral, then the axes' own order."""
    where = tuple(axis.index(value) for axis, value in zip(table.axes, axes, strict=True))
    return (sum(map(bool, where)), *where)


DELIVERIES = ("once", "lost", "twice", "late")
REPLIES = (
    "intact",
    "timeout",
    "error",
    "rate_limited",
    "truncated",
    "ambiguous",
    "malformed",
    "wrong",
    "hostile",
)
# A reply that could only come from work that was done does not come from work that was not: such
# a backend lies (phantom success), which exists but is nothing that a loop can defend against.
_LIES = frozenset(
    (delivery, reply)
    for delivery in ("lost", "late")
    for reply in ("intact", "truncated", "malformed", "wrong", "hostile")
)

TOOL = Table("tool", (DELIVERIES, REPLIES), _LIES)
MODEL_KINDS = (
    "as_planned",
    "reword",
    "no_done",
    "skip",
    "repeat",
    "drift",
    "empty",
    "truncated",
    "cut",
    "rate_limited",
    "error",
    "timeout",
    "duplicate_ids",
    "malformed_args",
    "unknown_tool",
    "bad_done",
    "double_done",
    "mixed_done",
    "contradict",
    "loop",
    "fan_out",
)
MODEL = Table("model", (MODEL_KINDS,))

PROCESS_KINDS = ("none", "crash", "cancel", "interrupt", "duplicate_trigger", "clock_jump")
MOMENTS = ("before", "after", "in_flight")
# All are off by default: a scenario says which of them its loop has to live with.
PROCESS = Table(
    "process", (PROCESS_KINDS, MOMENTS), frozenset(product(PROCESS_KINDS, MOMENTS)), True
)
APPROVALS = ("once", "twice", "double_click", "refused", "late")
APPROVAL = Table("approval", (APPROVALS,))
SCHEDULE = Table("schedule", (("in_turn", "preempted"), MOMENTS[:2]), led=True)

# A later boundary (handoff) is one more row here.
TABLES: Mapping[str, Table] = {
    table.boundary: table for table in (TOOL, MODEL, PROCESS, APPROVAL, SCHEDULE)
}


class FaultPlan:
    """Which fault strikes at which slot. Immutable; equal plans have equal text."""

    __slots__ = ("_by_slot",)

    def __init__(self, faults: Mapping[Slot, Fault] | Iterable[tuple[Slot, Fault]] = ()) -> None:
        self._by_slot: dict[Slot, Fault] = dict(faults)

    def get(self, slot: Slot) -> Fault | None:
        """The fault at this slot, or None."""
        return self._by_slot.get(slot)

    @property
    def by_slot(self) -> Mapping[Slot, Fault]:
        """The faults by slot. Do not change it."""
        return self._by_slot

    def touches(self, boundary: str) -> bool:
        """Whether a fault is at this boundary."""
        for slot in self._by_slot:  # noqa: SIM110 - a generator costs more than this
            if slot[0] == boundary:
                return True
        return False

    def with_(self, slot: Slot, fault: Fault) -> "FaultPlan":
        """This plan and one more fault (or another fault at the same slot)."""
        found: FaultPlan = FaultPlan.__new__(FaultPlan)
        found._by_slot = {**self._by_slot, slot: fault}
        return found

    def without(self, slot: Slot) -> "FaultPlan":
        """This plan with no fault at this slot."""
        return FaultPlan({s: f for s, f in self._by_slot.items() if s != slot})

    def __iter__(self) -> Iterator[tuple[Slot, Fault]]:
        return iter(sorted(self._by_slot.items()))

    def __len__(self) -> int:
        return len(self._by_slot)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FaultPlan) and self._by_slot == other._by_slot

    def __hash__(self) -> int:
        return hash(frozenset(self._by_slot.items()))

    def __str__(self) -> str:
        return " + ".join(f"{slot}:{fault}" for slot, fault in self) or "no faults"

    def __repr__(self) -> str:
        return f"FaultPlan.parse({str(self)!r})"

    @classmethod
    def parse(cls, text: "str | FaultPlan") -> "FaultPlan":
        """Read the text form. Raises PlanError naming the part that cannot be read."""
        if isinstance(text, FaultPlan):
            return text
        if text.strip() in ("", "no faults"):
            return cls()
        parts = [_parse_part(part.strip()) for part in text.split("+")]
        slots = [slot for slot, _ in parts]
        for slot in slots:
            if slots.count(slot) > 1:
                raise PlanError(f"plan {text!r}: the slot {slot} is named twice; keep one of them.")
        return cls(parts)


_PART = re.compile(
    r"^(?:(?P<boundary>\w+):)?(?P<name>[^#:+]*)#(?P<nth>[1-9]\d*)"
    r":(?P<axes>[a-z_]+(?:/[a-z_]+)*)(?:=(?P<variant>\d+))?(?:@(?P<latency>\d+(?:\.\d+)?))?$"
)


def _parse_part(part: str) -> tuple[Slot, Fault]:
    found = _PART.match(part)
    if not found:
        raise PlanError(
            f"cannot read {part!r} in the plan. A part looks like tool#1:once/timeout, "
            "tool#2:twice, tool#1:late/timeout@45 or model#3:reword=2."
        )
    boundary, name = found["boundary"], found["name"]
    if boundary is None:
        boundary, name = (name, "") if name in TABLES and name != "tool" else ("tool", name)
    if boundary not in TABLES:
        hint = near_miss(boundary, TABLES)
        raise PlanError(f"{part!r}: there is no boundary {boundary!r}.{hint}")
    table = TABLES[boundary]
    given = tuple(found["axes"].split("/"))
    axes = given + table.neutral[len(given) :]
    if len(axes) != len(table.axes):
        raise PlanError(f"{part!r}: a {boundary} fault has at most {len(table.axes)} parts.")
    for value, axis in zip(axes, table.axes, strict=True):
        if value not in axis:
            hint = near_miss(value, axis)
            raise PlanError(f"{part!r}: {value!r} is none of {', '.join(axis)}.{hint}")
    if not table.is_fault(axes):
        raise PlanError(f"{part!r} is no fault at all; leave it out.")
    latency = float(found["latency"]) if found["latency"] else None
    if latency is not None and axes[0] != "late":
        raise PlanError(f"{part!r}: only a late delivery has a latency (@seconds).")
    fault = Fault(axes, int(found["variant"] or 0), latency)
    return Slot(boundary, name, int(found["nth"])), fault


def select(
    table: Table,
    *,
    faults: Iterable[str] = (),
    only: Iterable[str] = (),
    exclude: Iterable[str] = (),
) -> tuple[Fault, ...]:
    """The faults of a table that a campaign may use.

    `only` keeps the faults whose text or axis value is named, `exclude` drops them, `faults`
    adds ones that are off by default (as `lost/intact`). Raises PlanError for a word that
    names no fault of any table.
    """
    faults, only, exclude = _words(faults), _words(only), _words(exclude)
    known = _known_words()
    for word in (*faults, *only, *exclude):
        if word not in known:
            raise PlanError(f"{word!r} names no fault.{near_miss(word, known)}")

    def named(fault: Fault, words: tuple[str, ...]) -> bool:
        return any(word == str(fault) or word in fault.axes for word in words)

    def added(fault: Fault) -> bool:
        return str(fault) in faults or (table.led and fault.axes[0] in faults)

    chosen = [f for f in table.all() if f.axes not in table.off or added(f)]
    mine = _words_of(table)
    if any(word in mine for word in only):
        chosen = [f for f in chosen if named(f, only)]
    elif only:
        chosen = []
    return tuple(f for f in chosen if not named(f, exclude))


def _words(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.removesuffix("/intact") for word in words)


@cache
def _words_of(table: Table) -> frozenset[str]:
    """What may be said of a table: its faults' texts, and the values of its axes (of a single
    axis, not the one that is no fault)."""
    decisive = table.led or len(table.axes) == 1
    values = {v for axis in table.axes for v in axis[decisive and axis is table.axes[0] :]}
    return frozenset(values | {str(fault) for fault in table.all()})


@cache
def _known_words() -> frozenset[str]:
    return frozenset().union(*map(_words_of, TABLES.values()))
