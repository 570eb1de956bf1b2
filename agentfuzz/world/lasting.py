"""Faults that last: what strikes at a crossing, of a plan whose faults strike at several.

Law: a fault that lasts is one fault: each of its strikes says of which part of the plan it is
(`Fault.of`), so that a plan can be read from a history. Asked by the injectors.

`*#5+:error` is everything being down: from the fifth crossing on, counted over tools and model,
whatever it is, every one fails as its kind does.
"""

from collections.abc import Callable

from agentfuzz.core.faults import FOR_GOOD, Fault, Slot, covers, part
from agentfuzz.core.plan import FaultPlan

EVERYTHING = "all"  # the boundary of all these together
DOWN = {
    "tool": Fault(("lost", "error")),
    "local": Fault(("raises", "before")),
    "model": Fault(("error", "closed")),
}


class Lasting:
    """The faults of one run that strike at more than one crossing."""

    def __init__(self) -> None:
        self._parts: list[tuple[Slot, Fault, Fault]] = []
        self._down: list[tuple[int, int, str]] = []  # from, until, which part of the plan
        self._met = 0  # crossings of tools and model

    def begin(self, slot: Slot, fault: Fault) -> Fault | None:
        """A fault of the plan that lasts; how it strikes at its own slot."""
        of = part(slot, fault)
        if slot.boundary == EVERYTHING:
            self._down.append((slot.nth, fault.until or slot.nth, of))
            return None
        strike = fault._replace(until=0, of=of)
        self._parts.append((slot, fault, strike))
        return strike

    def at(self, slot: Slot) -> Fault | None:
        """What strikes here of those that have begun, or None."""
        self._met += slot.boundary in DOWN
        for first, fault, strike in self._parts:
            if covers(first, fault, slot):
                return strike
        if slot.boundary in DOWN:
            for begun, until, of in self._down:
                if begun <= self._met and (self._met <= until or until == FOR_GOOD):
                    return DOWN[slot.boundary]._replace(of=of)
        return None


def lookup(plan: FaultPlan) -> Callable[[Slot], Fault | None]:
    """What strikes at each crossing of a run under a plan, asked in their order."""
    faults = plan.by_slot
    for slot, fault in faults.items():
        if fault[3] or slot[0] == EVERYTHING:
            break
    else:  # nearly always: each strikes once
        return faults.get
    lasting, others = Lasting(), dict(faults)
    for slot, fault in plan.lasting:
        lasting.begin(slot, fault)
        del others[slot]

    def strikes(slot: Slot) -> Fault | None:
        found = lasting.at(slot)
        return others.get(slot, found)

    return strikes
