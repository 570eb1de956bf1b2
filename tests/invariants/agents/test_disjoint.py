"""`disjoint`: one piece of work has one agent, until another one takes it over."""

import asyncio

import pytest

from agentfuzz import Completion, ToolError, World, disjoint, scenario
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    refund,
    refuse,
    restarts,
    resumes,
    strikes,
    tell,
    timeout,
)
from invariants.teams import accepts, acts, finishes, gets, sends, spawns

LAW = disjoint()
A, B = acts("a"), acts("b")
FALSE = "charge_card#1:once/wrong"
BOTH = (spawns("a"), spawns("b"))


@pytest.mark.parametrize(
    "steps",
    [
        (*BOTH, A, charged("A17"), B, charged("B18")),
        (*BOTH, A, charged(), charged(), B, charged("B18")),
        (A, charge(), timeout(), sends("b"), gets(), accepts(), B, charged()),
        (A, charge(), timeout(), sends("pool"), gets(), B, accepts(), charged()),
        (spawns("a"), A, charged(), finishes("a", "raised"), spawns("b"), B, charged()),
        (spawns("a"), A, charge(), finishes("a", "cancelled"), spawns("b"), B, charged()),
        (spawns("a"), A, charge(), timeout(), finishes("a"), spawns("b"), B, charged()),
        (*BOTH, A, charge(), strikes(FALSE), commit(), ok(), finishes("a"), B, charged()),
        (A, charge(), refuse("tool_raised"), B, charged()),
        (has_undos(), A, charged(), refund(), commit(), ok(), B, charged()),
        (spawns("a"), A, charged(), restarts(), spawns("b"), B, charged()),
        (spawns("a"), A, charged(), finishes("a"), resumes("decision"), B, charged()),
        (A, charged(), restarts(), A, charge(), refuse("tool_raised"), B, charged()),
        (A, charged(), acts(""), charged(), B, charged("B18")),
    ],
    ids=[
        *("each its own", "one agent again", "handed over", "handed to a pool"),
        "taken over from one that died",
        *("from one that was stopped", "from one that did not know", "from one in doubt"),
        *("refused", "taken back", "another process", "another leg", "refused in this leg"),
        "nobody's",
    ],
)
def test_held(steps):
    """Each piece has one agent, or the second one took it over."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (*BOTH, A, charged(), B, charged()),
        (*BOTH, A, charge(), timeout(), B, charged()),
        (spawns("a"), A, charged(), finishes("a"), spawns("b"), B, charged()),
        (sends("b"), gets(), accepts(), A, charged(), B, charged()),
        (A, charged(), sends("b"), gets(), B, charged()),
        (spawns("a"), A, charge(), acts(""), charge()),
    ],
    ids=["both", "still at it", "done", "accepted before", "not accepted", "and the parent"],
)
def test_broken(steps):
    """AF701: the second one has not taken it over."""
    assert judge(LAW, tell(*steps, done())) == ["AF701 charge: Called#1 Called#2"]
    assert judge(disjoint("shipment"), tell(*steps, done())) == "NOT_EXERCISED"


def test_not_exercised():
    """Nobody, or one agent alone, called for an effect."""
    assert judge(LAW, tell(A, charged(), charged(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), charged(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(A, looked_up(), B, looked_up(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(A, call("nobody"), B, charged(), done())) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)


@scenario(task="File the notes on rent and on heating.")
def notes(world: World) -> None:
    @world.tool(effect="note", scope=("topic",), dedup="scope")
    def file_note(topic: str) -> str:
        return f"filed {topic}"


async def _file(world: World, topic: str) -> bool:
    for _ in range(3):
        try:
            if await world.tools.aio.file_note(topic=topic) == f"filed {topic}":
                return True
        except FAULTS:
            continue
    return False


async def _filed(world: World, *topics: str, stop: bool = True) -> Completion:
    """A child for each topic, and another one where it fails or takes longer than 40 seconds."""
    for number, topic in enumerate(topics, 1):
        for name in (f"writer{number}", f"substitute{number}"):
            child = world.spawn(name, _file, world, topic)
            try:
                if await asyncio.wait_for(child, 40):
                    break
            except FAULTS:
                if stop:
                    child.cancel()
        else:
            return Completion.blocked(reason="outcome_unknown")
    return Completion.success(handle=", ".join(topics))


async def overlapping(world: World) -> Completion:
    """Victim: its plan names one topic twice."""
    return await _filed(world, "rent", "rent")


async def leaves_it_at_work(world: World) -> Completion:
    """Victim: what it no longer waits for goes on."""
    return await _filed(world, "rent", "heating", stop=False)


async def stops_it_first(world: World) -> Completion:
    """Survivor: a topic for each, and whoever is not waited for any more is stopped."""
    return await _filed(world, "rent", "heating")


async def pool(world: World) -> Completion:
    """Survivor: two workers behind one queue; what is not filed in ten minutes is put once more.
    Each topic is one worker's at a time."""
    line = world.handoff_over(asyncio.Queue(), "worker")
    filed: set[str] = set()
    at: set[str] = set()

    async def works(name: str) -> None:
        while True:
            topic = await line.get()
            with world.acting(name):
                if topic not in ("rent", "heating") or topic in at | filed:
                    continue
                at.add(topic)
                if await _file(world, topic):
                    filed.add(topic)
                at.discard(topic)

    workers = [asyncio.create_task(works(f"w{n}")) for n in (1, 2)]
    with world.acting("boss"):
        for _ in range(3):
            for topic in ("rent", "heating"):
                if topic not in filed:
                    await line.put(topic)
            await asyncio.sleep(600)
    for worker in workers:
        worker.cancel()
    return Completion.success() if len(filed) == 2 else Completion.blocked(reason="other")


def test_a_pool_of_workers(held):
    """What one of them gave up another one does, when it is put into their queue again."""
    assert held(LAW, notes, pool, depth=1) > 0


def test_victim(found):
    """The plan overlaps; and the first child is late, not gone."""
    assert found(LAW, notes, overlapping) == ["AF701 note: no faults"]
    late = found(LAW, notes, leaves_it_at_work)
    assert late == ["AF701 note: child:writer1#1:late"]


def test_survivor(held):
    """Under every fault each topic is one agent's."""
    assert held(LAW, notes, stops_it_first, depth=1) > 0
