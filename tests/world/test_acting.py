"""Who acts: a leg within another one begins with nobody, whoever was at work around it."""

import pytest

from agentfuzz import Completion, run, scenario
from agentfuzz.core.between import HandoffAccepted
from agentfuzz.core.events import Called, Resumed
from agentfuzz.invariants.queries.teams import agent_of


@scenario(task="Pay.", faults=("duplicate_trigger",), without=("at_most_once",))
def shop(world):
    @world.tool
    def look() -> str:
        return "ok"

    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str) -> str:
        return "ok"


def once(world):
    """Pays; a child looks, unless the trigger came again."""
    if world.why != "duplicate":
        world.spawn("child", world.tools.look).result()
    world.tools.pay(order_id="A17")
    return Completion.success()


async def aonce(world):
    """The same."""

    async def looks():
        await world.tools.aio.look()

    if world.why != "duplicate":
        await world.spawn("child", looks)
    await world.tools.aio.pay(order_id="A17")
    return Completion.success()


@pytest.mark.parametrize("agent", [once, aonce])
def test_a_leg_within_a_childs_call_is_not_the_childs(agent):
    """Whoever handles the second delivery pays under its own name; afterwards the child goes on."""
    history = run(shop, agent, "process:look#1:duplicate_trigger/after").history
    assert [event.why for event in history.of(Resumed)] == ["duplicate", "back"]
    assert [(call.slot.name, agent_of(history, call)) for call in history.of(Called)] == [
        ("look", "child"),
        ("pay", ""),
        ("pay", ""),
    ]


def test_a_leg_within_takes_nothing_over():
    """A handoff is accepted by its receiver's own effect, not by that of another delivery."""

    def agent(world):
        def clerk(payload):
            world.tools.look()
            world.tools.pay(order_id=payload)
            return "paid"

        if world.why == "duplicate":
            world.tools.pay(order_id="A17")
        else:
            world.handoff_of(clerk)("B18")
        return Completion.success()

    history = run(shop, agent, "process:look#1:duplicate_trigger/after").history
    _, back = history.of(Resumed)
    (accepted,) = history.of(HandoffAccepted)
    assert accepted.seq > back.seq
