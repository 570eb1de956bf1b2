"""The quality of the search: for every law a victim that is found by exactly the smallest plan,
whatever the seed, and a survivor that is clean under the same campaign.

The plans are asserted as text: a plan is a bug's identity, so it may not depend on luck.
"""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agentfuzz import (
    Completion,
    Invariant,
    Scenario,
    ToolError,
    World,
    at_most_once,
    bounded,
    exactly_once,
    no_blind_repeat,
    no_effect_after_completion,
    no_lost_intent,
    no_stuck_repeats,
    one_intent_per_key,
    replay_transparency,
    same_key_on_retry,
    scenario,
    structured_termination,
    survives,
    truthful,
    valid_calls,
)
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget
from agentfuzz.search.space import Space
from search.support import hunt, shown

SEEDS = range(20)
LOST = (TimeoutError, ConnectionError)  # a reply that did not come: the effect is in doubt
FAULTS = (*LOST, ToolError)  # and a refusal


def story(law: Invariant, dedup: Any = "none", budget: int = 20) -> Scenario:
    """Two tools, one law: charging an order, and looking up whether it is charged."""

    @scenario(law, task="Charge order A17.", max_crossings=budget)
    def billing(world: World) -> None:
        charged = world.state.setdefault("charged", [])

        @world.tool(effect="charge", scope=("order_id",), dedup=dedup)
        def charge(order_id: str, amount: int = 42) -> dict:
            charged.append(order_id)
            return {"charge_id": "ch_1"}

        @world.tool
        def find(order_id: str) -> dict:
            return {"charged": order_id in charged}

    return billing


DONE, BLOCKED = Completion.success(handle="ch_1"), Completion.blocked()


def honest(world: World) -> Completion:
    """Calls once, and says what it knows."""
    try:
        reply = world.tools.charge(order_id="A17")
    except FAULTS:
        return BLOCKED
    return DONE if reply == {"charge_id": "ch_1"} else BLOCKED


def with_key(world: World) -> Completion:
    """Tries twice with one key, minted before the first attempt."""
    for _ in range(2):
        try:
            reply = world.tools.charge(order_id="A17", idempotency_key="charge-A17")
        except FAULTS:
            continue
        return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
    return BLOCKED


def looks_first(world: World) -> Completion:
    """Looks up what happened before it tries again, and does not believe half an answer."""
    for _ in range(2):
        try:
            reply = world.tools.charge(order_id="A17")
        except LOST:
            try:
                found = world.tools.find(order_id="A17")
            except FAULTS:
                return BLOCKED
            if found != {"charged": False}:
                return DONE if found == {"charged": True} else BLOCKED
        except ToolError:
            return BLOCKED
        else:
            return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
    return BLOCKED


def retries(world: World) -> Completion:
    """Victim: calls again after a timeout, as if nothing had happened."""
    try:
        world.tools.charge(order_id="A17")
    except TimeoutError:
        return retries(world)
    except FAULTS:
        return BLOCKED
    return DONE


def swallows(world: World) -> Completion:
    """Victim: whatever happens, all is well."""
    with contextlib.suppress(FAULTS):
        world.tools.charge(order_id="A17")
    return DONE


def fresh_key(world: World) -> Completion:
    """Victim: a key an attempt."""
    for attempt in range(2):
        try:
            world.tools.charge(order_id="A17", idempotency_key=f"attempt-{attempt}")
        except FAULTS:
            continue
        return DONE
    return BLOCKED


def numbered_keys(world: World) -> Completion:
    """Victim: counts its keys by orders and by attempts, so that two meet."""
    for number, order in enumerate(("A17", "B18")):
        for attempt in range(2):
            try:
                world.tools.charge(order_id=order, idempotency_key=f"key-{number + attempt}")
                break
            except LOST:
                continue
            except ToolError:
                break
    return BLOCKED


def scoped_keys(world: World) -> Completion:
    """Keys that say which order they belong to."""
    for order in ("A17", "B18"):
        for _ in range(2):
            try:
                world.tools.charge(order_id=order, idempotency_key=f"key-{order}")
                break
            except FAULTS:
                continue
    return BLOCKED


def prose(world: World) -> Completion | str:
    """Victim: ends in words when something went wrong."""
    try:
        world.tools.find(order_id="A17")
    except FAULTS:
        return "Sorry, I could not find that out."
    return DONE


def done_then_more(world: World) -> None:
    """Victim: says that it is done, then tidies up."""
    try:
        world.tools.charge(order_id="A17")
    except TimeoutError:
        world.tools.done(status="blocked", reason="outcome_unknown")
        world.tools.charge(order_id="A17")
        return
    except FAULTS:
        pass
    world.tools.done(status="blocked", reason="other")


def done_last(world: World) -> None:
    """Says that it is done when it is."""
    with contextlib.suppress(FAULTS):
        world.tools.charge(order_id="A17")
    world.tools.done(status="blocked", reason="other")


