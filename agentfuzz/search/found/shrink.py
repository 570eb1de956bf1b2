"""Shrinking: from a plan that fails to the smallest plan that fails in the same way.

Law: fewest faults first, then the simplest kinds, then the plainest values, then the earliest
slots; a smaller plan counts only if the same law breaks on the same subject, and only faults
that really strike remain. Called by the campaign for what the covering array and the
guided phase find; what the systematic phase finds is minimal by construction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.faults import FOR_GOOD, TABLES, Fault, Slot, covers, rank
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.space import size
from agentfuzz.world.lasting import DOWN, EVERYTHING

MAX_RUNS = 500
LONGEST = 12  # crossings in a row; what takes more goes on for good
# How one thing may be down, of those faults that are tried at it.
_DOWN = {name: (down.axes, ("once", "error")) for name, down in DOWN.items()}
Known = Mapping[Slot, Sequence[Fault]]


def shrink(
    plan: FaultPlan,
    fails: Callable[[FaultPlan], bool],
    known: Known | None = None,
    late: Callable[[], bool] = bool,
) -> tuple[FaultPlan, int]:
    """The smallest failing plan reached, and the number of runs it took (at most 500).

    `fails` runs a plan and says whether it fails in the same way, every fault of it striking.
    `known` are the slots of a campaign and what may strike at each; at one that it does not name,
    whatever the table tries by default. It ends where it is when it is `late`.
    """
    known = known or {}
    runs = 0

    def accepted(candidates: Iterator[FaultPlan]) -> FaultPlan | None:
        nonlocal runs
        for candidate in candidates:
            if runs >= MAX_RUNS or late():
                return None
            if _overlaps(candidate):
                continue
            runs += 1
            if fails(candidate):
                return candidate
        return None

    better: FaultPlan | None = plan
    while better is not None:
        plan = better
        better = (
            accepted(_fewer(plan))
            or accepted(_joined(plan))
            or accepted(_shorter(plan, known))
            or accepted(_simpler(plan, known))
            or accepted(_plainer(plan))
            or accepted(_earlier(plan))
            or accepted(_elsewhere(plan, known))
            or accepted(_fewer_elsewhere(plan, known))
        )
    return plan, runs


def _overlaps(plan: FaultPlan) -> bool:
    """Whether a fault lies within one that lasts: the text of such a plan is not read."""
    return any(
        fault.until and slot != first and covers(first, fault, slot)
        for first, fault in plan.lasting
        for slot in plan.by_slot
    )


def _fewer(plan: FaultPlan) -> Iterator[FaultPlan]:
    slots = [slot for slot, _ in plan]
    if len(slots) > 3:  # the last half is often ballast
        first = slots[: len(slots) // 2]
        yield FaultPlan(((slot, fault) for slot, fault in plan if slot in first), plan.given)
    for slot in reversed(slots):
        if len(slots) > 1:
            less = plan.without(slot)
            yield less
            # Without this fault what came after it may have come earlier.
            moved = FaultPlan((_moved_up(other, fault, slot) for other, fault in less), plan.given)
            if moved != less:
                yield moved


def _shorter(plan: FaultPlan, known: Known) -> Iterator[FaultPlan]:
    """A fault that lasts, for one crossing only, then for two and more; everything that is down,
    as one thing that is."""
    for slot, fault in plan.lasting:
        if fault.until:
            yield plan.with_(slot, fault._replace(until=0))
        most = slot.nth + LONGEST if fault.until == FOR_GOOD else fault.until
        for until in range(slot.nth + 1, most):
            yield plan.with_(slot, fault._replace(until=until))
        if slot.boundary == EVERYTHING:
            yield from _of_one(plan, slot, fault, known)


def _of_one(plan: FaultPlan, slot: Slot, fault: Fault, known: Known) -> Iterator[FaultPlan]:
    """One thing that is down for as long, in place of everything."""
    rest, length = plan.without(slot), fault.until - slot.nth
    for other, possible in known.items():
        if other.boundary not in DOWN or other in plan.by_slot:
            continue
        tried = {one.axes for one in possible}
        down = next((axes for axes in _DOWN[other.boundary] if axes in tried), None)
        if down is not None:
            until = FOR_GOOD if fault.until == FOR_GOOD else fault.until and other.nth + length
            smaller = rest.with_(other, Fault(down, until=until))
            if size(smaller) < size(plan):
                yield smaller


def _joined(plan: FaultPlan) -> Iterator[FaultPlan]:
    """Equal faults at crossings one after the other, however long each lasts, as one."""
    for slot, fault in plan:
        once = fault._replace(until=0)
        if fault.variant or not BOUNDARIES[slot.boundary].lasts(once):
            continue
        until, rest = fault.until or slot.nth, plan
        while until != FOR_GOOD:
            after = slot._replace(nth=until + 1)
            other = plan.get(after)
            if other is None or other._replace(until=0) != once:
                break
            until, rest = other.until or after.nth, rest.without(after)
        if rest is not plan:
            yield rest.with_(slot, fault._replace(until=until))


def _moved_up(slot: Slot, fault: Fault, gone: Slot) -> tuple[Slot, Fault]:
    if slot.name != gone.name or slot.nth <= gone.nth:
        return slot, fault
    until = fault.until - 1 if fault.until > 0 else fault.until
    return slot._replace(nth=slot.nth - 1), fault._replace(until=until)


def _simpler(plan: FaultPlan, known: Known) -> Iterator[FaultPlan]:
    for slot, fault in plan:
        for simpler in _below(slot, fault, known):
            if not fault.until:
                yield plan.with_(slot, simpler)
            kept = _valued_as(slot.boundary, fault, simpler)
            if kept != simpler:
                yield plan.with_(slot, kept)


def _below(slot: Slot, fault: Fault, known: Known) -> list[Fault]:
    """The simpler kinds that may strike at a slot, simplest first."""
    table = TABLES[slot.boundary]
    own = rank(table, fault.axes)
    possible = known.get(slot)
    if possible is None:
        possible = table.default()
    ranked = {rank(table, one.axes): Fault(one.axes) for one in possible}
    return [ranked[place] for place in sorted(ranked) if place < own]


def _elsewhere(plan: FaultPlan, known: Known) -> Iterator[FaultPlan]:
    """What happens to the process just after one crossing happens just before the next as well:
    the same plan with such a fault at another slot, where that is a smaller one."""
    for slot, fault in plan:
        moved = _moved(plan, slot, fault, known)
        yield from sorted((one for one in moved if size(one) < size(plan)), key=size)


def _fewer_elsewhere(plan: FaultPlan, known: Known) -> Iterator[FaultPlan]:
    """The same, anywhere, with another fault left out: at the end of a run it may take as many of
    them as there are calls, in the midst of it one."""
    if len(plan) > 2:
        for slot, fault in plan:
            for moved in sorted(_moved(plan, slot, fault, known), key=size):
                yield from (moved.without(other) for other, _ in plan if other != slot)


def _moved(plan: FaultPlan, slot: Slot, fault: Fault, known: Known) -> Iterator[FaultPlan]:
    """The same thing happening to the process at each other slot; nothing for another fault."""
    taken = {other for other, _ in plan}
    if BOUNDARIES[slot.boundary].of_process:
        for other, possible in known.items():
            if BOUNDARIES[other.boundary].of_process and other not in taken:
                for same in possible:
                    if same.axes[0] == fault.axes[0]:
                        yield plan.without(slot).with_(other, same)


def _valued_as(boundary: str, fault: Fault, simpler: Fault) -> Fault:
    """The simpler kind with the wording and latency of a fault, where both have one."""
    says = 0 if TABLES[boundary].led else -1  # the axis that has the wordings
    variant = fault.variant if simpler.axes[says] == fault.axes[says] else 0
    latency = fault.latency if simpler.axes[0] == fault.axes[0] else None
    return Fault(simpler.axes, variant, latency, fault.until)


def _plainer(plan: FaultPlan) -> Iterator[FaultPlan]:
    for slot, fault in plan:
        if fault.latency is not None:
            yield plan.with_(slot, fault._replace(latency=None))
        for variant in range(fault.variant):
            yield plan.with_(slot, fault._replace(variant=variant))


def _earlier(plan: FaultPlan) -> Iterator[FaultPlan]:
    taken = {slot for slot, _ in plan}
    for slot, fault in plan:
        for nth in range(1, slot.nth):
            earlier = slot._replace(nth=nth)
            if earlier not in taken:
                until = max(fault.until - slot.nth + nth, fault.until and FOR_GOOD)
                yield plan.without(slot).with_(earlier, fault._replace(until=until))
