"""What a run leaves to the garbage collector: nothing, and the collector is as it was.

Law: what is left of a run goes with its last reference, also where a fault raised; a simulation
asks the collector to look more seldom, and takes that back.
"""

import gc
from collections.abc import Callable, Iterator

import pytest

from agentfuzz import Completion, FaultPlan, World, exactly_once, scenario
from agentfuzz.engine.simulation import COLLECTED, Simulation
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
