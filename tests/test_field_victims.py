"""The laws from the field on whole loops: for each, a plain loop that breaks it, found by exactly
the smallest plan, and one loop that keeps them all under the same campaigns.

Law: a plan is asserted as text, and nothing else may be found by the law.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from field_loops import (
    FAULTS,
    LIMITS,
    AllOrNothing,
    AnyText,
    Blank,
    CountsTurns,
    Dangles,
    EveryCall,
    FirstThree,
    Hasty,
    Loop,
    NeverLooks,
    OneForAll,
    Outbox,
    Sorry,
    Streams,
    TidiesUp,
    TriesAgain,
    Zips,
    shop,
)
from search.support import hunt

from agentfuzz import Completion, Invariant, Scenario, World, at_most_once, run
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, VIOLATED, Verdict
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.invariants import (
    executed_as_asked,
    limits_hold,
    no_act_on_cut_reply,
    no_effect_after_reported_failure,
    no_stale_answer,
    receipts_shown,
    results_paired,
    returns_control,
    same_by_every_entrypoint,
)
from agentfuzz.invariants.claims.same_by_every_entrypoint import differences
from agentfuzz.search.space import Space, size
from agentfuzz.world.injector import FromPlan

LAWS = (
    results_paired(),
    receipts_shown(),
    executed_as_asked(),
    no_stale_answer(),
    no_act_on_cut_reply(),
    no_effect_after_reported_failure(),
    limits_hold(**LIMITS),
    returns_control(),
)


class Case(NamedTuple):
    """A law, the loop that breaks it, what is found by that law, and in which world."""

    law: Invariant
    victim: type[Loop]
    found: tuple[str, ...]
    parallel: bool = False
    only: tuple[str, ...] = ()


TIMEOUT = "charge_card#1:once/timeout"
BESIDE = "ship#1:once/timeout"
REFUSED = "ship#1:lost/rate_limited"
UNKNOWN = "model#1:unknown_tool"
CASES = {
    "pairing": Case(
        results_paired(),
        Dangles,
        (f"AF404 charge_card: {TIMEOUT}", f"AF404 charge_card_v2: {UNKNOWN}"),
    ),
    "pairing, by position": Case(results_paired(), Zips, (f"AF404 charge_card: {TIMEOUT}",), True),
    "pairing, vanished": Case(
        results_paired(),
        TidiesUp,
        (f"AF405 charge_card: {TIMEOUT}", f"AF405 charge_card_v2: {UNKNOWN}"),
    ),
    "receipts_shown": Case(
        receipts_shown(),
        AllOrNothing,
        (f"AF406 charge_card: {REFUSED}",),
        True,
        ("lost/rate_limited",),
    ),
    "receipts_shown, drowned": Case(
        receipts_shown(),
        OneForAll,
        (f"AF406 ship: {TIMEOUT}", f"AF406 charge_card: {BESIDE}"),
        True,
    ),
    "executed_as_asked": Case(
        executed_as_asked(), EveryCall, ("AF407 charge_card: model#1:duplicate_ids",)
    ),
    "executed_as_asked, hidden": Case(
        executed_as_asked(), TriesAgain, (f"AF407 charge_card: {TIMEOUT}",)
    ),
    "executed_as_asked, dropped": Case(
        executed_as_asked(), FirstThree, ("AF407 charge_card dropped: model#1:fan_out",)
    ),
    "no_stale_answer": Case(no_stale_answer(), Hasty, ("AF303 answer: model#1:mixed_done",)),
    "no_stale_answer, a tool's": Case(no_stale_answer(), AnyText, ("AF303 answer: model#2:empty",)),
    "no_act_on_cut_reply": Case(
        no_act_on_cut_reply(), NeverLooks, ("AF208 answer: model#2:truncated",)
    ),
    "no_act_on_cut_reply, an effect": Case(
        no_act_on_cut_reply(),
        NeverLooks,
        ("AF208 charge: model#1:truncated", "AF208 answer: model#2:truncated"),
        True,
    ),
    "no_act_on_cut_reply, a stream": Case(
        no_act_on_cut_reply(), Streams, ("AF208 answer: model#2:cut",)
    ),
    "no_act_on_cut_reply, blank": Case(
        no_act_on_cut_reply(), Blank, ("AF209 answer: model#1:empty",)
    ),
    "no_effect_after_reported_failure": Case(
        no_effect_after_reported_failure(), Outbox, (f"AF210 charge: {TIMEOUT}",)
    ),
    "limits_hold": Case(limits_hold(**LIMITS), CountsTurns, ("AF211 calls: model#1:fan_out",)),
    "limits_hold, in prose": Case(limits_hold(**LIMITS), Sorry, ("AF212 limit: model#1:loop",)),
}


@pytest.fixture(scope="module")
def simulation():
    with Simulation() as made:
        yield made


@pytest.mark.parametrize("name", CASES)
def test_the_victim_of_a_law(name, simulation):
    """Exactly this is found by the law, by exactly this plan."""
    case = CASES[name]
    story = shop(case.law, parallel=case.parallel)
    agent = lambda world: case.victim(world).run()  # noqa: E731
    result = hunt(story, agent, simulation, space=Space(only=case.only), depth=1, deep_runs=0)
    found = [
        f"{cx.code} {cx.violation.subject}: {cx.plan}"
        for cx in result.findings
        if cx.law == case.law.name
    ]
    assert tuple(found) == case.found, [cx.violation.sentence for cx in result.findings]


@pytest.mark.parametrize("parallel", [False, True])
def test_the_survivor_of_all_laws(parallel, simulation):
    """One loop keeps every law under every fault, and every law was exercised."""
    story = shop(*LAWS, parallel=parallel)
    depth = 1 if parallel else 2
    result = hunt(story, lambda world: Loop(world).run(), simulation, depth=depth, max_runs=1500)
    assert [(cx.code, str(cx.plan), cx.violation.sentence) for cx in result.findings] == []
    assert {name for name, count in result.laws.items() if not count.held} <= {"valid_calls"}


@pytest.mark.parametrize(("victim", "charges"), [(AllOrNothing, 2), (OneForAll, 2), (Loop, 1)])
def test_a_lost_receipt_is_a_second_charge(victim, charges, simulation):
    """The model asks again until it sees its receipt: that a sibling was refused, and nothing
    else, charges the card again."""
    story = shop(at_most_once("charge"), parallel=True)
    found = run(story, lambda world: victim(world).run(), REFUSED, simulation=simulation)
    assert [commit.tool for commit in found.history.ledger].count("charge_card") == charges
    assert {v.code for v in found.violations} == ({"AF101"} if charges > 1 else set())


# P11: control comes back


async def waits(world: World) -> Any:
    """Waits for the charge, however long it takes."""
    try:
        await world.tools.aio.charge_card(order_id="A17", amount=42)
    except FAULTS:
        return Completion.blocked()
    return Completion.success(handle="ch_A17")


async def waits_a_minute(world: World) -> Any:
    """The same with a deadline."""
    try:
        async with asyncio.timeout(60):
            return await waits(world)
    except TimeoutError:
        return Completion.blocked(reason="outcome_unknown")


@pytest.mark.parametrize(
    ("agent", "found"), [(waits, [f"AF214 run: {TIMEOUT}"]), (waits_a_minute, [])]
)
def test_returns_control(agent, found, simulation):
    """A reply that never comes: a victim without a deadline, a survivor with one."""
    story = shop(returns_control(), hang=True)
    result = hunt(story, agent, simulation, depth=1, deep_runs=0)
    law = returns_control().name
    assert [
        f"{cx.code} {cx.violation.subject}: {cx.plan}" for cx in result.findings if cx.law == law
    ] == found
    assert result.laws[law].held


# P10: the doors


def compare_entrypoints(
    scenario: Scenario, doors: Mapping[str, Agent], plan: str | FaultPlan = ""
) -> list[Verdict]:
    """What `differences` says of each door against the first one, under one plan."""
    wanted = FaultPlan.parse(plan)
    with Simulation() as simulation:
        runs = {
            name: simulation.execute(scenario, agent, FromPlan(wanted))
            for name, agent in doors.items()
        }
    (first, expected), *others = runs.items()
    verdicts = []
    for name, history in others:
        found = tuple(differences(history, expected, door=name, than=first))
        law = f"same_by_every_entrypoint({name}, {first})"
        verdicts.append(Verdict(law, VIOLATED if found else HELD, found))
    return verdicts


def smallest(story: Scenario, agents: Mapping[str, Agent], simulation: Simulation) -> str | None:
    """The smallest plan with one fault under which the doors differ."""
    injector = FromPlan()
    simulation.execute(story, next(iter(agents.values())), injector)
    plans = [
        FaultPlan({crossing.slot: fault})
        for crossing in injector.crossings
        for fault in Space().at(crossing.group)
    ]
    for plan in sorted(plans, key=size):
        runs = [simulation.execute(story, agent, FromPlan(plan)) for agent in agents.values()]
        if same_by_every_entrypoint()(runs[1], runs[0]).status == VIOLATED:
            return str(plan)
    return None


class AsyncLoop(Loop):
    """The survivor by another door: the same loop, awaited."""

    async def arun(self) -> Any:
        await asyncio.sleep(0)
        return self.run()


DOORS = {
    "a stream without an end": (Streams, "model#1:cut"),
    "every call": (EveryCall, "model#1:duplicate_ids"),
    "the same loop": (Loop, None),
}


@pytest.mark.parametrize("name", DOORS)
def test_doors(name, simulation):
    """A second door with a loop of its own differs under one fault; the same loop never does."""
    victim, plan = DOORS[name]
    doors = {
        "plain": lambda world: AsyncLoop(world).arun(),
        "streamed": lambda world: victim(world).run(),
    }
    story = shop(parallel=name == "a stream without an end")
    assert smallest(story, doors, simulation) == plan


def test_compare_entrypoints():
    """Each door against the first; the report names them."""
    doors = {
        "plain": lambda world: Loop(world).run(),
        "awaited": lambda world: AsyncLoop(world).arun(),
        "streamed": lambda world: EveryCall(world).run(),
    }
    verdicts = compare_entrypoints(shop(), doors, "model#1:duplicate_ids")
    assert [verdict.status for verdict in verdicts] == [HELD, VIOLATED]
    (violation,) = verdicts[1].violations
    assert (violation.code, violation.title) == ("AF305", "charge_card ran 2x, other door 1x")
    assert violation.says == "charge(order_id='A17') 2x by streamed"
    assert [verdict.status for verdict in compare_entrypoints(shop(), doors)] == [HELD, HELD]
