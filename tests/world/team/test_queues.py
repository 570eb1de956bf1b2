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


NEXT = {"task": "mail", "order_id": "B18"}


@pytest.mark.parametrize("fault", ["1:twice", "1:late", "2:late"])
@pytest.mark.parametrize("nowait", [False, True])
def test_a_full_queue_of_threads(fault, nowait):
    """Its sender put one item: what comes once more, or late, waits for room, and then is there."""

    def agent(world):
        line, got = world.handoff_over(queue.Queue(maxsize=1), "billing"), []
        put = line.put_nowait if nowait else line.put
        for item in (ITEM, NEXT):
            put(dict(item))
            if item is NEXT:
                world.clock.advance(120)
            while not line.empty() and (item is NEXT or fault != "1:late"):
                got.append(line.get_nowait()["task"])
        return got

    found = history(agent, f"handoff:billing#{fault}")
    assert found.ended.how == "returned", found.ended
    assert sorted(found.ended.value) == ["mail"] + ["refund"] * (2 if "twice" in fault else 1)


@pytest.mark.parametrize(("fault", "got"), [("twice", 2), ("late", 1), ("lost", 0)])
def test_a_full_queue_of_asyncio(fault, got):
    """Who puts one item and takes it himself does not wait for the second arrival of it."""

    async def agent(world):
        line, taken = world.handoff_over(asyncio.Queue(maxsize=1), "billing"), []
        await line.put(dict(ITEM))
        await asyncio.sleep(120)
        while not line.empty():
            taken.append((await line.get())["task"])
        return taken

    assert history(agent, f"handoff:billing#1:{fault}").ended.value == ["refund"] * got


@pytest.mark.parametrize("fault", ["", "handoff:billing#1:twice"])
def test_a_queue_that_has_an_order(fault):
    """A priority queue gives what goes first first."""

    def agent(world):
        line = world.handoff_over(queue.PriorityQueue(), "billing")
        line.put((2, "mail"))
        line.put((1, "refund"))
        return [line.get()[1] for _ in range(line.qsize())]

    assert history(agent, fault).ended.value == ["refund", "mail", "mail"][: 3 if fault else 2]
