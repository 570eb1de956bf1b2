"""`fan_out`: at every moment at most so many children are at work."""

import asyncio

import pytest

from agentfuzz import Completion, ScenarioError, World, fan_out, scenario
from invariants.histories import charged, done, judge, restarts, resumes, tell
from invariants.teams import finishes, joins, spawns

LAW = fan_out(limit=2)


@pytest.mark.parametrize(
    "steps",
    [
        (spawns("a"), spawns("b")),
        (spawns("a"), finishes("a"), spawns("b"), finishes("b"), spawns("c"), joins("a")),
        (spawns("a"), spawns("b"), finishes("b", "raised"), spawns("c")),
        (spawns("a"), spawns("b"), restarts(), spawns("c"), spawns("d")),
        (spawns("a"), resumes("duplicate", 2, "running"), spawns("c"), spawns("d")),
    ],
    ids=["two", "one after the other", "a place is free", "another process", "another leg"],
)
def test_held(steps):
    """Who has ended takes no place, and neither does who died with the process."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


def test_broken():
    """AF702: the third one, whoever began it, and whoever ends later."""
    steps = (spawns("a"), spawns("b"), spawns("c", "a"), finishes("a"), finishes("b"))
    assert judge(LAW, tell(*steps, done())) == ["AF702 children: Spawned#1 Spawned#2 Spawned#3"]
    assert judge(fan_out(limit=3), tell(*steps, done())) == "HELD"


def test_the_title_counts_them_all():
    """AF702 says how many there were, and which was the first one too many."""
    many = [spawns(f"s{number}") for number in range(1, 51)]
    (violation,) = fan_out()(tell(*many, done())).violations
    assert violation.title == "50 agents at once, 5 allowed"
    assert "s6, begun at 5 s" in violation.sentence


def test_not_exercised():
    """Nobody was spawned."""
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"


def test_no_limit():
    """A limit that nothing could keep is refused."""
    with pytest.raises(ScenarioError, match=r"fan_out\(limit=0\)"):
        fan_out(limit=0)


# on whole loops


@scenario(task="Search for each part.")
def search(world: World) -> None:
    @world.tool
    def plan() -> int:
        return 2

    @world.tool
    def find(part: str) -> str:
        return f"found {part}"


async def _find(world: World, part: str) -> str:
    return await world.tools.aio.find(part=part)


async def _all(world: World, at_once: int) -> Completion:
    """A child for each part of the plan, so many at once."""
    try:
        parts = min(int(await world.tools.aio.plan()), 50)
    except Exception:
        return Completion.failed()
    room = asyncio.Semaphore(at_once)

    async def one(part: str) -> str:
        async with room:
            child = world.spawn(part, _find, world, part)
            try:
                return await asyncio.wait_for(child, 60)
            finally:
                child.cancel()

    found = await asyncio.gather(*(one(f"part{n}") for n in range(parts)), return_exceptions=True)
    failed = any(isinstance(part, Exception) for part in found)
    return Completion.partial() if failed else Completion.success()


async def all_at_once(world: World) -> Completion:
    """Victim: as many as the plan has, and once it is false, and has ten times as many."""
    return await _all(world, 50)


async def two_at_once(world: World) -> Completion:
    """Survivor: a place must be free."""
    return await _all(world, 2)


def test_victim(found):
    """One false number in a plan is enough."""
    assert found(LAW, search, all_at_once) == ["AF702 children: plan#1:once/wrong"]


def test_survivor(held):
    """However many there are to be."""
    assert held(LAW, search, two_at_once, depth=1) > 0
