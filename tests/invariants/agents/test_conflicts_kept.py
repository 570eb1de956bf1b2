"""`conflicts_kept`: where two children found different values, the answer does not pass it over."""

import asyncio

import pytest

from agentfuzz import Completion, World, conflicts_kept, scenario
from agentfuzz.core.between import Spawned
from agentfuzz.core.events import Done
from agentfuzz.core.faults import Slot
from invariants.histories import charged, done, happens, judge, raised, restarts, returned, tell
from invariants.teams import acts, claims, finishes, joins, spawns

LAW = conflicts_kept()


def found(agent, value, *sources, item="rent", joined=True):
    """A child of `lead` that claims a value and returns."""
    steps = (spawns(agent, "lead"), claims(item, value, *sources, agent=agent), finishes(agent))
    return (*steps, joins(agent, "lead")) if joined else steps


def says(detail):
    """A success with words for people."""
    return happens(Done, "return", "success", "completed", None, "", detail)


A, B = found("a", 900, "s1"), found("b", 950, "s2")
LEAD = acts("lead")


def lead(value, *sources):
    """What the lead makes of it."""
    return claims("rent", value, *sources, agent="lead")


@pytest.mark.parametrize(
    "steps",
    [
        (lead([900, 950]), done()),
        (lead({"a": 900, "b": 950}), done()),
        (lead("between 900 and 950"), done()),
        (lead(900, "s1", "s2"), done()),
        (lead(900, "a", "b"), done()),
        (lead(900, "b"), done()),
        (lead(900), done("partial")),
        (lead(900), done("blocked")),
        (lead(900), says("The sources differ about the rent.")),
        (lead("it depends"), done()),
        (claims("rent", [900, 950], agent="editor"), lead(900), done()),
        (done(),),
        (done(handle="900 pages"),),
        (done(), returned({"rent": [900, 950]})),
        (done(), returned({"pages": 900})),
    ],
    ids=[
        *("both", "each with its name", "both in words", "both sources", "both agents"),
        *("the other one's finder", "partial", "blocked", "in the detail", "neither"),
        *("somebody else has said it", "not used", "of something else", "both in the answer"),
        "another item",
    ],
)
def test_held(steps):
    """Both are there, or it is said that they differ."""
    assert judge(LAW, tell(*A, *B, *steps)) == "HELD"


@pytest.mark.parametrize(
    ("steps", "where"),
    [
        ((lead(900, "s1"), done()), "Claimed#3 Done#1"),
        ((lead(950.0), done()), "Claimed#3 Done#1"),
        ((lead("about 950"), says("parents are fine")), "Claimed#3 Done#1"),
        ((lead([900, 950]), lead(900), done()), None),
        ((done(handle="rent=900"),), "Done#1"),
        ((done(), returned({"found": [{"rent": 950}]})), "Done#1"),
    ],
    ids=["one", "the other one", "in words", "kept before", "the handle", "the answer"],
)
def test_broken(steps, where):
    """AF705: one value is claimed, and success, and nothing is said of the other one."""
    expected = [f"AF705 rent: Claimed#1 Claimed#2 {where}"] if where else "HELD"
    assert judge(LAW, tell(*A, *B, *steps)) == expected


def test_the_source_of_both_is_no_name_of_one():
    """AF705: when both found it in one result, that result says nothing of who differs."""
    same = (*found("a", 900, "s1"), *found("b", 950, "s1"))
    broken = ["AF705 rent: Claimed#1 Claimed#2 Claimed#3 Done#1"]
    assert judge(LAW, tell(*same, lead(900, "s1"), done())) == broken
    assert judge(LAW, tell(*same, lead(900, "s1", "b"), done())) == "HELD"


