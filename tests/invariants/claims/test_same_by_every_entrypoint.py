"""`same_by_every_entrypoint`: a loop does the same by whichever entrypoint it is called."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agentfuzz import Scenario, compare_entrypoints, same_by_every_entrypoint
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, VIOLATED
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.invariants.claims.same_by_every_entrypoint import differences
from agentfuzz.search.space import Space, size
from agentfuzz.world.injector import FromPlan
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    ok,
    prefix,
    raised,
    returned,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.field import EveryCall, Loop, Streams, plain, shop

LAW = same_by_every_entrypoint()
FAULT = strikes("charge_card#1:once/timeout")


def test_held():
    """The same effects, in any order and by any calls, and the same ending."""
    streamed = tell(charged(), charged("B18"), done(handle="ch_1"))
    assert judge(LAW, tell(charged("B18"), charge(), commit(), ok(), done()), streamed) == "HELD"
    failed = tell(FAULT, charge(), timeout(), raised("TimeoutError"))
    assert judge(LAW, tell(FAULT, charge(), timeout(), raised("Wrapped")), failed) == "HELD"


@pytest.mark.parametrize(("times", "witness"), [(0, "Ended#1"), (2, "Committed#1 Committed#2")])
def test_broken(times, witness):
    """AF305: an effect happens more often, or less often, by one door than by the other."""
    other = tell(charged(), done())
    history = tell(*[charged()] * times, done())
    assert judge(LAW, history, other) == [f"AF305 charge: {witness}"]
    assert LAW(history, other).violations[0].title == f"charge_card ran {times}x, by the other 1x"


def test_another_intent():
    """AF305: the count is that of an intent, not of a tool."""
    history = tell(charged("B18"), done())
    assert judge(LAW, history, tell(charged(), done())) == ["AF305 charge: Ended#1"]


@pytest.mark.parametrize(
    "ending", [done("failed"), returned("Charged."), raised("ValueError"), cut_off("hung")]
)
def test_another_ending(ending):
    """AF305: it ends in another way, or claims something else."""
    found = judge(LAW, tell(charged(), ending), tell(charged(), done()))
    assert found == ["AF305 ending: Ended#1"]


def test_differences_names_the_doors():
    """The bare comparison says which door is which, and does not ask what struck."""
    history, other = tell(charged(), FAULT, charged(), done()), tell(charged(), done())
    assert judge(LAW, history, other) == "NOT_EXERCISED"
    (violation,) = differences(history, other, entrypoint="streamed", than="sync")
    assert (violation.code, violation.says, violation.world) == (
        "AF305",
        "charge(order_id='A17') 2x by streamed",
        "charge(order_id='A17') 1x by sync",
    )


def test_not_exercised():
    """No other run; the run itself; other faults; and a prefix has no ending to compare."""
    history = tell(FAULT, charged(), done())
    assert judge(LAW, history) == "NOT_EXERCISED"
    assert judge(LAW, history, history) == "NOT_EXERCISED"
    assert judge(LAW, history, tell(charged(), charge(), done())) == "NOT_EXERCISED"
    assert judge(LAW, prefix(charged()), tell(charged(), ship(), done("failed"))) == "HELD"


# on whole loops


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
    """The survivor by another entrypoint: the same loop, awaited."""

    async def arun(self) -> Any:
        await asyncio.sleep(0)
        return self.run()


async def awaited(world):
    """The survivor by another entrypoint."""
    return await AsyncLoop(world).arun()


@pytest.mark.parametrize(
    ("victim", "parallel", "plan"),
    [(Streams, True, "model#1:cut"), (EveryCall, False, "model#1:duplicate_ids")],
)
def test_victim(victim, parallel, plan, simulation):
    """A second entrypoint with a loop of its own differs under one fault."""
    two = {"plain": awaited, "streamed": plain(victim)}
    assert smallest(shop(parallel=parallel), two, simulation) == plan


def test_survivor(simulation):
    """The same loop never differs."""
    two = {"plain": awaited, "streamed": plain(Loop)}
    assert smallest(shop(), two, simulation) is None


def test_compare_entrypoints():
    """Each entrypoint against the first; the report names them."""
    three = {
        "plain": plain(Loop),
        "awaited": awaited,
        "streamed": plain(EveryCall),
    }
    verdicts = compare_entrypoints(shop(), three, "model#1:duplicate_ids")
    assert [verdict.status for verdict in verdicts] == [HELD, VIOLATED]
    (violation,) = verdicts[1].violations
    assert (violation.code, violation.title) == ("AF305", "charge_card ran 2x, by the other 1x")
    assert violation.says == "charge(order_id='A17') 2x by streamed"
    assert [verdict.status for verdict in compare_entrypoints(shop(), three)] == [HELD, HELD]
