"""`same_by_every_entrypoint`: a loop does the same by whichever entrypoint it is called."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agentfuzz import Scenario, same_by_every_entrypoint
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, VIOLATED, Verdict
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.invariants.doors import differences
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
    assert LAW(history, other).violations[0].title == f"charge_card ran {times}x, other door 1x"


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
    (violation,) = differences(history, other, door="streamed", than="sync")
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


@pytest.fixture(scope="module")
def simulation():
    with Simulation() as made:
        yield made


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
}


@pytest.mark.parametrize("name", DOORS)
def test_victim(name, simulation):
    """A second door with a loop of its own differs under one fault."""
    victim, plan = DOORS[name]
    story = shop(parallel=name == "a stream without an end")
    assert smallest(story, doors(victim), simulation) == plan


def test_survivor(simulation):
    """The same loop never differs."""
    assert smallest(shop(), doors(Loop), simulation) is None


def doors(victim):
    """The survivor, awaited; and another loop, streamed."""
    return {"plain": lambda world: AsyncLoop(world).arun(), "streamed": plain(victim)}


def test_compare_entrypoints():
    """Each door against the first; the report names them."""
    three = {
        "plain": plain(Loop),
        "awaited": lambda world: AsyncLoop(world).arun(),
        "streamed": plain(EveryCall),
    }
    verdicts = compare_entrypoints(shop(), three, "model#1:duplicate_ids")
    assert [verdict.status for verdict in verdicts] == [HELD, VIOLATED]
    (violation,) = verdicts[1].violations
    assert (violation.code, violation.title) == ("AF305", "charge_card ran 2x, other door 1x")
    assert violation.says == "charge(order_id='A17') 2x by streamed"
    assert [verdict.status for verdict in compare_entrypoints(shop(), three)] == [HELD, HELD]
