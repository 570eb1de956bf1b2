"""Virtual time: every wait moves one clock, everybody reads it, and no real second passes."""

import asyncio
import datetime
import importlib
import importlib.util
import queue
import sys
import threading
import time
import types
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from agentfuzz import scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import START, Real, active_clock
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.world.injector import FromPlan

from . import imported_sleep


@scenario()
def nothing(world):
    pass


YEAR = 365 * 24 * 3600.0


# everybody's time


def test_all_clocks_move_together(clock):
    """time, monotonic, perf_counter and datetime agree, whoever waited."""

    def readings():
        now = datetime.datetime.now(datetime.UTC)
        counted = [time.time_ns(), time.monotonic_ns(), time.perf_counter_ns()]
        naive = datetime.datetime.now(), datetime.datetime.utcnow()
        return [
            *(time.time(), time.monotonic(), time.perf_counter(), now.timestamp()),
            *(nanoseconds / 1e9 for nanoseconds in counted),
            *(moment.replace(tzinfo=datetime.UTC).timestamp() for moment in naive),
        ]

    before = readings()
    assert {round(before[n], 6) for n in (0, 3, 4, 8)} == {START.timestamp()}
    time.sleep(90.5)
    clock.advance(9.5)
    asyncio.run(asyncio.sleep(100))
    moved = [round(after - start, 3) for after, start in zip(readings(), before, strict=True)]
    assert moved == [200.0] * 9
    assert datetime.date.today() == datetime.date(2026, 1, 1)


def test_a_virtual_year(clock):
    """Sync and async, in hours and in one go: microseconds of real time."""
    time.sleep(YEAR)
    for _ in range(1000):
        time.sleep(YEAR / 1000)

    async def hourly():
        for _ in range(500):
            await asyncio.sleep(3600)
        await asyncio.sleep(YEAR - 500 * 3600)

    asyncio.run(hourly())
    assert clock.now == pytest.approx(3 * YEAR, abs=1)
    assert datetime.datetime.now().year == 2028


@pytest.mark.parametrize("seconds", [-1, "1", None])
def test_sleep_refuses_what_the_real_one_refuses(clock, seconds):
    """A negative length is a ValueError, no number a TypeError."""
    with pytest.raises((ValueError, TypeError)):
        time.sleep(seconds)


def test_sleep_imported_by_name(clock):
    """A module that did `from time import sleep` waits virtually too."""
    imported_sleep.nap(1000)
    assert clock.now == 1000


# asyncio


def test_sleepers_wake_in_order_of_their_time(clock):
    """Whatever order they went to sleep in; equal times keep theirs."""
    woken = []

    async def sleeper(name, seconds):
        await asyncio.sleep(seconds)
        woken.append((name, clock.now))

    async def main():
        pairs = [("c", 3), ("a", 1), ("d", 3), ("b", 2)]
        await asyncio.gather(*(sleeper(*pair) for pair in pairs))

    asyncio.run(main())
    assert woken == [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 3.0)]


async def by_timeout(seconds, work):
    async with asyncio.timeout(seconds):
        await work


async def by_timeout_at(seconds, work):
    async with asyncio.timeout_at(asyncio.get_running_loop().time() + seconds):
        await work


async def by_wait_for(seconds, work):
    await asyncio.wait_for(work, seconds)


async def by_wait(seconds, work):
    done, pending = await asyncio.wait({asyncio.ensure_future(work)}, timeout=seconds)
    for task in pending:
        task.cancel()
    if not done:
        raise TimeoutError


@pytest.mark.parametrize("bounded", [by_timeout, by_timeout_at, by_wait_for, by_wait])
def test_a_deadline_ends_a_wait_at_its_time(clock, bounded):
    """And does not when the work is done before."""

    async def main():
        await bounded(20, asyncio.sleep(10))
        assert clock.now == pytest.approx(10, abs=1e-3)
        with pytest.raises(TimeoutError):
            await bounded(20, asyncio.sleep(3600))
        assert clock.now == pytest.approx(30, abs=1e-3)

    asyncio.run(main())


def test_what_is_due_comes_between_two_timers(clock):
    """The loop stops at a late delivery on its way to the next timer."""
    seen = []
    clock.schedule(5.0, lambda: seen.append(clock.now))

    async def main():
        await asyncio.sleep(4)
        assert seen == []
        await asyncio.sleep(4)
        assert seen == [pytest.approx(5, abs=1e-3)]

    asyncio.run(main())


def test_a_thread_of_the_run_reads_virtual_time():
    """Also in its own function, which `threading` calls: freezegun would give it real time."""
    read = []

    def agent(world):
        time.sleep(3600)
        thread = threading.Thread(target=lambda: read.extend([time.time(), time.sleep(0)]))
        thread.start()
        thread.join()

    with Simulation() as simulation:
        simulation.execute(nothing, agent, FromPlan())
    assert read == [START.timestamp() + 3600, None]


