"""Values that agents share: versions, stale writes, and one agent in the middle of another."""

import asyncio

import pytest

from agentfuzz import StaleWrite
from agentfuzz.core.between import SharedRead, SharedWritten
from agentfuzz.core.events import Struck
from world.team.support import history, told


def test_each_write_is_a_version():
    """Read and written as events, with what a write was made from."""

    def agent(world):
        with world.acting("a"):
            assert world.shared.read("stock") == (None, 0)
            assert world.shared.write("stock", 5) == 1
            world.shared["stock"] = world.shared["stock"] - 1
        with world.acting("b"):
            assert world.shared.read("stock") == (4, 2)
            assert world.shared.write("stock", 3, if_version=2) == 3
            with pytest.raises(StaleWrite, match="at version 3, not 2"):
                world.shared.write("stock", 0, if_version=2)
        assert list(world.shared) == ["stock"]
        assert len(world.shared) == 1
        assert "stock" in world.shared
        with pytest.raises(KeyError):
            world.shared["other"]

    found = history(agent)
    assert told(found, SharedWritten) == [
        ("a", "stock", 0, 1, 5, False),
        ("a", "stock", 1, 2, 4, False),
        ("b", "stock", 2, 3, 3, True),
    ]
    assert [one[:3] for one in told(found, SharedRead)] == [
        ("a", "stock", 0),
        ("a", "stock", 1),
        ("b", "stock", 2),
    ]


def test_what_is_read_is_a_copy():
    """Nobody changes a shared value but by writing it."""

    def agent(world):
        world.shared["plan"] = ["a"]
        world.shared["plan"].append("b")
        assert world.shared["plan"] == ["a"]

    history(agent)


def test_another_agent_in_the_middle():
    """`schedule:shared#n:preempted`: the other one writes between a read and its write."""

    async def takes(world, name):
        value, _ = await world.shared.aread("stock")
        await world.shared.awrite("stock", (value or 0) + 1)

    async def agent(world):
        with world.acting("lead"):
            world.shared["stock"] = 0
        await asyncio.gather(*(world.spawn(name, takes, world, name) for name in ("a", "b")))
        return world.shared["stock"]

    calm = history(agent)
    struck = history(agent, "schedule:shared#2:preempted")
    assert calm.ended.value == 2
    assert struck.ended.value == 1
    assert len(struck.of(Struck)) == 1
    last = struck.of(SharedWritten)[-1]
    assert last.based_on < last.version - 1


def test_another_agent_before_a_turn_of_the_model():
    """`schedule:model#n:preempted`: what is ready goes first; who is alone is never asked."""

    async def asks(world, name, said):
        await world.model.aio([{"role": "user", "content": name}])
        said.append(name)

    async def agent(world):
        said = []
        await asyncio.gather(*(world.spawn(name, asks, world, name, said) for name in ("a", "b")))
        return said

    assert history(agent, script=["Done."]).ended.value == ["a", "b"]
    struck = history(agent, "schedule:model#1:preempted", script=["Done."])
    assert struck.ended.value == ["b", "a"]
    assert len(struck.of(Struck)) == 1
