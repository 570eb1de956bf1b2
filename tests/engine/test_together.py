"""Several tasks at once: each with its world, trigger, script and ending, in one history."""

import asyncio

import pytest

from agentfuzz import (
    Completion,
    World,
    exactly_once,
    run,
    scenario,
    structured_termination,
    truthful,
)
from agentfuzz.core.between import SharedWritten
from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Called, Committed, Done, ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.invariants.queries.requests import requests
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign


@scenario(
    *(exactly_once("refund"), structured_termination(), truthful()),
    tasks=["A17", "B18", "C19"],
    concurrent=True,
    script=[[f"Refunded {n}."] for n in ("A17", "B18", "C19")],
)
def desk(world: World) -> None:
    @world.tool(effect="refund", scope=("order_id",), dedup="key")
    async def refund(order_id: str, idempotency_key: str) -> dict[str, str]:
        await asyncio.sleep(1)
        return {"refund_id": f"re_{order_id}"}


async def attempts(world: World, order: str) -> Completion:
    """Three attempts with one key, and the receipt as proof."""
    for _ in range(3):
        try:
            reply = await world.tools.aio.refund(order_id=order, idempotency_key=world.trigger_id)
        except Exception:
            continue
        if reply == {"refund_id": f"re_{order}"}:
            return Completion.success(handle=reply["refund_id"])
    return Completion.blocked(reason="outcome_unknown")


async def honest(world: World) -> Completion:
    if world.task == "B18":
        await asyncio.sleep(5)
    return await attempts(world, world.task)


async def shares(world: World) -> Completion:
    """Victim: keeps the order that it is about where every task keeps it."""
    world.state["order"] = world.task
    await asyncio.sleep(0)
    return await attempts(world, world.state["order"])


async def shared_key(world: World) -> Completion:
    """Victim: one key for all."""
    world.state.setdefault("key", world.trigger_id)
    key = world.state["key"]
    reply = await world.tools.aio.refund(order_id=world.task, idempotency_key=key)
    return Completion.success(handle=reply["refund_id"])


def searched(agent):
    with Simulation() as simulation:
        budget = Budget(depth=1, deep_runs=100, max_seconds=600.0)
        campaign = Campaign(desk, agent, simulation, budget=budget)
        campaign.search()
        return campaign.result()


def test_each_task_has_its_own():
    """World, trigger, leg, and the calls, completions and ending that belong to it."""
    seen = []

    async def agent(world):
        seen.append((world.task, world.trigger_id, world.leg, world.why))
        return await honest(world)

    history = run(desk, agent).history
    assert seen[:3] == [
        ("A17", "trigger_1", 1, ""),
        ("B18", "trigger_2", 2, "task"),
        ("C19", "trigger_3", 3, "task"),
    ]
    assert history.endings == ["returned"] * 3
    assert [done.handle for done in history.of(Done)] == ["re_A17", "re_C19", "re_B18"]
    for leg, order in zip(history.legs, ("A17", "B18", "C19"), strict=True):
        kinds = (Called, Committed)
        assert {event.args["order_id"] for event in leg if type(event) in kinds} == {order}
    answers = [one.answer for one in requests(history)]
    assert [answer.done.handle for answer in answers] == ["re_A17", "re_B18", "re_C19"]


def test_each_task_has_its_script():
    """The model of a task plans what was scripted for it."""
    said = {}

    async def agent(world):
        await asyncio.sleep(1)
        said[world.task] = world.model([{"role": "user", "content": world.task}])["content"]

    history = run(desk, agent).history
    assert said == {name: f"Refunded {name}." for name in ("A17", "B18", "C19")}
    assert len(history.of(ModelTurn)) == 3


def test_one_that_raises_harms_no_other():
    """Its leg has raised, the others have returned; the run ends as the last one does."""

    async def agent(world):
        if world.task == "A17":
            raise LookupError("A17 is unknown")
        return await honest(world)

    history = run(desk, agent).history
    assert history.endings == ["raised", "returned", "returned"]
    assert history.ended.how == "returned"

    async def last(world):
        if world.task == "B18":
            await asyncio.sleep(5)
            raise LookupError("B18 is unknown")
        return await honest(world)

    history = run(desk, last).history
    assert history.endings == ["returned", "raised", "returned"]
    assert (history.ended.how, history.ended.error) == ("raised", "LookupError")


def test_survivor():
    """Nothing is shared but the backend: no finding under any single fault."""
    result = searched(honest)
    assert [cx.code for cx in result.findings] == []
    assert result.runs > 100


@pytest.mark.parametrize(("victim", "code"), [(shares, "AF101"), (shared_key, "AF900")])
def test_victims(victim, code):
    """What tasks share by mistake is found in the run without faults."""
    found = {cx.code: str(cx.plan) for cx in searched(victim).findings}
    assert found[code] == "no faults"


def test_a_race_between_tasks():
    """Another task goes first, between a read and its write: one seat is lost."""

    async def takes(world):
        value, _ = await world.shared.aread("seats")
        await world.shared.awrite("seats", (value or 0) + 1)
        return Completion.success(handle=str(world.shared["seats"]))

    calm = run(desk, takes).history
    assert calm.of(SharedWritten)[-1].value == 3
    raced = run(desk, takes, "schedule:shared#2:preempted").history
    assert raced.of(SharedWritten)[-1].value < 3


@pytest.mark.parametrize(
    "words",
    [{"tasks": ()}, {"resume": True}, {"follow_ups": ("More.",)}, {"faults": ("cancel",)}],
    ids=lambda words: next(iter(words)),
)
def test_what_cannot_go_on_at_once(words):
    """The error says which two words do not go together."""
    with pytest.raises(ScenarioError, match="several tasks go on at once"):
        scenario(concurrent=True, **{"tasks": ("a", "b"), **words})


def test_a_sync_agent():
    """Nothing of it could go on beside another task."""
    with pytest.raises(ScenarioError, match="no async function"):
        run(desk, lambda world: None)
