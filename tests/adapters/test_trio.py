"""Loops on trio: the world's clock, its faults, and one order."""

import time
from typing import Any

import pytest

pytest.importorskip("trio")

import trio

from agentfuzz import Completion, World, adapters, exactly_once, run, scenario
from agentfuzz.core.events import Called, Committed, Replied
from agentfuzz.core.history import History
from agentfuzz.engine.simulation import Agent
from agentfuzz.runtime.clock import START, Real

from .shop import again, charged, findings

DONE = Completion.success(handle="ch_A17")
BLOCKED = Completion.blocked(reason="outcome_unknown")


@scenario(exactly_once("charge"), task="Charge order A17.")
def order(world: World) -> None:
    world.raise_as(timeout="hang")

    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> str:
        return f"ch_{order_id}"

    @world.tool(effect="receipt", scope=("order_id",))
    async def send_receipt(order_id: str) -> str:
        await trio.sleep(2)
        return f"rc_{order_id}"


def on_trio(loop: Any) -> Agent:
    """The loop as an agent."""

    def agent(world: World) -> Any:
        return trio.run(loop, world, clock=adapters.trio.clock(world))

    return agent


async def retries(world: World) -> Completion:
    """A deadline around every attempt, an hour of back-off, and no look at what happened."""
    for _ in range(3):
        with trio.move_on_after(20):
            await world.tools.aio.charge_card(order_id="A17")
            return DONE
        await trio.sleep(3600)
    return BLOCKED


def times(history: History, kind: type) -> list[float]:
    return [round(event.t, 3) for event in history.of(kind)]


def test_a_clean_run_takes_no_time() -> None:
    history = run(order, on_trio(retries)).history
    assert (charged(history), history.claim) == (["A17"], "success")
    assert history.ended is not None
    assert history.ended.t == 0


def test_the_loops_own_deadline_ends_a_tool_that_hangs() -> None:
    """Twenty seconds, an hour of back-off, and the second charge: none of it real."""
    begun = Real.monotonic()
    history = run(order, on_trio(retries), "charge_card#1:once/timeout").history
    assert times(history, Called) == [0.0, 3620.0]
    assert [(reply.outcome, reply.raised) for reply in history.of(Replied)] == [
        ("unknown", "Cancelled"),
        ("applied", None),
    ]
    assert charged(history) == ["A17", "A17"]
    assert Real.monotonic() - begun < 600


def test_a_campaign_finds_the_double_charge() -> None:
    """Each by its smallest plan."""
    found = findings(order, on_trio(retries))
    assert found["AF101"] == "charge_card#1:once/timeout"
    assert found["AF102"] == "charge_card#1:twice"


@pytest.mark.parametrize(
    ("late", "when"),
    [("late/timeout@60", [60.0, 3620.0]), ("late/timeout@4000", [3620.0, 4000.0])],
    ids=["in the run", "at its end"],
)
def test_a_late_delivery_commits_at_its_time(late: str, when: list[float]) -> None:
    """On the way of a sleep, or after the agent has answered."""
    history = run(order, on_trio(retries), f"charge_card#1:{late}").history
    assert times(history, Committed) == when


@pytest.mark.parametrize(
    ("late", "when"),
    [("late/timeout@60", [62.0]), ("late/timeout@4000", [4002.0])],
    ids=["in the run", "at its end"],
)
def test_a_late_delivery_to_an_async_tool(late: str, when: list[float]) -> None:
    """Its body takes its two seconds on trio, also when the agent's own run is over."""

    async def once(world: World) -> Completion:
        with trio.move_on_after(20):
            await world.tools.aio.send_receipt(order_id="A17")
        await trio.sleep(3600)
        return BLOCKED

    history = run(order, on_trio(once), f"send_receipt#1:{late}").history
    assert times(history, Committed) == when


def test_a_cancelled_body_commits_nothing() -> None:
    """The deadline came while the backend was at work."""

    async def hasty(world: World) -> Completion:
        with trio.move_on_after(1):
            await world.tools.aio.send_receipt(order_id="A17")
        return BLOCKED

    history = run(order, on_trio(hasty)).history
    assert times(history, Committed) == []
    assert [(reply.t, reply.outcome) for reply in history.of(Replied)] == [(1.0, "unknown")]


async def at_once(world: World) -> Completion:
    """Three travellers, and one look at what is free."""
    free = [True]

    async def one(who: str) -> None:
        await trio.sleep(1)
        if free[0]:
            await world.tools.aio.charge_card(order_id=who)
            free[0] = False

    async with trio.open_nursery() as nursery:
        for who in ("Ada", "Bob", "Cy"):
            nursery.start_soon(one, who)
    return DONE


def test_tasks_go_in_the_order_of_their_age() -> None:
    """trio would shuffle them; a plan decides instead."""
    histories = again(order, on_trio(at_once), "", 5)
    assert [charged(history) for history in histories] == [["Ada"]] * 5
    assert all(history.events == histories[0].events for history in histories)


def test_a_race_of_tasks_needs_one_fault() -> None:
    """Whoever waits between the look and the charge lets the others in."""
    result = run(order, on_trio(at_once), "schedule:charge_card#1:preempted")
    assert charged(result.history) == ["Bob", "Ada"]


async def sleeps_forever(world: World) -> None:
    await trio.sleep_forever()


async def waits_for_children(world: World) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        nursery.start_soon(trio.Event().wait)


async def hangs_in_a_tool(world: World) -> None:
    await world.tools.aio.charge_card(order_id="A17")


@pytest.mark.parametrize("stuck", [sleeps_forever, waits_for_children, hangs_in_a_tool])
def test_what_can_never_go_on_is_cut_off(stuck: Any) -> None:
    """As under asyncio: `hung`, in no real time."""
    plan = "charge_card#1:once/timeout" if stuck is hangs_in_a_tool else ""
    ended = run(order, on_trio(stuck), plan).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("cut_off", "hung")


def test_a_crash_ends_the_run_of_trio() -> None:
    """The process dies in the midst of a nursery, whatever its clean-up wants to wait for."""

    async def clinging(world: World) -> None:
        try:
            await world.tools.aio.charge_card(order_id="A17")
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)

    async def main(world: World) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clinging, world)

    ended = run(order, on_trio(main), "process:charge_card#1:crash/after").history.ended
    assert ended is not None
    assert ended.how == "crashed"


def test_everybody_reads_the_same_time() -> None:
    """trio's clock and the wall clock, before and after a wait."""

    async def reads(world: World) -> list[float]:
        await trio.sleep(90)
        return [trio.current_time(), time.time() - START.timestamp(), world.clock.now]

    ended = run(order, on_trio(reads)).history.ended
    assert ended is not None
    assert ended.value == [90.0, 90.0, 90.0]


def test_threads_and_sockets_have_their_turn() -> None:
    """Before the clock jumps to the deadline."""

    async def main(world: World) -> list[str]:
        near, far = trio.socket.socketpair()
        with trio.fail_after(10):
            found = [await trio.to_thread.run_sync(lambda: "thread")]
            await near.send(b"socket")
            return [*found, (await far.recv(10)).decode()]

    ended = run(order, on_trio(main)).history.ended
    assert ended is not None
    assert (ended.value, ended.t) == (["thread", "socket"], 0.0)
