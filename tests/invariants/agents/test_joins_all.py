"""`joins_all`: a success has the result of every child, or says which is missing."""

import asyncio

import pytest

from agentfuzz import Completion, World, joins_all, scenario
from agentfuzz.core.between import Spawned
from agentfuzz.core.events import Done
from agentfuzz.core.faults import Slot
from invariants.histories import charged, done, happens, judge, raised, restarts, resumes, tell
from invariants.teams import (
    accepts,
    acts,
    finishes,
    gets,
    joins,
    reads,
    sends,
    spawns,
    waited,
    writes,
)

LAW = joins_all()
A, B = spawns("a"), spawns("b")
A_CAME, B_CAME = (finishes("a"), joins("a")), (finishes("b"), joins("b"))
A_FAILED = (finishes("a", "raised"), joins("a", how="raised"))
AGAIN = happens(Spawned, "a_2", "", Slot("child", "a", 2))
SHARES = (acts("lead"), A, acts("a"), writes("found", 0, 1), finishes("a"))
A2_FAILED = (finishes("a_2", "raised"), joins("a_2", how="raised"))
A2_CAME = (finishes("a_2"), joins("a_2"))

IN_BETWEEN = (resumes("duplicate", 2, "running"), AGAIN, *A2_CAME, resumes("back", 1))


def says(detail):
    """A success with words for people."""
    return happens(Done, "return", "success", "completed", None, "", detail)


@pytest.mark.parametrize(
    "steps",
    [
        (A, B, *A_CAME, *B_CAME, done()),
        (A, *A_FAILED, done("partial")),
        (A, *A_FAILED, done("blocked")),
        (A, *A_FAILED, says("without a, which failed")),
        (A, *A_FAILED, AGAIN, *A2_CAME, done()),
        (A, waited("a", how="cancelled"), AGAIN, *A2_CAME, done()),
        (A, *A_FAILED, AGAIN, finishes("a_2", "raised"), says("a is missing")),
        (*SHARES, reads("found", 1, agent="lead"), done()),
        (A, *A_CAME, restarts(), B, *B_CAME, done()),
        (A, restarts(), AGAIN, *A2_CAME, done()),
        (*SHARES, restarts(), AGAIN, *A2_FAILED, reads("found", 1, agent="lead"), done()),
        (A, *IN_BETWEEN, *A_FAILED, done()),
    ],
    ids=[
        *("all", "partial", "blocked", "named", "begun again", "given up and begun again"),
        *("named by the name it was given", "shared", "before a crash"),
        *("lost with the process", "shared before a crash", "brought by another leg"),
    ],
)
def test_held(steps):
    """All came, or were made up for, or are named."""
    assert judge(LAW, tell(*steps)) == "HELD"


def test_what_is_handed_over_counts_once_it_is_accepted():
    """AF703 is for a part that is under way."""
    to_lead = (acts("lead"), spawns("a"), acts("a"), sends("lead"), finishes("a"))
    assert judge(LAW, tell(*to_lead, gets(), accepts(), acts("lead"), done())) == "HELD"
    broken = ["AF703 a: Spawned#1 Finished#1 Done#1"]
    assert judge(LAW, tell(*to_lead, acts("lead"), done())) == broken


@pytest.mark.parametrize(
    ("steps", "witness"),
    [
        ((A, done()), "Spawned#1 Done#1"),
        ((A, finishes("a"), done()), "Spawned#1 Finished#1 Done#1"),
        ((A, *A_FAILED, done()), "Spawned#1 Finished#1 Joined#1 Done#1"),
        ((A, B, *A_FAILED, *B_CAME, says("lab b")), "Spawned#1 Finished#1 Joined#1 Done#1"),
        ((AGAIN, A, *A2_CAME, finishes("a", "cancelled"), done()), "Spawned#2 Finished#2 Done#1"),
        ((A, done(), *A_CAME), "Spawned#1 Done#1"),
        ((*SHARES, done()), "Spawned#1 Finished#1 Done#1"),
    ],
    ids=[
        *("at work", "not asked for", "failed", "part of a word", "made up for before"),
        *("too late", "shared, and not read"),
    ],
)
def test_broken(steps, witness):
    """AF703: success, and one part is not there."""
    assert judge(LAW, tell(*steps)) == [f"AF703 a: {witness}"]


