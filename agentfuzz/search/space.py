"""The space of a campaign: which faults may strike at which crossings.

Law: a crossing is asked about by its group; what is tried there is said by its boundary, and
chosen by the words of the user; what costs money is tried before what is only words. Used by every
phase of the search.
"""

from collections.abc import Iterable, Iterator

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.boundaries.boundary import WORDS
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import FOR_GOOD, TABLES, Fault, Slot, part, rank
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.selection import select
from agentfuzz.world.injector import Crossing
from agentfuzz.world.lasting import DOWN, EVERYTHING

BURST = 3  # crossings in a row; what goes on longer goes on for good
MOST = 10**9


class Space:
    """The faults of a campaign by group of crossings. See `agentfuzz.core.faults.select` for the
    meaning of `faults`, `only` and `exclude`."""

    def __init__(
        self,
        *,
        faults: Iterable[str] = (),
        only: Iterable[str] = (),
        exclude: Iterable[str] = (),
    ) -> None:
        faults, only = tuple(faults), tuple(only)
        self.asked = frozenset((*faults, *only))
        self.words = words = {"faults": faults, "only": only, "exclude": tuple(exclude)}
        self._groups: dict[str, tuple[Fault, ...]] = {}
        self._order: dict[str, tuple[tuple[Fault, ...], ...]] = {}
        self._wordings: dict[str, tuple[Fault, ...]] = {}
        self._lasting: dict[str, tuple[Fault, ...]] = {}
        self._down: set[str] = set()  # the boundaries that may fail as in an outage of everything
        self.process = False
        reworded: set[Fault] = set()
        for boundary in BOUNDARIES.values():
            chosen = select(boundary.table, **words)
            self.process = self.process or (boundary.of_process and bool(chosen))
            down = DOWN.get(boundary.name)
            if down is not None and any(down.axes == fault.axes for fault in chosen):
                self._down.add(boundary.name)
            for group, tried in boundary.groups.items():
                every = [one for fault in chosen for one in tried(fault)]
                found = self._groups[group] = tuple(
                    one for one in every if not one.until and not boundary.alone(one)
                )
                self._lasting[group] = tuple(one for one in every if one.until)
                worded = [other for one in found for other in boundary.wordings(one)]
                reworded.update(worded)
                self._wordings[group] = (*worded, *filter(boundary.alone, every))
                self._order[group] = tuple(
                    tuple(one for one in found if boundary.order(group, one) == place)
                    for place in range(WORDS + 1)
                )
        self.wordings = frozenset(other for found in self._wordings.values() for other in found)
        self.reworded = frozenset(reworded)  # of these, what is another fault in other words

    def at(self, group: str) -> tuple[Fault, ...]:
        """The faults of one group of crossings."""
        return self._groups[group]

    def all_at(self, group: str) -> tuple[Fault, ...]:
        """The same, and those that are tried alone because they last."""
        return self._groups[group] + self._lasting[group]

    def in_order(self, group: str) -> tuple[tuple[Fault, ...], ...]:
        """The same, by how early they are tried."""
        return self._order[group]

    def wordings_at(self, group: str) -> tuple[Fault, ...]:
        """Those of one group in their further wordings, and whatever else is tried alone."""
        return self._wordings[group]

    def outages(self, crossings: Iterable[Crossing]) -> Iterator[FaultPlan]:
        """What begins at a crossing of a run and does not end: rights that have expired, and, where
        each may fail so by itself, everything being down."""
        crossings = list(crossings)
        for slot, _, group in crossings:
            for fault in self._lasting[group]:
                yield FaultPlan({slot: fault})
        met = [crossing for crossing in crossings if crossing.slot.boundary in DOWN]
        if self.at(EVERYTHING) and all(c.slot.boundary in self._down for c in met):
            for nth in range(1, len(met) + 1):
                yield FaultPlan({Slot(EVERYTHING, "", nth): Fault(("error",), until=FOR_GOOD)})


