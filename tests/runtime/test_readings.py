"""Readings: no two looks at a clock are the same, and who looks and looks waits."""

import asyncio
import datetime
import time
import uuid

import pytest

from agentfuzz import scenario
from agentfuzz.core.events import Called
from agentfuzz.runtime.clock import START, Real

CLOCKS = [time.time_ns, time.monotonic_ns, time.perf_counter_ns]  # the real ones: named by a test


@scenario()
def shop(world):
    @world.tool(effect="pay", scope=("key",))
    def pay(key: str):
        return "paid"


@pytest.mark.parametrize("name", [clock.__name__ for clock in CLOCKS])
def test_keys_made_of_nanoseconds_differ(play, name):
    """Two payments in one instant, each with a key of its own; the same in every run."""

    def agent(world):
        for _ in range(5):
            world.tools.pay(key=f"pay-{getattr(time, name)()}")

    keys = [[call.args["key"] for call in play(shop, agent).history.of(Called)] for _ in "ab"]
    assert len(set(keys[0])) == 5
    assert keys[0] == keys[1]


def test_looks_are_in_order_whatever_clock_they_are_at(clock):
    """A later one is never earlier, by nanoseconds or by a float; dates and floats show of it
    what they can."""
    seen = []
    for _ in range(1000):
        seen += [time.time_ns() / 1e9, time.time(), datetime.datetime.now(datetime.UTC).timestamp()]
    nanoseconds = seen[::3]
    assert nanoseconds == sorted(nanoseconds)
    assert seen[1::3] == sorted(seen[1::3])
    assert max(seen) - START.timestamp() < 1e-3
    for fast in (time.monotonic, time.perf_counter):
        assert fast() < fast() < fast()


def test_looks_that_show_no_nanosecond_change_no_key(play):
    """A log line in the first run of a process alone, or a date, makes no other key."""
    keys = []

    def agent(world):
        if not keys:
            for _ in range(7):
                time.time(), datetime.datetime.now(), time.monotonic(), time.localtime()
        keys.append(time.time_ns())

    play(shop, agent)
    play(shop, agent)
    assert len(set(keys)) == 1


def test_events_keep_the_time_of_the_clock(play):
    """However often somebody looks."""

    def agent(world):
        for _ in range(100):
            time.time(), time.monotonic()
        time.sleep(30)
        world.tools.pay(key="a")
        assert time.monotonic() > time.perf_counter() - 1

    assert [call.t for call in play(shop, agent).history.of(Called)] == [30.0]


def test_a_deadline_is_over_when_it_is(clock):
    """Asked for before, at, and after its time."""
    deadline = time.monotonic() + 30
    time.sleep(29.9)
    assert time.monotonic() < deadline
    time.sleep(0.1)
    assert time.monotonic() >= deadline


def test_ids_made_of_the_time_are_the_same_in_every_run(play):
    """`uuid1` remembers the last one of the process."""

    def agent(world):
        return [str(uuid.uuid1()) for _ in range(3)]

    first, second = (play(shop, agent).history.ended.value for _ in "ab")
    assert first == second
    assert len(set(first)) == 3


# waits without a sleep


def by_looking(seconds):
    until = time.time() + seconds
    while time.time() < until:
        pass


def by_yielding(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0)


def by_date(seconds):
    until = datetime.datetime.now() + datetime.timedelta(seconds=seconds)
    while datetime.datetime.now() < until:
        pass


def by_turns_of_the_loop(seconds):
    async def main():
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(0)

    asyncio.run(main())


def by_polling_another_task(seconds):
    async def main():
        other = asyncio.create_task(asyncio.sleep(seconds))
        while not other.done():
            await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize(
    "wait", [by_looking, by_yielding, by_date, by_turns_of_the_loop, by_polling_another_task]
)
def test_a_busy_wait_ends(play, wait):
    """Back-off that looks at the clock takes its time and is not frozen, and is no spinning."""
    begun = Real.monotonic()

    def agent(world):
        wait(20)
        world.tools.pay(key="a")

    (call,) = play(shop, agent).history.of(Called)
    assert call.t == pytest.approx(20, abs=0.1)
    assert Real.monotonic() - begun < 60