def waits(limit: int) -> Callable[[World], Completion]:
    """Looks until the charge is there; `limit` 0: for ever, which makes it a victim."""

    def agent(world: World) -> Completion:
        with contextlib.suppress(FAULTS):
            world.tools.charge(order_id="A17")
        looks = 0
        while not limit or looks < limit:
            looks += 1
            try:
                if world.tools.find(order_id="A17") == {"charged": True}:
                    return DONE
            except FAULTS:
                pass
        return BLOCKED

    return agent


def after_a_timeout(refused: Callable[[World], Any], otherwise: Completion) -> Any:
    """After a timeout, makes a call that the backend refuses, and swallows the refusal. A victim
    if it claims success then, a survivor if it does not."""

    def agent(world: World) -> Completion:
        try:
            world.tools.charge(order_id="A17")
        except TimeoutError:
            try:
                refused(world)
            except ToolError:
                return otherwise
        except FAULTS:
            return BLOCKED
        return DONE

    return agent


def nonsense(world: World) -> Any:
    return world.tools.charge(order_id="A17", amount="42.00 EUR")


def invented(world: World) -> Any:
    return world.call("refund", {"order_id": "A17"})


def one_key_too_few(otherwise: Completion) -> Any:
    """After a timeout, goes on to the next order and forgets to mint another key."""

    def agent(world: World) -> Completion:
        key, answer = "key-1", DONE
        try:
            world.tools.charge(order_id="A17", idempotency_key=key)
            key = "key-2"
        except TimeoutError:
            answer = otherwise
        except FAULTS:
            return BLOCKED
        try:
            world.tools.charge(order_id="B18", idempotency_key=key)
        except LOST:
            return BLOCKED
        except ToolError:
            return otherwise
        return answer

    return agent


def exits(world: World) -> Completion:
    """Victim: a timeout ends the whole process."""
    try:
        world.tools.charge(order_id="A17")
    except TimeoutError:
        sys.exit(3)
    except FAULTS:
        pass
    return BLOCKED


class Case(NamedTuple):
    """A law, the loop that breaks it, what is found and nothing else, and the loop that holds."""

    law: Invariant
    victim: Callable[[World], Any]
    found: tuple[str, ...]
    survivor: Callable[[World], Any]
    dedup: str = "none"
    survivor_dedup: str | None = None
    faults: tuple[str, ...] = ()
    budget: int = 20


ONCE, LOST_TIMEOUT = "charge#1:once/timeout", "charge#1:lost/timeout"
TWICE = "AF102 charge: charge#1:twice"
CASES = {
    "at_most_once": Case(
        at_most_once("charge"),
        retries,
        (f"AF101 charge: {ONCE}", TWICE),
        with_key,
        survivor_dedup="key",
    ),
    "at_most_once, without a key": Case(at_most_once(), honest, (TWICE,), honest, "none", "scope"),
    "exactly_once": Case(
        exactly_once("charge"), swallows, (f"AF103 charge: {LOST_TIMEOUT}",), honest, "scope"
    ),
    "no_lost_intent": Case(
        no_lost_intent("charge"), swallows, (f"AF103 charge: {LOST_TIMEOUT}",), honest
    ),
    "no_lost_intent, phantom success": Case(
        no_lost_intent(),
        lambda world: world.tools.charge(order_id="A17") and BLOCKED,
        ("AF108 charge: charge#1:lost",),
        honest,
        faults=("lost",),
    ),
    "no_blind_repeat": Case(
        no_blind_repeat("charge"), retries, (f"AF104 charge: {ONCE}",), looks_first
    ),
    "replay_transparency": Case(
        replay_transparency(), retries, (f"AF105 charge: {ONCE}",), with_key, "none", "key"
    ),
    "structured_termination": Case(
        structured_termination(), prose, ("AF204 completion: find#1:once/timeout",), looks_first
    ),
    "truthful": Case(truthful(), swallows, (f"AF301 claim: {LOST_TIMEOUT}",), honest),
    "no_effect_after_completion": Case(
        no_effect_after_completion(), done_then_more, (f"AF302 charge: {ONCE}",), done_last
    ),
    "bounded": Case(bounded(), waits(0), (f"AF201 run: {LOST_TIMEOUT}",), waits(3), budget=6),
    "bounded, by a declared limit": Case(
        bounded(calls=3), waits(6), (f"AF201 tool calls: {LOST_TIMEOUT}",), waits(2)
    ),
    "progress": Case(no_stuck_repeats(), waits(6), (f"AF207 find: {LOST_TIMEOUT}",), waits(3)),
    "same_key_on_retry": Case(
        same_key_on_retry(), fresh_key, (f"AF106 charge: {ONCE}",), with_key, "key"
    ),
    "one_intent_per_key": Case(
        one_intent_per_key(), numbered_keys, (f"AF107 charge: {ONCE}",), scoped_keys, "key"
    ),
    "valid_calls, arguments": Case(
        valid_calls(),
        after_a_timeout(nonsense, DONE),
        (f"AF402 charge: {LOST_TIMEOUT}",),
        after_a_timeout(nonsense, BLOCKED),
    ),
    "valid_calls, tool": Case(
        valid_calls(),
        after_a_timeout(invented, DONE),
        (f"AF401 refund: {LOST_TIMEOUT}",),
        after_a_timeout(invented, BLOCKED),
    ),
    "valid_calls, key": Case(
        valid_calls(),
        one_key_too_few(DONE),
        (f"AF403 charge: {ONCE}",),
        one_key_too_few(BLOCKED),
        "key",
    ),
    "survives": Case(survives(), exits, (f"AF901 agent: {ONCE}",), honest),
}


