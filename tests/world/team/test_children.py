"""Children: begun, at work under their own names, waited for, and what each fault does to one."""

import asyncio

import pytest

from agentfuzz.core.between import Acts, Finished, Joined, Spawned, Waited, Waits
from agentfuzz.core.events import Called, Committed, Ended
from agentfuzz.invariants.queries.teams import agent_of
from world.team.support import history, told


async def works(world, order="A17"):
    await asyncio.sleep(1)
    return await world.tools.aio.refund(order_id=order)


def lead(**kwargs):
    """An agent that begins one child and waits for it."""

    async def agent(world):
        with world.acting("lead"):
            child = world.spawn("worker", works, world, **kwargs)
            try:
                return await child
            except ConnectionError as error:
                return str(error)

    return agent


def test_a_child_acts_under_its_own_name():
    """The call is the child's, the wait and the join are its parent's."""
    found = history(lead())
    (call,) = found.of(Called)
    assert agent_of(found, call) == "worker"
    assert [agent_of(found, commit) for commit in found.of(Committed)] == ["worker"]
    assert told(found, Spawned)[0][:2] == ("worker", "lead")
    assert told(found, Finished) == [("worker", "returned", {"refund_id": "re_A17"})]
    assert told(found, Joined) == [("worker", "lead", "returned")]
    assert told(found, Waits, Waited) == [
        ("lead", "worker", "child"),
        ("lead", "worker", "child", "came"),
    ]


@pytest.mark.parametrize(
    ("fault", "value", "effects", "at"),
    [
        ("fails", "worker could not be begun", 0, 0.0),
        ("dies", "worker died before it could answer", 1, 1.0),
        ("late", {"refund_id": "re_A17"}, 1, 46.0),
        ("twice", {"refund_id": "re_A17"}, 1, 1.0),
    ],
)
def test_what_becomes_of_a_child(fault, value, effects, at):
    """What its parent gets, what has happened in the world, and when."""
    found = history(lead(), f"child:worker#1:{fault}")
    ended = found.of(Ended)[0]
    assert (ended.value, len(found.ledger), found.of(Joined)[0].t) == (value, effects, at)
    assert len(found.of(Called)) == {"fails": 0, "twice": 2}.get(fault, 1)


def test_one_that_never_answers():
    """The run is hung, unless its parent sets a deadline."""

    async def patient(world):
        with world.acting("lead"):
            async with asyncio.timeout(10):
                await world.spawn("worker", works, world)

    assert history(lead(), "child:worker#1:hangs").of(Ended)[0].error == "hung"
    assert history(patient, "child:worker#1:hangs").of(Ended)[0].error == "TimeoutError"


def test_children_of_one_name_are_numbered():
    """`worker`, `worker_2`: and gathered in their order."""
    names = []

    async def agent(world):
        children = [world.spawn("worker", works, world, f"A{n}") for n in range(3)]
        names.extend(child.name for child in children)
        return await asyncio.gather(*children)

    found = history(agent)
    assert names == ["worker", "worker_2", "worker_3"]
    assert [value["refund_id"] for value in found.of(Ended)[0].value] == ["re_A0", "re_A1", "re_A2"]
    assert {agent_of(found, call) for call in found.of(Called)} == set(names)


def test_what_a_child_raises_its_parent_gets():
    """As the exception that it is, once it is awaited."""

    async def fails():
        raise LookupError("nothing there")

    async def agent(world):
        child = world.spawn("worker", fails)
        with pytest.raises(asyncio.InvalidStateError, match="await it"):
            child.result()
        with pytest.raises(LookupError, match="nothing there"):
            await child
        return child.done()

    found = history(agent)
    assert found.of(Ended)[0].value is True
    assert told(found, Finished) == [("worker", "raised", "LookupError: nothing there")]
    assert told(found, Joined) == [("worker", "", "raised")]


def test_a_child_that_is_cancelled():
    """It is finished, as cancelled."""

    async def agent(world):
        child = world.spawn("worker", works, world)
        await asyncio.sleep(0.5)
        child.cancel()
        await asyncio.gather(child, return_exceptions=True)

    found = history(agent)
    assert told(found, Finished) == [("worker", "cancelled", None)]
    assert found.of(Called) == []


@pytest.mark.parametrize(
    ("fault", "value", "calls"),
    [
        ("", {"refund_id": "re_A17"}, 1),
        ("fails", "worker could not be begun", 0),
        ("dies", "worker died before it could answer", 1),
        ("late", {"refund_id": "re_A17"}, 1),
        ("twice", {"refund_id": "re_A17"}, 2),
    ],
)
def test_a_sync_child(fault, value, calls):
    """It runs from its beginning to its end, where it is begun."""

    def agent(world):
        with world.acting("lead"):
            child = world.spawn("worker", lambda: world.tools.refund(order_id="A17"))
            assert child.done()
            try:
                return child.result()
            except ConnectionError as error:
                return str(error)

    found = history(agent, f"child:worker#1:{fault}" if fault else "")
    assert found.of(Ended)[0].value == value
    assert [agent_of(found, call) for call in found.of(Called)] == ["worker"] * calls


def test_who_acts_changes_with_whoever_crosses():
    """Two children in turns: every call is its caller's, and so is all that comes of it."""

    async def agent(world):
        async def both(name):
            for _ in range(2):
                await world.tools.aio.refund(order_id=name)
                await asyncio.sleep(1)

        await asyncio.gather(*(world.spawn(name, both, name) for name in ("a", "b")))

    found = history(agent)
    assert [one[0] for one in told(found, Acts)] == ["a", "b", "a", "b"]
    for event in found.events:
        if type(event) in (Called, Committed):
            scope = event.args["order_id"]
            assert agent_of(found, event) == scope
