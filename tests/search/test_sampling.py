"""Consistency: the same scenario n times with other faults, mean success and success^n."""

import contextlib
import random

import pytest

import agentfuzz
from agentfuzz import Completion, ScenarioError, World, at_most_once, run, scenario, truthful

DONE, BLOCKED = Completion.success(handle="ch_1"), Completion.blocked()


@scenario(at_most_once("charge"), truthful(), task="Charge.")
def billing(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge(order_id: str, idempotency_key: str | None = None) -> dict:
        return {"charge_id": "ch_1"}


def flaky(world: World) -> Completion:
    """Victim: a new key for each of three attempts, and success whatever happened."""
    for attempt in range(3):
        with contextlib.suppress(Exception):
            world.tools.charge(order_id="A17", idempotency_key=f"key-{attempt}")
            break
    return DONE


def steady(world: World) -> Completion:
    """One key, and only what it knows."""
    for _ in range(3):
        with contextlib.suppress(Exception):
            reply = world.tools.charge(order_id="A17", idempotency_key="key")
            return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
    return BLOCKED


def gambles(world: World) -> Completion:
    """Victim: in trouble it tosses a coin whether it went well."""
    for _ in range(3):
        with contextlib.suppress(Exception):
            reply = world.tools.charge(order_id="A17", idempotency_key="key")
            return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
        if random.random() < 0.5:
            return DONE
    return BLOCKED


def idle(world: World) -> Completion:
    return BLOCKED


def test_a_flaky_agent_is_measured_and_its_plans_replay() -> None:
    found = agentfuzz.repeat(billing, flaky, seed=8, rate=0.6, only=("once", "lost"))
    assert (found.of, found.passed, found.status) == (8, 5, "VIOLATED")
    assert found.mean == 5 / 8
    assert found.power == (5 / 8) ** 8
    always = {"at_most_once", "replay_transparency"}
    assert set(found.broken) == {"at_most_once('charge')", "truthful", *always}
    for law, plans in found.broken.items():
        for plan in plans:
            again = run(billing, flaky, plan)
            assert law in {verdict.law for verdict in again.verdicts if verdict.violations}
    assert str(found).startswith("5 of 8 runs passed: mean 62.5%, all 8 in a row 2.3%; ")


def test_an_agent_that_is_good_in_most_runs_is_not_consistent() -> None:
    """One run says that all is well, also under a fault; eight say how often that is so."""
    assert run(billing, gambles).violations == ()
    assert run(billing, gambles, "charge#1:once/timeout").violations == ()
    found = agentfuzz.repeat(billing, gambles, runs=8, rate=0.3, only=("lost",))
    assert found.status == "VIOLATED"
    assert set(found.broken) >= {"truthful"}
    assert found.power < 0.5 < found.mean < 1.0
    honest = agentfuzz.repeat(billing, steady, runs=8, rate=0.8, only=("lost",))
    assert (honest.status, honest.passed) == ("HELD", 8)


def test_a_steady_agent_passes_every_run() -> None:
    found = agentfuzz.repeat(billing, steady, runs=40, rate=0.6)
    assert (found.of, found.passed, found.status) == (40, 40, "HELD")
    assert (found.mean, found.power, found.broken) == (1.0, 1.0, {})
    assert str(found) == "40 of 40 runs passed: mean 100.0%, all 40 in a row 100.0%"
    assert len(set(found.plans)) > 20, "the runs differ"


def test_where_no_fault_is_possible_nothing_was_exercised() -> None:
    found = agentfuzz.repeat(billing, idle)
    assert (found.of, found.passed, found.status) == (8, 8, "NOT_EXERCISED")
    assert str(found).endswith("; no fault struck: nothing was tested")
    assert agentfuzz.repeat(billing, steady, rate=0.0).status == "NOT_EXERCISED"


def test_the_seed_says_everything() -> None:
    assert agentfuzz.repeat(billing, flaky, seed=7) == agentfuzz.repeat(billing, flaky, seed=7)
    assert agentfuzz.repeat(billing, flaky, seed=7) != agentfuzz.repeat(billing, flaky, seed=70)


def test_faults_are_chosen_as_in_a_campaign() -> None:
    found = agentfuzz.repeat(billing, flaky, runs=20, rate=0.9, only=("twice",))
    kinds = {fault.axes[0] for plan in found.plans for _, fault in plan}
    assert kinds == {"twice"}


@pytest.mark.parametrize("wrong", [{"runs": 0}, {"rate": 1.5}, {"rate": -0.1}])
def test_a_wrong_number_is_an_error(wrong: dict) -> None:
    with pytest.raises(ScenarioError, match=r"give at least 1 run and a rate from 0 to 1"):
        agentfuzz.repeat(billing, steady, **wrong)
