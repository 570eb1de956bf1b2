"""Handoffs, mailboxes and children of async agents are crossings: another agent may go first.

Law: whoever is ready goes before or after, in every order of one preemption; without one, and for
sync agents, nothing is any different.
"""

import asyncio

import pytest

from agentfuzz import Completion, at_most_once, run, scenario
from agentfuzz.events import HandoffReceived, HandoffSent, Struck
from agentfuzz.search.space import Space
from search.support import hunt, smallest


@scenario(at_most_once("charge"), task="One of two charges order A17.")
def desk(world):
    world.agents("hub", "ann", "bob")

    @world.tool(effect="charge", scope=("order",))
    def charge(order: str) -> str:
        return "ok"


def two(takes):
    """Both are handed the same task, and one of them is to do it."""

    async def agent(world):
        taken: set[str] = set()

        async def works(name):
            with world.acting(name):
                handed = await world.inbox_of(name).next()
                if "A17" in taken:
                    handed.reject("taken")
                    return
                await takes(world, taken, handed)
                await world.tools.aio.charge(order="A17")

        with world.acting("hub"):
            for name in ("ann", "bob"):
                await world.ahandoff(name, {"task": f"A17 by {name}"})
        await asyncio.gather(works("ann"), works("bob"))
        with world.acting("hub"):
            for note in world.inbox_of("hub"):
                note.accept()
        return Completion.success(handle="A17")

    return agent


async def tells_first(world, taken, handed):
    """The check is lost: somebody else may look between it and the acceptance."""
    await world.ahandoff("hub", {"task": f"note of {handed.agent}"})
    taken.add("A17")
    handed.accept()


async def takes_first(world, taken, handed):
    taken.add("A17")
    handed.accept()
    await world.ahandoff("hub", {"task": f"note of {handed.agent}"})


ONLY = ("preempted",)


def test_a_race_at_a_handoff_is_found_by_a_preemption(simulation):
    """The check before, and the acceptance after: nothing else lets the other one in between."""
    assert run(desk, two(tells_first)).violations == ()
    result = hunt(desk, two(tells_first), simulation, depth=1, deep_runs=0)
    plans = [str(cx.plan) for cx in result.findings if cx.code == "AF101"]
    assert plans
    assert all(plan.startswith("schedule:handoff#1:preempted") for plan in plans)


def test_who_takes_before_it_waits_survives(simulation):
    """The same crossings, in the right order."""
    result = hunt(desk, two(takes_first), simulation, space=Space(only=ONLY), depth=2, deep_runs=0)
    assert result.struck
    assert smallest(result) == []


@pytest.mark.parametrize(("moment", "order"), [("", "bob ann hub"), ("/after", "ann bob hub")])
def test_a_mailbox_is_read_before_or_after_the_others(moment, order):
    """`schedule:inbox#n:preempted`."""
    history = run(desk, two(takes_first), f"schedule:inbox#1:preempted{moment}").history
    assert history.of(Struck)
    assert " ".join(got.agent for got in history.of(HandoffReceived)) == order


@pytest.mark.parametrize(
    ("plan", "order"),
    [
        ("", "ann bob scout"),
        ("schedule:spawn#1:preempted", "bob ann scout"),
        ("schedule:spawn#1:preempted/after", "bob scout ann"),
    ],
)
def test_a_child_begins_before_or_after_the_others(plan, order):
    """`schedule:spawn#n:preempted`."""

    async def agent(world):
        async def talks(name):
            with world.acting(name):
                world.handoff("hub", {"task": name})

        async def begins():
            with world.acting("ann"):
                child = await world.aspawn("scout", talks, "scout")
                world.handoff("hub", {"task": "ann"})
                await child

        await asyncio.gather(begins(), talks("bob"))

    history = run(desk, agent, plan).history
    assert bool(history.of(Struck)) is bool(plan)
    assert " ".join(one.task for one in history.of(HandoffSent)) == order


def test_who_is_alone_is_not_asked():
    """No slot is taken where nobody else is ready."""

    async def agent(world):
        with world.acting("hub"):
            await world.ahandoff("ann", {"task": "A17"})
        with world.acting("ann"):
            (await world.inbox_of("ann").next()).accept()

    assert not run(desk, agent, "schedule:handoff#1:preempted").history.of(Struck)