def test_the_name_that_it_was_given():
    """AF705: `b` is the name of `b_2`, too."""
    begun = happens(Spawned, "b_2", "lead", Slot("child", "b", 2))
    again = (begun, *found("b_2", 950, "s2")[1:])
    assert judge(LAW, tell(*A, *again, lead(900, "a", "b"), done())) == "HELD"
    broken = ["AF705 rent: Claimed#1 Claimed#2 Claimed#3 Done#1"]
    assert judge(LAW, tell(*A, *again, lead(900, "a", "c"), done())) == broken


def test_three_values():
    """AF705: two of three are not all of them."""
    three = (*A, *B, *found("c", 990, "s3"))
    broken = ["AF705 rent: Claimed#1 Claimed#2 Claimed#3 Claimed#4 Done#1"]
    assert judge(LAW, tell(*three, lead([900, 950]), done())) == broken


@pytest.mark.parametrize(
    "steps",
    [
        A,
        (*A, *found("b", 900.0, "s2")),
        (*found("a", "Main  Street"), *found("b", "main street")),
        (*A, *found("b", 950, item="heating")),
        (*A, *found("b", 950, joined=False)),
        (*A, spawns("b", "lead"), claims("rent", 950, agent="b"), joins("b", "lead", "raised")),
        (*A, *B[:2], claims("rent", 900, agent="b"), *B[2:]),
        (*A, *B[:1], *B[2:], claims("rent", 950, agent="b")),
        (*A, claims("rent", 950, agent="lead")),
        (*A, restarts(), *B),
    ],
    ids=[
        *("one child", "the same", "the same in other letters", "another item", "not asked for"),
        *("died", "two values of its own", "after it was heard", "the lead itself"),
        "before a crash",
    ],
)
def test_not_exercised(steps):
    """No two children disagreed, as far as their parent could know."""
    assert judge(LAW, tell(*steps, lead(900), done())) == "NOT_EXERCISED"


def test_nothing_was_said():
    """AF705 is about what a run says at its end."""
    assert judge(LAW, tell(*A, *B, lead(900), raised("KeyError"))) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"


# on whole loops


@scenario(task="What is the rent? Ask both offices.")
def offices(world: World) -> None:
    @world.tool
    def ask(office: str) -> dict:
        return {"id": f"doc-{office}", "rent": 900}


async def _ask(world: World, office: str) -> tuple[int, str]:
    reply = await world.tools.aio.ask(office=office)
    rent, source = reply["rent"], reply["id"]
    world.claim("rent", rent, [source])
    return rent, source


async def _both(world: World) -> list[tuple[int, str]] | None:
    children = [world.spawn(office, _ask, world, office) for office in ("east", "west")]
    waits = [asyncio.wait_for(child, 60) for child in children]
    found = await asyncio.gather(*waits, return_exceptions=True)
    return None if any(isinstance(one, Exception) for one in found) else found


async def by_item(world: World) -> Completion:
    """Victim: one value for each item, the last one."""
    found = await _both(world)
    if found is None:
        return Completion.failed()
    rent, source = found[-1]
    world.claim("rent", rent, [source])
    return Completion.success(handle="rent")


async def in_the_answer(world: World) -> Completion:
    """Victim: claims nothing, and answers with the first one."""
    found = await _both(world)
    return (
        Completion.failed() if found is None else Completion.success(handle=f"rent {found[0][0]}")
    )


async def both_of_them(world: World) -> Completion:
    """Survivor: keeps each value with its source."""
    found = await _both(world)
    if found is None:
        return Completion.failed()
    rents = sorted({rent for rent, _ in found}, key=str)
    world.claim("rent", rents[0] if len(rents) == 1 else rents, [source for _, source in found])
    return Completion.success(handle="rent")


def test_victim(found):
    """One false number, and the two disagree."""
    assert found(LAW, offices, by_item) == ["AF705 rent: ask#1:once/wrong"]
    assert found(LAW, offices, in_the_answer) == ["AF705 rent: ask#1:once/wrong"]


def test_survivor(held):
    """Under every fault what differs is told."""
    assert held(LAW, offices, both_of_them, depth=1) > 0