def test_another_request():
    """AF703: what was found for the request before makes up for nothing in this one."""
    before = (A, *A_CAME, done(), resumes("follow_up"))
    broken = ["AF703 a: Spawned#2 Finished#2 Joined#2 Done#2"]
    assert judge(LAW, tell(*before, AGAIN, *A2_FAILED, done())) == broken
    assert judge(LAW, tell(*before, AGAIN, *A2_CAME, done())) == "HELD"


def test_children_side_by_side_under_one_name():
    """AF703: who was begun at the same moment has another part, and makes up for nothing."""
    side_by_side = [
        Spawned(0, 0.0, "a", "", Slot("child", "a", 1)),
        Spawned(1, 0.0, "a_2", "", Slot("child", "a", 2)),
    ]

    def begin(story):
        story.events.extend(side_by_side)

    assert judge(LAW, tell(begin, *A_FAILED, *A2_CAME, done())) == [
        "AF703 a: Spawned#1 Finished#1 Joined#1 Done#1"
    ]


def test_a_child_says_done_for_itself():
    """The done tool in the hands of a child ends nothing but the child (AF703)."""
    own = (A, acts("a"), done(via="tool"), finishes("a"))
    assert judge(LAW, tell(*own, acts(""))) == "NOT_EXERCISED"
    broken = ["AF703 a: Spawned#1 Finished#1 Done#2"]
    assert judge(LAW, tell(*own, acts(""), done(via="tool"))) == broken


@pytest.mark.parametrize("steps", [(charged(), done()), (A, raised("KeyError")), (A,)])
def test_not_exercised(steps):
    """There was no child, or nothing was said."""
    assert judge(LAW, tell(*steps)) == "NOT_EXERCISED"


# on whole loops


@scenario(task="Ask both labs.")
def labs(world: World) -> None:
    @world.tool
    def ask(lab: str) -> str:
        return f"{lab} says yes"


async def _ask(world: World, lab: str) -> str:
    return await world.tools.aio.ask(lab=lab)


async def puts_together_what_came(world: World) -> Completion:
    """Victim: what failed is left out."""
    children = [world.spawn(lab, _ask, world, lab) for lab in ("lab1", "lab2")]
    waits = [asyncio.wait_for(child, 60) for child in children]
    found = await asyncio.gather(*waits, return_exceptions=True)
    came = [one for one in found if not isinstance(one, Exception)]
    return Completion.success(handle=f"{len(came)} labs") if came else Completion.failed()


async def waits_for_a_while(world: World) -> Completion:
    """Victim: who has not ended after forty seconds is forgotten."""
    children = [world.spawn(lab, _ask, world, lab) for lab in ("lab1", "lab2")]
    await asyncio.sleep(40)
    try:
        found = [child.result() for child in children if child.done()]
    except Exception:
        return Completion.failed()
    return Completion.success(handle=f"{len(found)} labs")


async def asks_again(world: World) -> Completion:
    """Survivor: a failed part once more, and then it is named."""

    async def one(lab: str) -> bool:
        for _ in range(2):
            try:
                await asyncio.wait_for(world.spawn(lab, _ask, world, lab), 60)
                return True
            except Exception:
                continue
        return False

    names = ("lab1", "lab2")
    missing = [lab for lab in names if not await one(lab)]
    return Completion.success(detail=f"without {', '.join(missing)}" if missing else "")


def test_victim(found):
    """A child that fails is left out; one that is late is not waited for."""
    failed = found(LAW, labs, puts_together_what_came)
    assert failed == ["AF703 lab1: ask#1:once/timeout", "AF703 lab2: ask#2:once/timeout"]
    late = found(LAW, labs, waits_for_a_while)
    assert late == ["AF703 lab1: child:lab1#1:late", "AF703 lab2: child:lab2#1:late"]


def test_survivor(held):
    """Whatever becomes of a child."""
    assert held(LAW, labs, asks_again, depth=1) > 0
