"""A function of the user's own that is called to hand a task over."""

import asyncio

import pytest
from pydantic import BaseModel

from agentfuzz.core.between import (
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
)
from agentfuzz.core.events import Called
from agentfuzz.invariants.queries.teams import agent_of
from world.team.support import history, told


class Order(BaseModel):
    order_id: str
    amount: int = 10


def calls(is_async: bool):
    """An agent that calls `billing` and says what came of it; twice in a row."""

    def of(world):
        def billing(order):
            return world.tools.refund(order_id=order["order_id"])["refund_id"]

        async def abilling(order):
            return (await world.tools.aio.refund(order_id=order["order_id"]))["refund_id"]

        return world.handoff_of(abilling if is_async else billing, "billing")

    def agent(world):
        with world.acting("triage"):
            try:
                return of(world)({"task": "refund", "order_id": "A17"})
            except Exception as error:
                return f"{type(error).__name__} at {world.clock.now:g}"

    async def aagent(world):
        with world.acting("triage"):
            try:
                return await of(world)({"task": "refund", "order_id": "A17"})
            except Exception as error:
                return f"{type(error).__name__} at {world.clock.now:g}"

    return aagent if is_async else agent


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    ("fault", "value", "made", "accepted"),
    [
        ("", "re_A17", 1, 1),
        ("lost", "TimeoutError at 30", 0, 0),
        ("twice", "re_A17", 2, 2),
        ("late", "TimeoutError at 30", 1, 1),
        ("once/invalid=1", "re_A17", 1, 1),
        ("once/poisoned", "re_71A?", 1, 1),
    ],
)
def test_what_each_fault_does(fault, value, made, accepted, is_async):
    """Never called, called twice, called later, called with something else."""
    found = history(calls(is_async), f"handoff:billing#1:{fault}" if fault else "")
    assert found.ended.value == value
    assert [agent_of(found, call) for call in found.of(Called)] == ["billing"] * made
    assert len(found.of(HandoffSent)) == 1
    assert len(found.of(HandoffAccepted)) == accepted


def test_it_accepts_when_it_causes_an_effect():
    """The acceptance stands before the call; whoever raises before has rejected."""
    found = history(calls(False))
    assert found.of(HandoffAccepted)[0].seq < found.of(Called)[0].seq
    found = history(calls(False), "handoff:billing#1:once/invalid=2")
    assert found.of(HandoffAccepted) == []
    assert told(found, HandoffRejected)[0][:3] == ("handoff_1", 1, "billing")
    assert found.of(HandoffReceived)[0].problem


def test_a_receiver_that_knows_it_already():
    """The second arrival, answered without an effect, is no acceptance."""

    def agent(world):
        known = {}

        def billing(order):
            if order["order_id"] not in known:
                known[order["order_id"]] = world.tools.refund(order_id=order["order_id"])
            return known[order["order_id"]]["refund_id"]

        return world.handoff_of(billing)({"order_id": "A17"})

    found = history(agent, "handoff:billing#1:twice")
    assert len(found.of(HandoffAccepted)) == 1
    assert told(found, HandoffRejected) == [
        ("handoff_1", 2, "billing", "answered without an effect")
    ]


def test_models_and_several_arguments_come_as_they_were():
    """A model is a model again, keyword arguments are keyword arguments."""
    seen = []

    def agent(world):
        def takes(order):
            seen.append(order)

        def takes_two(order_id, amount=1):
            seen.append((order_id, amount))

        world.handoff_of(takes)(Order(order_id="A17"))
        world.handoff_of(takes_two)("A17", amount=7)

    history(agent, "handoff:takes#1:once/poisoned + handoff:takes_two#1:once/poisoned")
    assert seen == [Order(order_id="71A?", amount=10), ("71A?", 7)]


def test_astray():
    """Another function is called, where there is one."""
    seen = []

    def agent(world):
        def billing(order):
            seen.append("billing")

        def shipping(order):
            seen.append("shipping")

        first = world.handoff_of(billing)
        world.handoff_of(shipping)
        first({"order_id": "A17"})

    history(agent, "handoff:billing#1:misrouted")
    assert seen == ["shipping"]


def test_a_late_call_that_fails_harms_nobody():
    """Nobody waits for it any more."""

    async def agent(world):
        async def billing(order):
            raise LookupError

        with pytest.raises(TimeoutError):
            await world.handoff_of(billing)({"order_id": "A17"})
        await asyncio.sleep(60)
        return "went on"

    assert history(agent, "handoff:billing#1:late").ended.value == "went on"