def untried(plan: FaultPlan, space: Space, crossings: Iterable[Crossing]) -> tuple[str, bool]:
    """Why a campaign would not try this plan, or an empty string; and whether the tool runs where
    the fault cannot happen, so that nobody would. `crossings` are those of a run: what is crossed
    at a tool is the same at each of its calls."""
    groups = {c.slot.name: c.group for c in crossings if c.slot.boundary in ("tool", "local")}
    for slot, fault in plan:
        group = groups.get(slot.name)
        if slot.boundary != "tool" or group is None:
            continue
        tried = BOUNDARIES["tool"].groups.get(group)
        if tried is None or not any(tried(fault)):
            return f"{part(slot, fault)} cannot happen to this tool (transport=, effect=)", True
        if not any(fault.axes == one.axes for one in space.all_at(group)):
            return f"this test does not try {part(slot, fault)} (only=, exclude=, faults=)", False
    return "", False


def size(plan: FaultPlan) -> tuple[object, ...]:
    """The order of plans: fewest faults, those that strike once before those that last, first
    wordings, the shortest inputs, the simplest kinds, the earliest slots."""
    ranks = sorted(
        (rank(TABLES[slot.boundary], fault.axes), fault.latency or 0.0, fault.variant)
        for slot, fault in plan
    )
    worded = sum(fault.variant > 0 for _, fault in plan)
    lasting = plan.lasting and sum(length(slot, fault) for slot, fault in plan.lasting)
    places = [(slot.nth, slot) for slot, _ in plan]
    return (len(plan), lasting or 0, worded, len(plan.given), ranks, places, plan.given)


def no_smaller(plan: FaultPlan, other: FaultPlan) -> bool:
    """Whether a plan does not come before another one in that order."""
    return len(plan) > len(other) or size(plan) >= size(other)


def reach(plan: FaultPlan) -> float:
    """How many crossings a plan strikes at most."""
    return len(plan) + sum(length(slot, fault) for slot, fault in plan.lasting)


def length(slot: Slot, fault: Fault) -> float:
    """How much an outage takes in: a single fault is 0, everything for good the most."""
    all = slot.boundary == EVERYTHING
    return MOST + all if fault.until == FOR_GOOD else max(fault.until - slot.nth, 0) + all


def drawn_out(plan: FaultPlan) -> bool:
    """Whether a fault goes on longer than the bursts that are tried: of what is shorter not all
    is."""
    return any(length(slot, fault) >= BURST for slot, fault in plan.lasting)


def longer(plan: FaultPlan, crossings: Iterable[Crossing]) -> FaultPlan | None:
    """The next longer fault of a plan with one, if its run came to the crossing that is then
    struck as well: two in a row, three, all from there on; in the plainest wording."""
    ((slot, fault),) = plan.by_slot.items()
    if fault.variant or fault.until == FOR_GOOD or not BOUNDARIES[slot.boundary].lasts(fault):
        return None
    beyond = slot._replace(nth=1 + (fault.until or slot.nth))
    if not any(crossing.slot == beyond for crossing in crossings):
        return None
    until = beyond.nth if beyond.nth < slot.nth + BURST else FOR_GOOD
    return plan.with_(slot, fault._replace(until=until))


def strikes(history: History) -> list[Struck]:
    """What struck in a run, a fault that lasts once: at its first crossing."""
    struck = history.of(Struck)
    for event in struck:
        if event.fault.of:
            break
    else:
        return struck
    begun: set[str] = set()
    found = []
    for event in struck:
        if event.fault.of not in begun:
            found.append(event)
        if event.fault.of:
            begun.add(event.fault.of)
    return found


def plan_of(history: History) -> FaultPlan:
    """The faults that struck in a run, as a plan."""
    parts: dict[Slot, Fault] = {}
    for event in strikes(history):
        if event.fault.of:
            parts.update(FaultPlan.parse(event.fault.of))
        else:
            parts[event.slot] = event.fault
    return FaultPlan(parts)
