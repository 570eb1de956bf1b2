"""The quality of the search at the agent's process: for every kind of fault a victim that is found
by exactly the smallest plan, whatever the seed, and a survivor of the same campaign.

Seed 0 walks exhaustively; all others grow plans from nothing, and shrink what they find.
"""

from typing import Any, NamedTuple

import pytest

from agentfuzz import Invariant, World, at_most_once, exactly_once, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.space import Space
from agentfuzz.world.process_faults import KINDS
from search.process_loops import (
    BLOCKED,
    DONE,
    Agent,
    a_no_is_a_no,
    asks,
    charges_again,
    checks_then_acts,
    claims,
    counting,
    each_yes,
    each_yes_but_the_second,
    interrupted,
    locks,
    looks_up,
    once_granted,
    only_a_no,
    racing,
    retries,
    silence_is_consent,
    stopped,
    tells_the_last_number,
    waits_and_looks_up,
    writes_after,
    writes_first,
)
from search.support import hunt, shown

SEEDS = range(8)


class Case(NamedTuple):
    """A law, the loop that breaks it, what is found and nothing else, and the loop that holds."""

    law: Invariant
    victim: Agent
    found: str
    survivor: Agent
    kinds: tuple[str, ...]
    dedup: str = "none"
    survivor_dedup: str = ""
    beside: tuple[str, ...] = ("once/timeout",)
    also: tuple[str, ...] = ()  # the same word names a delivery


ONCE = at_most_once("charge")
CRASH, TRIGGER = ("crash",), ("duplicate_trigger",)
APPROVALS = ("double_click", "refused", "late")
CASES = {
    "crash before": Case(
        exactly_once("charge"),
        writes_first,
        "AF103 charge: process:charge#1:crash",
        writes_after,
        CRASH,
        "none",
        "scope",
    ),
    "crash after": Case(
        ONCE,
        charges_again,
        "AF101 charge: process:charge#1:crash/after",
        charges_again,
        CRASH,
        "none",
        "scope",
    ),
    "crash in flight": Case(
        ONCE,
        looks_up,
        "AF101 charge: process:charge#1:crash/in_flight",
        waits_and_looks_up,
        CRASH,
    ),
    "crash at a save": Case(
        ONCE,
        writes_after,
        "AF101 charge: store:charged#1:crash",
        writes_after,
        CRASH,
        "none",
        "scope",
    ),
    "cancel": Case(
        exactly_once("charge"),
        stopped(DONE),
        "AF103 charge: process:charge#1:cancel",
        stopped(BLOCKED),
        ("cancel",),
    ),
    "interrupt": Case(
        ONCE,
        interrupted(True),
        "AF101 charge: process:charge#1:interrupt",
        interrupted(False),
        ("interrupt",),
    ),
    "the trigger again": Case(
        ONCE, locks, "AF101 charge: end#1:duplicate_trigger", claims, TRIGGER
    ),
    "the trigger in the middle": Case(
        ONCE, checks_then_acts, "AF101 charge: process:charge#1:duplicate_trigger", claims, TRIGGER
    ),
    "a key expires": Case(
        ONCE,
        retries(idempotency_key="A17"),
        "AF101 charge: process:charge#2:clock_jump + charge#1:once/timeout",
        retries(),
        ("clock_jump",),
        "key",
        "scope",
    ),
    "approved twice": Case(
        ONCE,
        asks(each_yes),
        "AF101 charge: approval:charge#1:twice",
        asks(once_granted),
        ("twice",),
        "none",
        "scope",
        also=("AF102 charge: charge#1:twice",),
    ),
    "clicked twice": Case(
        ONCE,
        asks(each_yes_but_the_second),
        "AF101 charge: approval:charge#1:double_click",
        asks(once_granted),
        APPROVALS,
    ),
    "refused": Case(
        a_no_is_a_no,
        asks(only_a_no),
        "AF500 a_no_is_a_no: approval:charge#1:refused",
        asks(once_granted),
        APPROVALS,
    ),
    "decided late": Case(
        ONCE,
        asks(silence_is_consent),
        "AF101 charge: approval:charge#1:late",
        asks(once_granted),
        APPROVALS,
    ),
    "preempted": Case(
        ONCE,
        racing(True),
        "AF101 charge: schedule:charge#1:preempted",
        racing(False),
        ("preempted",),
    ),
    "preempted after": Case(
        tells_the_last_number,
        counting(lambda old, new: new),
        "AF500 tells_the_last_number: schedule:charge#1:preempted/after",
        counting(max),
        ("preempted",),
        beside=(),
    ),
}


def campaign(simulation: Simulation, case: Case, agent: Agent, dedup: Any, seed: int) -> Any:
    kinds = set(case.kinds) & set(KINDS)
    resume = "crash" in kinds

    @scenario(case.law, task="Charge A17.", resume=resume, faults=tuple(kinds - {"crash"}))
    def billing(world: World) -> None:
        charges: list[str] = world.state.setdefault("charges", [])
        world.state["outside"] = []  # of the agent's process

        @world.tool(effect="charge", scope=("order_id",), dedup=dedup)
        def charge(order_id: str) -> dict:
            charges.append(order_id)
            return {"number": len(charges)}

        @world.tool
        def find(order_id: str) -> dict:
            return {"charges": charges.count(order_id)}

    space = Space(faults=billing.faults, only=(*case.kinds, *case.beside))
    faults = case.found.count(" + ") + 1
    depth = faults if seed == 0 else 0
    return hunt(billing, agent, simulation, space=space, depth=depth, deep_runs=RUNS, seed=seed)


RUNS = 160


@pytest.mark.parametrize("name", CASES)
def test_a_victim_is_found_by_the_smallest_plan(name: str) -> None:
    case = CASES[name]
    with Simulation() as simulation:
        for seed in SEEDS:
            result = campaign(simulation, case, case.victim, case.dedup, seed)
            assert shown(result) == [case.found, *case.also], f"seed {seed}"
            assert all(not control.broken for control in result.findings[0].controls)
            phase = "random plans" if seed else "plans with "
            assert result.findings[0].phase.startswith(phase)


@pytest.mark.parametrize("name", CASES)
def test_a_survivor_is_clean_under_the_same_campaign(name: str) -> None:
    case = CASES[name]
    with Simulation() as simulation:
        for seed in SEEDS:
            dedup = case.survivor_dedup or case.dedup
            result = campaign(simulation, case, case.survivor, dedup, seed)
            assert shown(result) == [], f"seed {seed}"
            assert result.laws[case.law.name].held > 0, "the law was exercised"
            assert result.struck > 0
