"""Honest pairs of agents, and the laws of what crosses a handoff: not one is accused."""

import asyncio

import pytest

from agentfuzz import (
    Completion,
    World,
    constraints_survive,
    handoffs_settled,
    ledger_crosses,
    no_deadlock,
)
from agentfuzz.search.space import Space
from invariants.loops.handoffs import (
    UNKNOWN,
    is_refunded,
    problem,
    receives,
    refunded,
    refunds,
    wanted,
)
from search.support import hunt

DONE = Completion.success(handle="A17")
LAWS = (ledger_crosses(), no_deadlock(), handoffs_settled(), constraints_survive())


def ended(done: bool) -> Completion:
    return DONE if done else UNKNOWN


def by_id(world: World) -> Completion:
    """The desk remembers the ids of what it took."""
    with world.acting("lead"):
        receipt = world.handoff("desk", wanted())
    done = False
    with world.acting("desk"):
        for handed in world.inbox_of("desk"):
            if not world.store.claim(handed.id):
                handed.reject("known")
            elif why := problem(world, handed):
                handed.reject(why)
            else:
                handed.accept()
                done = refunded(world)
    return ended(done and receipt.status == "accepted")


def sends_again(world: World) -> Completion:
    """What was rejected is sent again, as the next version."""
    done = False
    for version in (1, 2, 3):
        with world.acting("lead"):
            receipt = world.handoff("desk", wanted(version))
        done = receives(world, "desk") or done
        if receipt.status != "rejected":
            break
    return ended(done and receipt.status == "accepted")


def sends_the_same_again(world: World) -> Completion:
    """What was not answered is sent again as it was; the desk takes the first one, and rejects the
    others."""
    done = False
    for _ in range(3):
        with world.acting("lead"):
            receipt = world.handoff("desk", wanted())
        done = receives(world, "desk") or done
        with world.acting("lead"):
            if world.answered(receipt, 60) or done:
                break
    return ended(done)


def does_it_himself(world: World) -> Completion:
    """A lead that was not answered takes the task back, under the key that the desk would use."""
    with world.acting("lead"):
        receipt = world.handoff("desk", wanted())
    done = receives(world, "desk")
    with world.acting("lead"):
        if not done and not world.answered(receipt, 60):
            done = refunded(world)
    return ended(done)


def chain(world: World) -> Completion:
    """From lead to desk to third; each hands on what it was told."""

    def hands_on(to: str, version: int, effects: tuple[str, ...]) -> bool:
        receipt = world.handoff(to, wanted(version, to, effects=effects))
        took = takes(to)
        return took and receipt.status == "accepted"

    def takes(agent: str) -> bool:
        done = []
        with world.acting(agent):
            for handed in world.inbox_of(agent):
                if why := problem(world, handed):
                    handed.reject(why)
                    continue
                handed.accept()
                told = handed.read().effects
                if agent == "desk":
                    done.append(hands_on("third", 2, told))
                else:
                    done.append(bool(told) or is_refunded(world) or refunded(world))
        return bool(done) and all(done)

    with world.acting("lead"):
        return ended(refunded(world) and hands_on("desk", 1, ("re_A17",)))


def hands_back(world: World) -> Completion:
    """The desk does it and says so; the lead looks before it would do it again."""
    with world.acting("lead"):
        world.handoff("desk", wanted())
    with world.acting("desk"):
        if receives(world, "desk"):
            world.handoff("lead", wanted(2, "lead", effects=("re_A17",)))
    with world.acting("lead"):
        for handed in world.inbox_of("lead"):
            if why := problem(world, handed):
                handed.reject(why)
                continue
            handed.accept()
            if handed.read().effects or is_refunded(world):
                return DONE
            return ended(refunded(world))
    return UNKNOWN


def fans_out(world: World) -> Completion:
    """Two desks, a task for each."""
    with world.acting("lead"):
        receipts = [world.handoff(desk, wanted(1, desk, task=desk)) for desk in ("desk", "third")]
    done = [receives(world, desk, order=desk) for desk in ("desk", "third")]
    return ended(all(done) and all(one.status == "accepted" for one in receipts))


