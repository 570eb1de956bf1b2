"""Waiting for a handoff: by whom, from whom, how long, and what of it is written down."""

import asyncio

import pytest

from agentfuzz import World
from agentfuzz.core.between import Waited, Waits
from agentfuzz.core.events import Ended
from world.team.support import history, told


async def _hand_later(world: World, seconds: float, sender: str = "triage", to: str = "billing"):
    await asyncio.sleep(seconds)
    with world.acting(sender):
        world.handoff(to, {"task": "A17", "from": sender})


def test_an_async_agent_waits_in_virtual_time():
    """`next` comes back with what arrives; the wait has a beginning and an end."""
    seen = []

    async def agent(world):
        later = asyncio.create_task(_hand_later(world, 20.0))
        with world.acting("billing"):
            handed = await world.inbox_of("billing").next()
        await later
        seen.append((handed.payload["from"], world.clock.now))

    found = history(agent)
    assert seen == [("triage", 20.0)]
    assert told(found, Waits, Waited) == [
        ("billing", "", "handoff"),
        ("billing", "", "handoff", "came"),
    ]


def test_a_deadline():
    """TimeoutError after so many virtual seconds, sync and async alike."""
    at = []

    async def waits(world):
        with world.acting("billing"), pytest.raises(TimeoutError, match="no handoff for billing"):
            await world.inbox_of("billing").next(timeout=12)
        at.append(world.clock.now)

    def blocks(world):
        with world.acting("billing"), pytest.raises(TimeoutError, match="no handoff for billing"):
            world.inbox_of("billing").receive(12)
        at.append(world.clock.now)

    for agent in (waits, blocks):
        assert told(history(agent), Waited) == [("billing", "", "handoff", "deadline")]
    assert at == [12.0, 12.0]


def test_a_sender_can_be_named():
    """The others' handoffs stay in the mailbox."""
    seen = []

    async def agent(world):
        tasks = [
            asyncio.create_task(_hand_later(world, 1.0, "shipping")),
            asyncio.create_task(_hand_later(world, 5.0, "triage")),
        ]
        with world.acting("billing"):
            box = world.inbox_of("billing")
            seen.append((await box.next(sender="triage")).sender)
            seen.append(box.take(sender="nobody"))
            seen.append(box.take().sender)
            seen.append(len(box))
        await asyncio.gather(*tasks)

    history(agent)
    assert seen == ["triage", None, "shipping", 0]


def test_two_who_wait_for_one_mailbox_get_one_each():
    """A wake-up is not lost, and nobody is woken for nothing."""
    seen = []

    async def waits(world):
        with world.acting("billing"):
            seen.append((await world.inbox_of("billing").next(timeout=90)).payload["from"])

    async def agent(world):
        await asyncio.gather(
            waits(world), waits(world), _hand_later(world, 1.0), _hand_later(world, 2.0, "shipping")
        )

    history(agent)
    assert seen == ["triage", "shipping"]


def test_a_cancelled_wait():
    """It is told as cancelled, and takes nothing from whoever waits after it."""
    seen = []

    async def waits(world):
        with world.acting("billing"):
            return await world.inbox_of("billing").next()

    async def agent(world):
        given_up = asyncio.create_task(waits(world))
        await asyncio.sleep(1)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        handed, _ = await asyncio.gather(waits(world), _hand_later(world, 1.0))
        seen.append(handed.sender)

    found = history(agent)
    assert [one[-1] for one in told(found, Waited)] == ["cancelled", "came"]
    assert seen == ["triage"]


def test_two_agents_that_wait_for_each_other_for_ever():
    """The run is cut off as hung, and both waits are open in its history."""

    async def waits(world, name, other):
        with world.acting(name):
            await world.inbox_of(name).next(sender=other)

    async def agent(world):
        await asyncio.gather(waits(world, "a", "b"), waits(world, "b", "a"))

    found = history(agent)
    assert told(found, Waits) == [("a", "b", "handoff"), ("b", "a", "handoff")]
    assert found.of(Waited) == []
    (ended,) = found.of(Ended)
    assert (ended.how, ended.error) == ("cut_off", "hung")


def test_a_sync_agent_cannot_await():
    """The error says what there is instead."""

    def agent(world):
        world.inbox_of("billing").next().send(None)

    with pytest.raises(Exception, match="runs on asyncio"):
        history(agent)
