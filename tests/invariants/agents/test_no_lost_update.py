"""`no_lost_update`: an update rests on the latest version of a shared value."""

import asyncio

import pytest

from agentfuzz import Completion, StaleWrite, World, no_lost_update, scenario
from invariants.histories import charged, done, judge, tell
from invariants.teams import acts, reads, writes

LAW = no_lost_update()
A, B = acts("a"), acts("b")
FIRST = writes("stock", 0, 1, 10, "lead")


@pytest.mark.parametrize(
    "steps",
    [
        (reads("stock", 1, 10, "a"), writes("stock", 1, 2, 9, "a"), reads("stock", 2, 9, "b")),
        (reads("stock", 1, 10, "a"), writes("stock", 1, 2, 9, "a"), writes("stock", 2, 3, 8, "b")),
        (
            reads("stock", 1, 10, "a"),
            *(writes("stock", 1, 2, 9, "a"), writes("stock", 1, 3, 8, "a")),
        ),
        (writes("stock", 0, 2, 9, "b"), writes("stock", 0, 3, 0, "a")),
        (
            *(reads("stock", 1, 10, "a"), writes("stock", 1, 2, 9, "b")),
            *(reads("price", 0, None, "a"), writes("price", 0, 1, 9, "a")),
        ),
    ],
    ids=[
        *("read", "in turn", "over its own", "set, not updated", "another value"),
    ],
)
def test_held(steps):
    """Nothing of another agent's is gone that was not meant to go."""
    assert judge(LAW, tell(FIRST, *steps, done())) == "HELD"


def test_broken():
    """AF704: both read version 1; it is told who read, who wrote, who overwrote."""
    both = (reads("stock", 1, 10, "a"), reads("stock", 1, 10, "b"))
    history = tell(FIRST, *both, writes("stock", 1, 2, 9, "b"), writes("stock", 1, 3, 9, "a"))
    assert judge(LAW, history) == ["AF704 stock: SharedRead#1 SharedWritten#2 SharedWritten#3"]
    (violation,) = LAW(history).violations
    assert violation.sentence == (
        "a read version 1 of stock at 1 s; b wrote version 2 at 3 s; a wrote version 3 from "
        "version 1 at 4 s: what b wrote is gone."
    )


def test_what_was_written_is_known():
    """AF704: from its own write an agent goes on as from a read one; both begin with nothing."""
    both = (reads("n", 0, None, "a"), reads("n", 0, None, "b"))
    assert judge(LAW, tell(*both, writes("n", 0, 1, 1, "b"), writes("n", 0, 2, 1.5, "a"))) == [
        "AF704 n: SharedRead#1 SharedWritten#1 SharedWritten#2"
    ]
    own = (*both, writes("n", 0, 1, 1, "a"), writes("n", 1, 2, 2, "b"), writes("n", 1, 3, 3, "a"))
    assert judge(LAW, tell(*own)) == ["AF704 n: SharedWritten#1 SharedWritten#2 SharedWritten#3"]


def test_not_exercised():
    """No value was written by two agents."""
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(A, reads("n", 0), writes("n", 0, 1), done())) == "NOT_EXERCISED"
    other = (A, writes("n", 0, 1), B, writes("m", 0, 1), reads("n", 1))
    assert judge(LAW, tell(*other, done())) == "NOT_EXERCISED"


# on whole loops


@scenario(task="Count both visitors.")
def visitors(world: World) -> None:
    @world.tool
    def look() -> str:
        return "nobody"


async def _both(world: World, count) -> Completion:
    children = [world.spawn(name, count, world) for name in ("a", "b")]
    waits = [asyncio.wait_for(child, 60) for child in children]
    ends = await asyncio.gather(*waits, return_exceptions=True)
    return Completion.success() if ends == [True, True] else Completion.failed()


async def overwrites(world: World) -> Completion:
    """Victim: reads, adds one, writes."""

    async def count(world: World) -> bool:
        seen, _ = await world.shared.aread("visitors")
        await world.shared.awrite("visitors", (seen or 0) + 1)
        return True

    return await _both(world, count)


async def compares(world: World) -> Completion:
    """Survivor: writes over what it has read, or reads again."""

    async def count(world: World) -> bool:
        for _ in range(3):
            seen, version = await world.shared.aread("visitors")
            try:
                await world.shared.awrite("visitors", (seen or 0) + 1, if_version=version)
            except StaleWrite:
                continue
            return True
        return False

    return await _both(world, count)


def test_victim(found):
    """One of the two goes first between the other one's read and its write."""
    assert found(LAW, visitors, overwrites) == ["AF704 visitors: schedule:shared#2:preempted"]


def test_survivor(held):
    """In every order."""
    assert held(LAW, visitors, compares, depth=1) > 0
