"""`no_deadlock`: no agents wait for each other for ever, or for nothing from the beginning."""

import asyncio

import pytest

from agentfuzz import Completion, Payload, World, bounded, no_deadlock, scenario
from invariants.histories import (
    charge,
    cut_off,
    done,
    judge,
    looked_up,
    raised,
    restarts,
    resumes,
    strikes,
    tell,
)
from invariants.teams import acts, finishes, gets, joins, sends, spawns, waited, waits_for

LAW = no_deadlock()
HUNG = cut_off("hung")
A, B = waits_for("b", "a"), waits_for("a", "b")
LATE = waited("b", "a", how="deadline"), waited("a", "b", how="deadline")


@pytest.mark.parametrize(
    "steps",
    [
        (A, waited("b", "a"), done()),
        (A, waits_for("", "b"), acts("lead"), HUNG),
        (waits_for("", "a"), waits_for("", "b"), charge(), HUNG),
        (spawns("a", "lead"), waits_for("", "lead"), finishes("a"), HUNG),
        (A, B, cut_off("budget")),
        (A, waits_for("c", "b"), HUNG),
        (waits_for("b", "a"), B, waited("a", "b", how="cancelled"), HUNG),
        (acts("b"), sends("a"), A, gets("a"), B, HUNG),
        (A, B, restarts(), HUNG),
        (A, resumes("follow_up"), B, HUNG),
    ],
    ids=[
        *("came", "somebody else could come", "a tool that never answers", "the child is over"),
        *("the budget", "no round", "given up", "was given it", "died", "another leg"),
    ],
)
def test_held(steps):
    """Nobody waits for one that waits for him, or somebody could still come."""
    assert judge(LAW, tell(*steps)) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (*LATE, done()),
        (*LATE[:1], waited("a", "b"), done("blocked")),
        (acts("b"), sends("a"), gets("a"), *LATE, done("blocked")),
        (strikes("handoff:a#1:lost"), *LATE, done("blocked")),
        (acts("lead"), waits_for("", "c"), waited("", "c", how="deadline"), *LATE[1:], done()),
    ],
    ids=["success", "one came", "they had met", "a fault struck", "an idle one"],
)
def test_waits_that_end_by_a_deadline(steps):
    """Whoever gives up honestly, or has done his work, has waited for nothing."""
    assert judge(LAW, tell(A, B, *steps)) == "HELD"


def test_broken():
    """AF606: for ever, also of more than two, by waits for whoever comes, and for children."""
    two = ["AF606 run: Waits#1 Waits#2"]
    assert judge(LAW, tell(A, B, HUNG)) == two
    assert judge(LAW, tell(A, waits_for("", "b"), HUNG)) == two
    assert judge(LAW, tell(waits_for("", "a"), waits_for("", "b"), HUNG)) == two
    assert judge(LAW, tell(A, waits_for("a", "b", "answer"), HUNG)) == two
    child = (spawns("b", "a"), waits_for("b", "a", "child"), waits_for("a", "b"), HUNG)
    assert judge(LAW, tell(*child)) == two
    three = (A, waits_for("c", "b"), waits_for("a", "c"), HUNG)
    assert judge(LAW, tell(*three)) == ["AF606 run: Waits#1 Waits#2 Waits#3"]
    tail = (waits_for("a", "c"), A, B, HUNG)
    assert judge(LAW, tell(*tail)) == ["AF606 run: Waits#2 Waits#3"]
    assert judge(LAW, tell(A, B, *LATE, done("blocked"))) == two
    assert judge(LAW, tell(A, B, *LATE, raised("TimeoutError"))) == two


def test_the_sentence():
    """It names the round, and what was lost between them."""
    lost = (acts("a"), sends("b", "refund"), A, waits_for("", "b"), HUNG)
    [told] = LAW(tell(*lost)).violations
    assert told.sentence == (
        "a waits for a handoff of b since 2 s; b waits for whoever comes (a) since 3 s, for ever. "
        "However a handed version 1 of refund to b at 1 s (handoff_1), and it was never taken."
    )
    assert told.witness == (1, 2, 3)


def test_not_exercised():
    """No agent waited for another one."""
    assert judge(LAW, tell(acts("a"), looked_up(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(spawns("b", "a"), finishes("b"), joins("b"), HUNG)) == "NOT_EXERCISED"


# on whole loops

FOR_EVER, A_WHILE = None, 60


def pair(deadline):
    """A lead that hands a task over and waits for it to come back, and a desk that does it."""

    async def lead(world: World) -> Completion:
        with world.acting("lead"):
            world.handoff("desk", Payload(task="A17"))
            try:
                back = await world.inbox_of("lead").next(deadline)
            except TimeoutError:
                return Completion.blocked(reason="outcome_unknown")
            back.accept()
            return Completion.success()

    async def desk(world: World) -> None:
        with world.acting("desk"):
            while True:
                handed = await world.inbox_of("desk").next(deadline)
                if world.store.claim(handed.id):
                    handed.accept()
                    world.handoff("lead", Payload(task="A17", version=2))

    async def agent(world: World) -> Completion:
        serves = asyncio.create_task(desk(world))
        end = await lead(world)
        serves.cancel()
        await asyncio.gather(serves, return_exceptions=True)
        return end

    return agent


async def awaits_its_child(world: World) -> Completion:
    """Hands a task to its child, and waits for the child to end; the child waits for the task."""

    async def work() -> None:
        handed = await world.inbox_of("desk").next()
        handed.accept()

    with world.acting("lead"):
        child = world.spawn("desk", work)
        world.handoff("desk", Payload(task="A17"))
        await child
    return Completion.success()


async def each_waits(world: World) -> Completion:
    """Each takes the other one for who begins."""

    async def one(name: str, other: str) -> None:
        with world.acting(name):
            await world.inbox_of(name).next(30, sender=other)

    try:
        await asyncio.gather(one("lead", "desk"), one("desk", "lead"))
    except TimeoutError:
        return Completion.blocked(reason="outcome_unknown")
    return Completion.success()


@scenario(task="Hand A17 over, and back.")
def there_and_back(world: World) -> None:
    world.agents("lead", "desk")


def test_victim(found):
    """A handoff is lost, and both wait; AF203 leaves it to this law."""
    told = found(LAW, there_and_back, pair(FOR_EVER))
    assert [one for one in told if not one.startswith("AF601")] == [
        "AF606 run: handoff:desk#1:lost"
    ]


def test_a_parent_and_its_child(found):
    """AF606: the parent waits for its child, and the child for the parent."""
    [told] = found(LAW, there_and_back, awaits_its_child, only=("lost",))
    assert told == "AF606 run: handoff:desk#1:lost"


def test_where_it_is_not_asked_the_run_hung(found):
    """AF203, without the law."""
    told = found(bounded(), there_and_back, pair(FOR_EVER))
    assert [one for one in told if not one.startswith("AF601")] == [
        "AF203 run: handoff:desk#1:lost"
    ]


def test_agents_that_wait_without_a_fault(found):
    """Nothing was lost: nobody began."""
    assert found(LAW, there_and_back, each_waits) == ["AF606 run: no faults"]


def test_survivor(held):
    """Gives up after a while, and says so."""
    assert held(LAW, there_and_back, pair(A_WHILE), depth=1, alone=True) > 0