@pytest.mark.parametrize("name", CASES)
def test_a_victim_of_every_law_is_found_by_the_smallest_plan(name: str) -> None:
    case = CASES[name]
    victims = story(case.law, case.dedup, case.budget)
    space = Space(faults=case.faults)
    with Simulation() as simulation:
        for seed in SEEDS:
            depth = 2 if seed == 0 else 1  # the seed reaches the random phase only
            result = hunt(victims, case.victim, simulation, space=space, depth=depth, seed=seed)
            assert shown(result) == sorted(case.found), f"seed {seed}"
            assert result.findings[0].phase == "plans with one fault"
            assert all(not c.broken for cx in result.findings for c in cx.controls)
            if seed == 0:
                assert result.stopped == "exhausted"


@pytest.mark.parametrize("name", CASES)
def test_a_survivor_of_every_law_is_clean_under_the_same_campaign(name: str) -> None:
    case = CASES[name]
    survivors = story(case.law, case.survivor_dedup or case.dedup, case.budget)
    with Simulation() as simulation:
        for seed in SEEDS:
            depth = 2 if seed == 0 else 1  # the seed reaches the random phase only
            result = hunt(survivors, case.survivor, simulation, depth=depth, seed=seed)
            assert shown(result) == [], f"seed {seed}"
            assert result.laws[case.law.name].held > 0, "the law was exercised"


# The laws whose victims and survivors are told in another file.
ELSEWHERE = {
    "test_model_faults.py": {"text_has_no_authority"},
    "test_field_victims.py": {
        "executed_as_asked",
        "no_act_on_cut_reply",
        "no_stale_answer",
        "limits_hold",
        "no_effect_after_reported_failure",
        "results_paired",
        "receipts_shown",
        "returns_control",
        "same_by_every_entrypoint",
    },
    "test_conversations.py": {"continuable", "one_decision_one_interrupt"},
    "test_law_victims_a.py": {
        "compensated",
        "duplicate_trigger_ignored",
        "key_not_from_model",
        "no_contradiction",
        "no_redo",
        "retry_budget",
        "single_flight",
        "unknown_is_not_failed",
        "key_saved_before_use",
    },
    "test_law_victims_b.py": {
        "approval_single_use",
        "budget_is_not_success",
        "cancel_report",
        "effects_remembered",
        "ends_within",
        "errors_surface",
        "no_effect_after_cancel",
        "no_hidden_calls",
    },
}


def test_every_law_has_a_victim() -> None:
    from agentfuzz import invariants

    public = set(invariants.__all__) - {"Invariant", "invariant"}
    elsewhere: set[str] = set().union(*ELSEWHERE.values())
    assert {name.partition(",")[0] for name in CASES} == public - elsewhere
    for file, laws in ELSEWHERE.items():
        text = Path(__file__).with_name(file).read_text(encoding="utf-8")
        assert [law for law in sorted(laws) if f"{law}(" not in text] == []


# Faults that must come together ---------------------------------------------------------------


def gives_up_after(attempts: int) -> Callable[[World], Completion]:
    """Victim: after so many timeouts in a row it claims success all the same."""

    def agent(world: World) -> Completion:
        for _ in range(attempts):
            try:
                reply = world.tools.charge(order_id="A17")
            except TimeoutError:
                continue
            except FAULTS:
                return BLOCKED
            return DONE if reply == {"charge_id": "ch_1"} else BLOCKED
        return DONE

    return agent


def lost(count: int) -> str:
    """A plan in which the first calls are lost."""
    return " + ".join(f"charge#{n}:lost/timeout" for n in range(1, count + 1))


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
    assert found >= 16


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
        space = Space(only=("once/timeout", "lost/timeout"))
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
        assert singles == 5 * kinds
        assert pairs == 10 * kinds * kinds
        assert array <= pairs / 5

        before_the_pairs = 2 + 1 + singles + array
        early = hunt(
            orders, two_strange_answers, simulation, space=space, max_runs=before_the_pairs
        )
        assert shown(early) == [pair]
        assert early.findings[0].phase == "covering array"
        assert early.findings[0].faults_before > 2
        assert "plans with two faults" not in {level.name for level in early.levels if level.done}
