"""Shrinking: the result still fails, no part of it can go, and it is the same from everywhere."""

from collections.abc import Callable
from random import Random

import pytest

from agentfuzz.core.faults import TABLES, Fault, Slot, rank
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.found.shrink import MAX_RUNS, shrink
from agentfuzz.search.space import size

TOOL = TABLES["tool"]

Fails = Callable[[FaultPlan], bool]
ALL = TOOL.default()


def axes(plan: FaultPlan, name: str, nth: int) -> tuple[str, ...]:
    fault = plan.get(Slot("tool", name, nth))
    return fault.axes if fault else ("once", "intact")


def two_timeouts(plan: FaultPlan) -> bool:
    return axes(plan, "act", 1)[1] == axes(plan, "act", 2)[1] == "timeout"


def one_lost(plan: FaultPlan) -> bool:
    return axes(plan, "act", 3)[0] == "lost"


def late_enough(plan: FaultPlan) -> bool:
    fault = plan.get(Slot("tool", "act", 2))
    return fault is not None and fault.axes[0] == "late" and (fault.latency or 45) >= 30


def worded(plan: FaultPlan) -> bool:
    fault = plan.get(Slot("tool", "act", 4))
    return fault is not None and fault.axes[1] == "hostile" and fault.variant >= 2


def any_twice(plan: FaultPlan) -> bool:
    return any(fault.axes[0] == "twice" for _, fault in plan)


def three_of_a_kind(plan: FaultPlan) -> bool:
    return all(axes(plan, "act", nth)[0] in ("lost", "late") for nth in (1, 2, 3))


BUGS: dict[str, tuple[Fails, str]] = {
    "two timeouts": (two_timeouts, "act#1:once/timeout + act#2:once/timeout"),
    "one lost": (one_lost, "act#3:lost/timeout"),
    "late enough": (late_enough, "act#2:late/timeout"),
    "a wording": (worded, "act#4:once/hostile=2"),
    "anywhere": (any_twice, "act#1:twice"),
    "three": (three_of_a_kind, "act#1:lost/timeout + act#2:lost/timeout + act#3:lost/timeout"),
}


def some_plan(rnd: Random, fails: Fails) -> FaultPlan:
    """A large plan that fails, drawn until there is one."""
    while True:
        plan = FaultPlan()
        for nth in range(1, 7):
            if rnd.random() < 0.8:
                fault = rnd.choice(ALL)
                late = fault.axes[0] == "late"
                latency = float(rnd.randint(1, 120)) if late and rnd.random() < 0.5 else None
                variant = rnd.randrange(4) if fault.axes[1] == "hostile" else 0
                fault = Fault(fault.axes, variant, latency)
                plan = plan.with_(Slot("tool", "act", nth), fault)
        if fails(plan):
            return plan


@pytest.mark.parametrize("name", BUGS)
def test_the_result_fails_is_minimal_and_canonical(name: str) -> None:
    fails, smallest = BUGS[name]
    rnd = Random(20260101)
    for _ in range(40):
        plan = some_plan(rnd, fails)
        small, runs = shrink(plan, fails)
        assert str(small) == smallest, f"from {plan}"
        assert fails(small)
        assert not any(fails(small.without(slot)) for slot, _ in small)
        assert size(small) <= size(plan)
        assert runs <= MAX_RUNS


def test_no_simpler_kind_fails_at_any_slot_of_the_result() -> None:
    rnd = Random(1)
    for fails, _ in BUGS.values():
        small, _ = shrink(some_plan(rnd, fails), fails)
        for slot, fault in small:
            table = TABLES[slot.boundary]
            simpler = [f for f in table.default() if rank(table, f.axes) < rank(table, fault.axes)]
            assert not any(fails(small.with_(slot, one)) for one in simpler)


def test_the_number_of_runs_is_what_was_run_and_bounded() -> None:
    runs = 0

    def fails(plan: FaultPlan) -> bool:
        nonlocal runs
        runs += 1
        return len(plan) == 40  # nothing can go, and everything is tried

    start = FaultPlan((Slot("tool", "act", nth), ALL[-1]) for nth in range(1, 41))
    small, said = shrink(start, fails)
    assert said == runs == MAX_RUNS
    assert len(small) == 40


def test_a_plan_with_one_fault_is_never_shrunk_to_none() -> None:
    small, _ = shrink(FaultPlan.parse("act#2:twice/hostile=3"), lambda plan: True)
    assert str(small) == "act#1:once/timeout"


def test_a_variant_stays_with_its_kind() -> None:
    """A kind of the model has its own variants: a simpler one is tried in its first."""
    start, tried = FaultPlan.parse("model#1:malformed_args=2"), list[FaultPlan]()

    def fails(plan: FaultPlan) -> bool:
        tried.append(plan)
        return plan == start

    assert shrink(start, fails)[0] == start
    assert {fault.axes[0] for plan in tried for _, fault in plan} > {"drift", "repeat"}
    assert {f.axes[0] for plan in tried for _, f in plan if f.variant} == {"malformed_args"}


def test_an_ending_shrinks_to_the_plainest_that_fails() -> None:
    """A stream that breaks is simpler where it ends cleanly, and another kind simpler than both."""
    broken = FaultPlan.parse("model#2:cut/silence")

    def cut(plan: FaultPlan) -> bool:
        return any(fault.axes[0] == "cut" for _, fault in plan)

    def raises(plan: FaultPlan) -> bool:
        return any(fault.axes[1] not in ("closed", "reset") for _, fault in plan)

    assert str(shrink(broken, cut)[0]) == "model#1:cut"
    assert str(shrink(broken, raises)[0]) == "model#1:cut/error_event"
