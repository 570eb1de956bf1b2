"""Shrinking: from a plan that fails to the smallest plan that fails in the same way.

Law: fewest faults first, then the simplest kinds, then the plainest values, then the earliest
slots; a smaller plan counts only if the same law breaks on the same subject, and only faults
that really strike remain. Called by the campaign for what the covering array and the
guided phase find; what the systematic phase finds is minimal by construction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.faults import TABLES, Fault, Slot, rank
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.space import size

MAX_RUNS = 500
Known = Mapping[Slot, Sequence[Fault]]


def shrink(
    plan: FaultPlan, fails: Callable[[FaultPlan], bool], known: Known | None = None
) -> tuple[FaultPlan, int]:
    """The smallest failing plan reached, and the number of runs it took (at most 500).

    `fails` runs a plan and says whether it fails in the same way, every fault of it striking.
    `known` are the slots of a campaign and what may strike at each; at one that it does not name,
    whatever the table tries by default.
    """
    known = known or {}
    runs = 0

    def accepted(candidates: Iterator[FaultPlan]) -> FaultPlan | None:
        nonlocal runs
        for candidate in candidates:
            if runs >= MAX_RUNS:
                return None
            runs += 1
            if fails(candidate):
                return candidate
        return None

    better: FaultPlan | None = plan
    while better is not None:
        plan = better
        better = (
            accepted(_fewer(plan))
            or accepted(_simpler(plan, known))
            or accepted(_plainer(plan))
            or accepted(_earlier(plan))
            or accepted(_elsewhere(plan, known))
            or accepted(_fewer_elsewhere(plan, known))
        )
    return plan, runs


def _fewer(plan: FaultPlan) -> Iterator[FaultPlan]:
    slots = [slot for slot, _ in plan]
    if len(slots) > 3:  # the last half is often ballast
        half = FaultPlan((slot, fault) for slot, fault in plan if slot in slots[: len(slots) // 2])
        yield half
    for slot in reversed(slots):
        if len(slots) > 1:
            less = plan.without(slot)
            yield less
            # Without this fault what came after it may have come earlier.
            moved = FaultPlan((_moved_up(other, slot), fault) for other, fault in less)
            if moved != less:
                yield moved


def _moved_up(slot: Slot, gone: Slot) -> Slot:
    same = slot.name == gone.name and slot.nth > gone.nth
    return slot._replace(nth=slot.nth - 1) if same else slot


def _simpler(plan: FaultPlan, known: Known) -> Iterator[FaultPlan]:
    for slot, fault in plan:
        for simpler in _below(slot, fault, known):
            yield plan.with_(slot, simpler)
            kept = _valued_as(fault, simpler)
            if kept != simpler:
                yield plan.with_(slot, kept)


def _below(slot: Slot, fault: Fault, known: Known) -> list[Fault]:
    """The simpler kinds that may strike at a slot, simplest first."""
    table = TABLES[slot.boundary]
    own = rank(table, fault.axes)
    possible = known.get(slot) or table.default()
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


def _valued_as(fault: Fault, simpler: Fault) -> Fault:
    """The simpler kind with the wording and latency of a fault, where both have one."""
    variant = fault.variant if simpler.axes[-1] == fault.axes[-1] else 0
    latency = fault.latency if simpler.axes[0] == fault.axes[0] else None
    return Fault(simpler.axes, variant, latency)


def _plainer(plan: FaultPlan) -> Iterator[FaultPlan]:
    for slot, fault in plan:
        if fault.latency is not None:
            yield plan.with_(slot, Fault(fault.axes, fault.variant))
        for variant in range(fault.variant):
            yield plan.with_(slot, Fault(fault.axes, variant, fault.latency))


def _earlier(plan: FaultPlan) -> Iterator[FaultPlan]:
    taken = {slot for slot, _ in plan}
    for slot, fault in plan:
        for nth in range(1, slot.nth):
            earlier = slot._replace(nth=nth)
            if earlier not in taken:
                yield plan.without(slot).with_(earlier, fault)
