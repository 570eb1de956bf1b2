"""A queue of the user's own, asyncio's and that of threads: what is put is handed over."""

import asyncio
import queue

import pytest

from agentfuzz.core.between import (
    HandoffAccepted,
    HandoffReceived,
    HandoffSent,
)
from agentfuzz.core.events import Called
from agentfuzz.invariants.queries.teams import agent_of
from world.team.support import history

ITEM = {"task": "refund", "order_id": "A17"}


async def awaited(world):
    """Triage puts, billing takes; what came of it, or that nothing came in two minutes."""
    line = world.handoff_over(asyncio.Queue(), "billing")
    done = []

    async def billing():
        while True:
            item = await line.get()
            reply = await world.tools.aio.refund(order_id=item["order_id"])
            done.append(reply["refund_id"])
            line.task_done()

    worker = asyncio.create_task(billing())
    with world.acting("triage"):
        await line.put(dict(ITEM))
    await asyncio.sleep(120)
    worker.cancel()
    return done


def in_turns(world):
    """The same with a queue of threads, in one of them."""
    line, done = world.handoff_over(queue.Queue(), "billing"), []
    with world.acting("triage"):
        line.put(dict(ITEM))
    world.clock.advance(120)
    with world.acting("billing"):
        while not line.empty():
            done.append(world.tools.refund(order_id=line.get_nowait()["order_id"])["refund_id"])
    return done


@pytest.mark.parametrize("agent", [awaited, in_turns])
@pytest.mark.parametrize(
    ("fault", "done"),
    [
        ("", ["re_A17"]),
        ("lost", []),
        ("twice", ["re_A17", "re_A17"]),
        ("late", ["re_A17"]),
        ("once/poisoned", ["re_71A?"]),
    ],
)
def test_what_each_fault_does(agent, fault, done):
    """Taken as often as it arrives, by the agent that it is for, accepted before its effect."""
    found = history(agent, f"handoff:billing#1:{fault}" if fault else "")
    assert found.ended.value == done
    assert len(found.of(HandoffSent)) == 1
    assert len(found.of(HandoffReceived)) == len(found.of(HandoffAccepted)) == len(done)
    assert [agent_of(found, call) for call in found.of(Called)] == ["billing"] * len(done)
    for accepted, call in zip(found.of(HandoffAccepted), found.of(Called), strict=True):
        assert accepted.seq < call.seq