def test_a_thread_of_somebody_elses_lives_in_real_time(clock):
    """A telemetry exporter that was there before: it sleeps really, reads the real clocks, and
    moves nothing."""
    done, read, before = threading.Event(), [], Real.monotonic()

    def exports():
        for _ in range(3):
            time.sleep(0.001)
        read.extend(
            [time.monotonic(), time.time(), datetime.datetime.now(datetime.UTC).timestamp()]
        )
        done.set()

    threading.Thread(target=exports).start()
    done.wait()
    assert clock.now == 0.0
    assert before < read[0] < Real.monotonic()
    assert abs(read[1] - START.timestamp()) > 60
    assert read[2] == pytest.approx(read[1], abs=60)


# in and out


def originals():
    return (
        time.sleep,
        imported_sleep.sleep,
        asyncio.new_event_loop,
        asyncio.events.new_event_loop,
        time.time,
        datetime.datetime,
    )


def test_everything_is_put_back():
    """After the block, and after a block that raised."""
    before = originals()
    with virtual_time() as clock:
        assert active_clock() is clock
        assert originals()[0] is imported_sleep.sleep is not before[0]
    assert originals() == before
    with pytest.raises(KeyError):
        with virtual_time():
            raise KeyError
    assert originals() == before
    assert active_clock() is None


def waits():
    return (
        ThreadPoolExecutor.submit,
        ThreadPoolExecutor.shutdown,
        threading.Condition.wait,
        threading.Thread.start,
        threading._time,
        queue.time,
        Future.__init__,
        Future.__hash__,
    )


def both_at_once():
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor() as pool:
        return sorted(f.result() for f in [pool.submit(barrier.wait, 30) for _ in "ab"])


def test_pools_are_put_back():
    """And inside of a simulation they are what they were, but for its runs."""
    before = waits()
    with Simulation():
        assert not set(waits()) & set(before)
        assert both_at_once() == [0, 1]
    assert waits() == before
    assert both_at_once() == [0, 1]


def test_a_module_imported_in_virtual_time_is_put_back_too():
    """It took the virtual sleep by name, and would never wait again."""
    name = f"{__package__}.imported_sleep"
    kept = sys.modules.pop(name)
    try:
        with virtual_time() as clock:
            late = importlib.import_module(name)
            late.nap(7)
            assert clock.now == 7.0
        assert late.sleep is time.sleep is Real.sleep
    finally:
        sys.modules[name] = kept


@pytest.fixture
def module(monkeypatch):
    made = types.ModuleType("made")
    made.nap = made.now = made.day = made.other = None
    monkeypatch.setitem(sys.modules, "made", made)
    return made


REAL = (Real.sleep, time.monotonic, datetime.date)


def test_a_module_that_has_changed_since_the_last_time(module):
    """It has the names that it had then, and other things under them."""
    with virtual_time():
        assert module.now is None
    module.nap, module.now, module.day = REAL
    for _ in range(2):
        with virtual_time() as clock:
            module.nap(60)
            assert clock.now == 60.0
            assert module.now is time.monotonic is not REAL[1]
            assert module.day.today() == datetime.date(2026, 1, 1)
        assert (module.nap, module.now, module.day) == REAL


@pytest.mark.parametrize("name", ["nap", "now", "day"])
def test_a_module_that_changes_in_virtual_time_is_put_back_too(module, name):
    """It was there before, and takes what is not real: under a name that it had, under a new one,
    or under another than before."""
    virtual = {
        "nap": lambda: time.sleep,
        "now": lambda: time.monotonic,
        "day": lambda: datetime.date,
    }
    real = dict(zip(virtual, REAL, strict=True))[name]
    module.other = real
    with virtual_time():
        setattr(module, name, virtual[name]())
        module.new, module.other = virtual[name](), None
    assert getattr(module, name) is module.new is real
    with virtual_time():
        module.new, module.other = None, module.new
        assert module.other is virtual[name]()
    assert module.other is real


def test_nested_uses_share_the_outer_clock():
    """A campaign freezes once; the inner block's end thaws nothing."""
    with virtual_time() as outer:
        with virtual_time() as inner:
            assert inner is outer
            time.sleep(5)
        time.sleep(5)
        assert outer.now == 10.0


def test_names_that_a_module_would_have_to_import_are_left_alone(monkeypatch):
    """Freezing asks every module for what it has, not for what it could fetch."""

    def fetch(name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"importing {name} with half of time replaced")

    lazy = types.ModuleType("lazy")
    lazy.__dir__ = lambda: ["framework"]
    lazy.__getattr__ = fetch
    monkeypatch.setitem(sys.modules, "lazy", lazy)
    with virtual_time():
        assert dir(lazy) == ["framework"]
    assert dir(lazy) == ["framework"]


def test_a_module_that_is_imported_when_it_is_asked_for_anything_is_not_asked(
    tmp_path, monkeypatch
):
    """Virtual time, and an import within it, look at what modules have: this one is not there."""
    for name, text in (("lazy_and_broken", "raise ImportError('no such part')"), ("plain_one", "")):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.find_spec("lazy_and_broken")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    monkeypatch.setitem(sys.modules, "lazy_and_broken", lazy)
    with Simulation() as simulation:
        simulation.execute(nothing, lambda world: importlib.import_module("plain_one"), FromPlan())
    with pytest.raises(ImportError, match="no such part"):
        lazy.anything  # noqa: B018
