"""The quality of the search: bugs that take several faults are found by exactly the smallest plan,
whatever the seed, and as early as they can be.

Law: the plans are asserted as text: a plan is a bug's identity, so it may not depend on luck. The
victims of the laws, each found by one fault, stand with the laws (`tests/invariants`).
"""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from agentfuzz import Completion, Invariant, Scenario, World, at_most_once, scenario, truthful
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget
from agentfuzz.search.phases.again import AT_THE_END, EVERY
from agentfuzz.search.space import Space
from invariants.loops.billing import BLOCKED, DONE, FAULTS, billing, retries
from invariants.support import judged_by
from search.support import hunt, shown

SEEDS = range(10)


def story(law: Invariant, dedup: Any = "none") -> Scenario:
    """Charging an order, under one law."""
    return judged_by(law, billing(dedup))


def gives_up_after(attempts: int) -> Callable[[World], Completion]:
    """Victim: after so many failures in a row, now a timeout and now an error, it claims success
    all the same. No burst of one kind brings it there."""

    def agent(world: World) -> Completion:
        for nth in range(attempts):
            try:
                reply = world.tools.charge(order_id="A17")
            except (TimeoutError, ConnectionError)[nth % 2]:
                continue
            except FAULTS:
                return BLOCKED
            return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
        return DONE

    return agent


def lost(count: int) -> str:
    """A plan in which the first calls are lost."""
    how = ("lost/timeout", "lost/error")
    return " + ".join(f"charge#{n + 1}:{how[n % 2]}" for n in range(count))


def test_a_bug_that_needs_two_faults_is_found_by_the_exhaustive_phase() -> None:
    with Simulation() as simulation:
        for seed in SEEDS:
            result = hunt(story(truthful(), "scope"), gives_up_after(2), simulation, seed=seed)
            assert shown(result) == [f"AF301 claim: {lost(2)}"]
            assert result.findings[0].phase == "plans with two faults"
            assert [c.broken for c in result.findings[0].controls] == [False, False]
            assert result.findings[0].shrink_runs <= 60


def test_a_bug_that_needs_three_faults_is_found_by_an_exhaustive_phase_of_depth_three() -> None:
    with Simulation() as simulation:
        result = hunt(story(truthful(), "scope"), gives_up_after(3), simulation, depth=3)
    assert shown(result) == [f"AF301 claim: {lost(3)}"]
    assert result.findings[0].phase == "plans with three faults"


@pytest.mark.slow
def test_a_bug_that_needs_three_faults_is_found_by_the_guided_phase() -> None:
    """Of 25 kinds of fault at each call, in the default number of runs, for every seed; and what
    is found is that plan and no other."""
    with Simulation() as simulation:
        for seed in SEEDS:
            deep_runs = Budget().deep_runs
            orders = story(truthful(), "scope")
            result = hunt(orders, gives_up_after(3), simulation, deep_runs=deep_runs, seed=seed)
            assert shown(result) == [f"AF301 claim: {lost(3)}"], f"seed {seed}"
            assert result.findings[0].phase == "random plans"


@pytest.mark.slow
def test_it_is_found_after_the_single_faults_alone() -> None:
    """For nearly every seed: nothing is known of any pair."""
    found = 0
    with Simulation() as simulation:
        for seed in SEEDS:
            orders = story(truthful(), "scope")
            result = hunt(orders, gives_up_after(3), simulation, depth=1, deep_runs=200, seed=seed)
            if result.findings:
                assert shown(result) == [f"AF301 claim: {lost(3)}"], f"seed {seed}"
                found += 1
    assert found >= 8


def test_a_shallow_finding_does_not_hide_a_deep_one() -> None:
    """A quarter of the guided runs is made although something was found before."""

    def both(world: World) -> Completion:
        with contextlib.suppress(FAULTS):
            world.tools.find(order_id="A17")
            return gives_up_after(3)(world)
        return retries(world)

    @scenario(truthful(), at_most_once("charge"), task="Charge order A17.", max_crossings=20)
    def orders(world: World) -> None:
        charged = world.state.setdefault("charged", [])

        @world.tool(effect="charge", scope=("order_id",))
        def charge(order_id: str, amount: int = 42) -> dict:
            charged.append(order_id)
            return {"charge_id": "ch_1"}

        @world.tool
        def find(order_id: str) -> dict:
            return {"charged": order_id in charged}

    with Simulation() as simulation:
        space = Space(only=("once/timeout", "lost/timeout", "lost/error"))
        result = hunt(orders, both, simulation, space=space, deep_runs=200)
    assert shown(result) == [
        "AF101 charge: charge#1:once/timeout",
        f"AF301 claim: {lost(3)}",
    ]
    assert [cx.phase for cx in result.findings] == ["plans with one fault", "random plans"]
    assert result.levels[-1].done == 200 // 4


def two_strange_answers(world: World) -> Completion:
    """Victim: charges five orders, goes on after every fault, and claims success after a
    particular fault at the second charge together with another at the fifth."""
    met = set()
    for number in range(1, 6):
        try:
            world.tools.charge(order_id=f"A{number}")
        except FAULTS as error:
            met.add((number, type(error).__name__))
    return DONE if {(2, "TimeoutError"), (5, "ConnectionError")} <= met else BLOCKED


def test_the_covering_array_finds_an_unmasked_pair_before_the_pairs_are_walked() -> None:
    law = truthful(postcondition=lambda history: False)
    pair = "AF301 claim: charge#2:once/timeout + charge#5:once/error"
    space = Space(exclude=("truncated", "malformed", "hostile", "rate_limited", "wrong"))
    with Simulation() as simulation:
        orders = story(law, "scope")
        walked = hunt(orders, two_strange_answers, simulation, space=space)
        assert shown(walked) == [pair]
        levels = {level.name: level for level in walked.levels}
        array = levels["plans of a covering array of pairs"].done
        singles, pairs = levels["plans with one fault"].total, levels["plans with two faults"].total
        kinds = len(space.at("write"))
        assert singles == 5 * (kinds + len(space.wordings_at("write")))
        assert pairs == 10 * kinds * kinds
        assert array <= pairs / 5

        again = singles // EVERY + AT_THE_END
        before_the_pairs = 2 + 1 + singles + again + array
        early = hunt(
            orders, two_strange_answers, simulation, space=space, max_runs=before_the_pairs
        )
        assert shown(early) == [pair]
        assert early.findings[0].phase == "covering array"
        assert early.findings[0].faults_before > 2
        assert "plans with two faults" not in {level.name for level in early.levels if level.done}
