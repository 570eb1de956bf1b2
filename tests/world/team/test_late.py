"""A handoff that arrives late at a function that is called: not at one whose process is dead."""

import pytest

from agentfuzz import Completion, World, run, scenario
from agentfuzz.core.between import HandoffReceived
from agentfuzz.core.events import Crashed

DONE, LATE = Completion.success(), "handoff:desk#1:late"


@scenario(task="Refund A17.", resume=True)
def refunds(world: World) -> None:
    @world.tool(effect="refund", scope=("order_id",), dedup="scope")
    def refund(order_id: str) -> str:
        return "refunded"


def asks(world: World) -> Completion:
    """Hands over until it is answered."""

    def desk(order: str) -> str:
        return world.tools.refund(order_id=order)

    hands_over = world.handoff_of(desk)
    with world.acting("lead"):
        while True:
            try:
                hands_over("A17")
            except TimeoutError:
                continue
            return DONE


async def awaits(world: World) -> Completion:
    """The same, async."""

    async def desk(order: str) -> str:
        return await world.tools.aio.refund(order_id=order)

    hands_over = world.handoff_of(desk)
    with world.acting("lead"):
        while True:
            try:
                await hands_over("A17")
            except TimeoutError:
                continue
            return DONE


@pytest.mark.parametrize("agent", [asks, awaits])
def test_it_arrives(agent, simulation):
    """While the sender tries again, and is not answered."""
    plan = f"{LATE} + handoff:desk#2:lost"
    history = run(refunds, agent, plan, simulation=simulation).history
    assert [(one.handoff, one.t) for one in history.of(HandoffReceived)] == [
        ("handoff_1", 45.0),
        ("handoff_3", 60.0),
    ]


@pytest.mark.parametrize("agent", [asks, awaits])
def test_nobody_is_there(agent, simulation):
    """The process died at second 30, and another one lives at second 45."""
    plan = f"{LATE} + process:refund#1:crash + handoff:desk#3:lost"
    history = run(refunds, agent, plan, simulation=simulation).history
    assert history.of(Crashed)
    assert history.ended.how == "returned"
    assert [one.handoff for one in history.of(HandoffReceived)] == ["handoff_2", "handoff_4"]


@pytest.mark.parametrize("agent", [asks, awaits])
def test_it_dies_of_it(agent, simulation):
    """What arrived late was under way in the process that died; the next one ends well."""
    plan = f"{LATE} + handoff:desk#2:lost + process:refund#1:crash"
    history = run(refunds, agent, plan, simulation=simulation).history
    assert [one.t for one in history.of(Crashed)] == [45.0]
    assert history.ended.how == "returned", history.ended