def calls(world: World) -> Completion:
    """Functions that are called to hand over; the desk's work has a key of the order."""

    def desk(task: dict) -> bool:
        if task != {"order": "A17", "for": "desk"}:
            raise ValueError("not for me")
        return refunded(world)

    def third(task: dict) -> bool:
        raise ValueError("not for me")

    asks = world.handoff_of(desk)
    world.handoff_of(third)
    with world.acting("lead"):
        for _ in range(3):
            try:
                return ended(asks({"order": "A17", "for": "desk"}))
            except (TimeoutError, ValueError):
                continue
    return UNKNOWN


async def async_calls(world: World) -> Completion:
    """The same, awaited; what comes again is not done again."""

    async def desk(task: dict) -> bool:
        if task != {"order": "A17"}:
            raise ValueError("no task")
        if not world.store.claim("A17"):
            return world.store.get("done", False)
        world.store["done"] = await asyncio.sleep(1, refunded(world))
        return world.store["done"]

    asks = world.handoff_of(desk)
    with world.acting("lead"):
        for _ in range(3):
            try:
                return ended(await asks({"order": "A17"}))
            except (TimeoutError, ValueError):
                continue
    return UNKNOWN


async def async_pair(world: World) -> Completion:
    """Each waits for the other one for a while, and gives up honestly."""

    async def lead() -> Completion:
        with world.acting("lead"):
            world.handoff("desk", wanted())
            try:
                while True:
                    back = await world.inbox_of("lead").next(60, sender="desk")
                    if why := problem(world, back):
                        back.reject(why)
                        continue
                    back.accept()
                    return DONE
            except TimeoutError:
                return UNKNOWN

    async def desk() -> None:
        with world.acting("desk"):
            try:
                while True:
                    handed = await world.inbox_of("desk").next(60)
                    if why := problem(world, handed):
                        handed.reject(why)
                        continue
                    handed.accept()
                    if refunded(world):
                        world.handoff("lead", wanted(2, "lead", effects=("re_A17",)))
            except TimeoutError:
                return

    end, _ = await asyncio.gather(lead(), desk())
    return end


async def ping_pong(world: World) -> Completion:
    """Three times there and back; then each sees whether more comes, and goes home."""

    async def one(name: str, other: str) -> int:
        last = 0
        with world.acting(name):
            try:
                while True:
                    handed = await world.inbox_of(name).next(60, sender=other)
                    if why := problem(world, handed):
                        handed.reject(why)
                        continue
                    handed.accept()
                    last = handed.read().version
                    if last < 6:
                        world.handoff(other, wanted(last + 1, other))
            except TimeoutError:
                return last

    with world.acting("lead"):
        world.handoff("desk", wanted())
    lasts = await asyncio.gather(one("lead", "desk"), one("desk", "lead"))
    return ended(max(lasts) == 6)


async def pool(world: World) -> Completion:
    """Workers that wait for whoever comes until the work is done, and are stopped then."""

    async def worker(name: str) -> None:
        with world.acting(name):
            while True:
                handed = await world.inbox_of(name).next()
                if why := problem(world, handed):
                    handed.reject(why)
                else:
                    handed.accept()
                    world.store[handed.id] = refunded(world, handed.payload["task"])

    tasks = [asyncio.create_task(worker(name)) for name in ("desk", "third")]
    with world.acting("lead"):
        receipts = [world.handoff(name, wanted(1, name, task=name)) for name in ("desk", "third")]
    await asyncio.sleep(60)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return ended(all(world.store.get(one.id) for one in receipts))


PAIRS = (
    *(by_id, sends_again, sends_the_same_again, does_it_himself, chain),
    *(hands_back, fans_out, calls, async_calls, async_pair, ping_pong, pool),
)


@pytest.mark.parametrize("agent", PAIRS, ids=[agent.__name__ for agent in PAIRS])
@pytest.mark.parametrize("resume", [False, True], ids=["one life", "crashes"])
def test_honest_pairs(agent, resume, simulation):
    """Every fault by itself, and some plans with more."""
    story = refunds(*LAWS, resume=resume)
    space = Space(faults=story.faults)
    result = hunt(story, agent, simulation, space=space, depth=1, deep_runs=40, max_runs=900)
    assert result.struck
    assert [(cx.code, str(cx.plan), cx.violation.sentence) for cx in result.findings] == []
    assert result.laws["handoffs_settled"].held
