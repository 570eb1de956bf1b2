"""Shrinking: from a plan that fails to the smallest plan that fails in the same way.

Law: fewest faults first, then the simplest kinds, then the plainest values, then the earliest
slots; a smaller plan counts only if the same law breaks on the same subject, and only faults
that really strike remain. Called by the campaign for what the covering array and Hypothesis
find; what the systematic phase finds is minimal by construction.
"""

from collections.abc import Callable, Iterator

from agentfuzz.faults import TABLES, Fault, FaultPlan, rank

MAX_RUNS = 500


def shrink(plan: FaultPlan, fails: Callable[[FaultPlan], bool]) -> tuple[FaultPlan, int]:
    """The smallest failing plan reached, and the number of runs it took (at most 500).

    `fails` runs a plan and says whether it fails in the same way, every fault of it striking.
    """
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
            or accepted(_simpler(plan))
            or accepted(_plainer(plan))
            or accepted(_earlier(plan))
        )
    return plan, runs


def _fewer(plan: FaultPlan) -> Iterator[FaultPlan]:
    slots = [slot for slot, _ in plan]
    if len(slots) > 3:  # the last half is often ballast
        half = FaultPlan((slot, fault) for slot, fault in plan if slot in slots[: len(slots) // 2])
        yield half
    for slot in reversed(slots):
        if len(slots) > 1:
            yield plan.without(slot)


def _simpler(plan: FaultPlan) -> Iterator[FaultPlan]:
    for slot, fault in plan:
        table = TABLES[slot.boundary]
        for simpler in table.default():
            if rank(table, simpler.axes) >= rank(table, fault.axes):
                break
            yield plan.with_(slot, simpler)
            kept = _valued_as(fault, simpler)
            if kept != simpler:
                yield plan.with_(slot, kept)


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
