"""The space of a campaign: which faults may strike at which crossings.

Law: a crossing is asked about by its group; what is tried there is said by its boundary, and
chosen by the words of the user; what costs money is tried before what is only words. Used by every
phase of the search.
"""

from collections.abc import Iterable

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.boundaries.boundary import WORDS
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import TABLES, Fault, rank
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.selection import select
from agentfuzz.world.injector import Crossing


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
        words = {"faults": faults, "only": only, "exclude": tuple(exclude)}
        self._groups: dict[str, tuple[Fault, ...]] = {}
        self._order: dict[str, tuple[tuple[Fault, ...], ...]] = {}
        self._wordings: dict[str, tuple[Fault, ...]] = {}
        self.process = False
        for boundary in BOUNDARIES.values():
            chosen = select(boundary.table, **words)
            self.process = self.process or (boundary.of_process and bool(chosen))
            for group, tried in boundary.groups.items():
                found = self._groups[group] = tuple(one for fault in chosen for one in tried(fault))
                self._wordings[group] = tuple(
                    other for one in found for other in boundary.wordings(one)
                )
                self._order[group] = tuple(
                    tuple(one for one in found if boundary.order(group, one) == place)
                    for place in range(WORDS + 1)
                )
        self.wordings = frozenset(other for found in self._wordings.values() for other in found)

    def at(self, group: str) -> tuple[Fault, ...]:
        """The faults of one group of crossings."""
        return self._groups[group]

    def in_order(self, group: str) -> tuple[tuple[Fault, ...], ...]:
        """The same, by how early they are tried."""
        return self._order[group]

    def wordings_at(self, group: str) -> tuple[Fault, ...]:
        """Those of one group in their further wordings, which are tried alone."""
        return self._wordings[group]


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
            return f"{slot}:{fault} cannot happen to this tool (transport=, effect=)", True
        if not any(fault.axes == one.axes for one in space.at(group)):
            return f"this test does not try {slot}:{fault} (only=, exclude=, faults=)", False
    return "", False


def size(plan: FaultPlan) -> tuple[object, ...]:
    """The order of plans: fewest faults, first wordings, the simplest kinds, the earliest slots."""
    ranks = sorted(
        (rank(TABLES[slot.boundary], fault.axes), fault.latency or 0.0, fault.variant)
        for slot, fault in plan
    )
    worded = sum(fault.variant > 0 for _, fault in plan)
    return (len(plan), worded, ranks, [(slot.nth, slot) for slot, _ in plan])


def plan_of(history: History) -> FaultPlan:
    """The faults that struck in a run, as a plan."""
    return FaultPlan((event.slot, event.fault) for event in history.of(Struck))
