"""What a run leaves to the garbage collector: nothing, and the collector is as it was.

Law: what is left of a run goes with its last reference, also where a fault raised; a simulation
asks the collector to look more seldom, and takes that back.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentfuzz import Completion, FaultPlan, World, exactly_once, scenario
from agentfuzz.engine.simulation import COLLECTED, Simulation
from agentfuzz.search.memo.memo import Memo
from agentfuzz.world.injector import FromPlan


@scenario(exactly_once("pay"), task="Pay.")
def paying(world: World) -> None:
    @world.tool(effect="pay", scope=("order",))
    def pay(order: str) -> dict[str, str]:
        return {"receipt": order}


def agent(world: World) -> Completion:
    try:
        world.tools.pay(order="A17")
    except (TimeoutError, ConnectionError):
        return Completion.blocked()
    return Completion.success(handle="A17")


@pytest.fixture
def garbage() -> Iterator[Callable[[], int]]:
    """How many objects nobody refers to but themselves, since this was last asked. What there was
    before the test is not looked at: in a whole suite that is most of all objects."""
    gc.freeze()
    gc.disable()
    yield gc.collect
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize(
    "plan", ["", "pay#1:once/timeout", "pay#1:lost/error", "pay#1:twice", "pay#1:once/malformed"]
)
def test_a_run_leaves_no_garbage(garbage: Callable[[], int], plan: str) -> None:
    """World, tools, calls and histories are in no circle."""
    with Simulation() as simulation:
        for _ in range(3):
            simulation.execute(paying, agent, FromPlan(FaultPlan.parse(plan)))
        garbage()
        for _ in range(20):
            simulation.execute(paying, agent, FromPlan(FaultPlan.parse(plan)))
        assert garbage() < 20


@scenario(exactly_once("pay"), task="Pay.", script=[("pay", {"order": "A17"}), "Paid."])
def told(world: World) -> None:
    paying.build(world)


def asking(world: World) -> str:
    """A loop around a model, which ends by whatever is raised."""
    messages = [{"role": "user", "content": world.task}]
    while True:
        turn = world.model(messages)
        messages.append(turn)
        if not turn["tool_calls"]:
            return str(turn["content"])
        for call in turn["tool_calls"]:
            result = world.tools[call["name"]](**call["arguments"])
            said = {"role": "tool", "tool_call_id": call["id"], "content": str(result)}
            messages.append(said)


async def awaiting(world: World) -> str:
    return asking(world)


@pytest.mark.parametrize("loop", [asking, awaiting])
@pytest.mark.parametrize("plan", ["", "pay#1:lost/timeout", "model#1:rate_limited", "model#1:loop"])
def test_a_run_with_a_model_leaves_no_garbage(
    garbage: Callable[[], int], plan: str, loop: Callable[[World], Any]
) -> None:
    """A model and what ended a run hold nothing that holds them."""
    with Simulation() as simulation:
        for _ in range(3):
            history = simulation.execute(told, loop, FromPlan(FaultPlan.parse(plan)))
        assert history.ended is not None
        raises = plan in ("pay#1:lost/timeout", "model#1:rate_limited")
        assert (history.ended.how == "raised") is raises
        garbage()
        for _ in range(20):
            simulation.execute(told, loop, FromPlan(FaultPlan.parse(plan)))
        assert garbage() < 20


@pytest.mark.parametrize("loop", [asking, awaiting])
@pytest.mark.parametrize("known", [None, "", "pay#1:twice"])
def test_a_run_that_a_memo_makes_or_does_not_know_leaves_no_garbage(
    garbage: Callable[[], int], known: str | None, loop: Callable[[World], Any]
) -> None:
    """What was asked of the agent's place, and where a run breaks off, is no circle; and a loop
    that such a run leaves is as empty as one that a run leaves which comes to its end."""
    with Simulation() as simulation:
        memo = Memo(told, loop, simulation, seed=0)
        if known is not None:
            learnt = simulation.execute(told, memo.taped, FromPlan(FaultPlan.parse(known)))
            memo.learn(learnt)
        for plan in ("", "pay#1:once/malformed"):
            injectors = [FromPlan(FaultPlan.parse(plan)) for _ in range(23)]
            for injector in injectors[:3]:
                assert (memo.answer(injector) is not None) is (known is not None and not plan)
            loop_of = simulation._loops.current()
            garbage()
            for injector in injectors[3:]:
                memo.answer(injector)
            assert garbage() < 20
            assert simulation._loops.current() is loop_of
            assert not loop_of.waits
            assert not asyncio.all_tasks(loop_of)


@scenario(exactly_once("pay"), task="Pay.")
def counting(world: World) -> None:
    """A body that knows its world."""
    world.state["paid"] = 0

    @world.tool(effect="pay", scope=("order",))
    def pay(order: str) -> str:
        world.state["paid"] += 1
        return f"receipt {world.state['paid']}"


def keeping(world: World) -> Completion:
    """It writes down what it has, and may die and be started again."""
    if "paid" not in world.store:
        world.store["paid"] = world.tools.pay(order="A17")
    return Completion.success(handle=world.store["paid"])


@pytest.mark.parametrize("process", [False, True])
@pytest.mark.parametrize("plan", ["", "store:paid#1:crash/after", "store:paid#1:crash"])
def test_a_run_that_keeps_things_leaves_no_garbage(
    garbage: Callable[[], int], plan: str, process: bool
) -> None:
    """Bodies that know their world, a store, and legs: no circle outlives the run."""

    def run() -> None:
        injector = FromPlan(FaultPlan.parse(plan), process=process)
        simulation.execute(counting, keeping, injector)

    with Simulation() as simulation:
        for _ in range(3):
            run()
        garbage()
        for _ in range(20):
            run()
        assert garbage() < 20


def teamed(world: World) -> Completion:
    world.agents("triage", "billing")
    with world.acting("triage"):
        receipt = world.handoff("billing", {"task": "A17"})
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            handed.accept()
    world.shared["done"] = receipt.status
    return agent(world)


@pytest.mark.parametrize("plan", ["", "handoff:billing#1:twice", "handoff:billing#1:lost"])
def test_a_team_leaves_no_garbage(garbage: Callable[[], int], plan: str) -> None:
    """Mailboxes, handoffs and what is shared are in no circle once the run is over."""
    with Simulation() as simulation:
        for _ in range(3):
            simulation.execute(paying, teamed, FromPlan(FaultPlan.parse(plan)))
        garbage()
        for _ in range(20):
            simulation.execute(paying, teamed, FromPlan(FaultPlan.parse(plan)))
        assert garbage() < 20


def test_the_collector_is_as_it_was() -> None:
    """Its thresholds are given back; one that is off stays off."""
    before = gc.get_threshold()
    with Simulation():
        assert gc.get_threshold() == (max(before[0], COLLECTED), *before[1:])
    assert gc.get_threshold() == before
    gc.set_threshold(0)
    try:
        with Simulation():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
