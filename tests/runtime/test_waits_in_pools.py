"""Whoever waits in a pool does it in virtual time, and lets the others go on."""

import asyncio
import concurrent.futures
import queue
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor

import pytest

from agentfuzz import scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import START, Real
from agentfuzz.runtime.thread_pools import scheduler
from agentfuzz.world.injector import FromPlan
from runtime.pools import booked, flight, pooled, racy, value


def by_event(world):
    return threading.Event().wait(3600)


def by_condition(world):
    condition = threading.Condition()
    with condition:
        return condition.wait(3600)


def by_wait_for(world):
    condition = threading.Condition()
    with condition:
        return condition.wait_for(lambda: False, 3600)


def by_semaphore(world):
    return threading.Semaphore(0).acquire(timeout=3600)


def by_barrier(world):
    try:
        threading.Barrier(2).wait(3600)
    except threading.BrokenBarrierError:
        return False


def by_queue(world):
    try:
        queue.Queue().get(timeout=3600)
    except queue.Empty:
        return False


def by_full_queue(world):
    try:
        full = queue.Queue(1)
        full.put(1)
        full.put(2, timeout=3600)
    except queue.Full:
        return False


def by_future(world):
    try:
        Future().result(timeout=3600)
    except TimeoutError:
        return False


def by_futures(world):
    return bool(concurrent.futures.wait([Future()], timeout=3600).done)


def by_as_completed(world):
    try:
        return list(concurrent.futures.as_completed([Future()], timeout=3600))
    except TimeoutError:
        return False


WAITS = [
    by_event,
    by_condition,
    by_wait_for,
    by_semaphore,
    by_barrier,
    by_queue,
    by_full_queue,
    by_future,
    by_futures,
    by_as_completed,
]


@pytest.mark.parametrize("wait", WAITS)
def test_a_wait_that_nobody_ends_takes_its_time(play, wait):
    """An hour of virtual time and none of real time, in the agent's own thread."""
    begun = Real.monotonic()
    history = play(flight, wait).history
    assert (history.ended.value, history.ended.t) == (False, pytest.approx(3600, abs=1e-3))
    assert Real.monotonic() - begun < 600


@pytest.mark.parametrize("wait", WAITS)
def test_waits_in_a_pool_are_at_the_same_time(play, wait):
    """Three of them take an hour, as three threads would."""

    def agent(world):
        with ThreadPoolExecutor() as pool:
            return list(pool.map(wait, [world] * 3))

    history = play(flight, agent).history
    assert history.ended.value == [False] * 3
    assert history.ended.t == pytest.approx(3600, abs=1e-3)


def test_back_off_in_a_pool(play):
    """Whoever sleeps lets the others go on; they wake in the order of their time."""
    woken = []

    @pooled(3600, 60, 600)
    def agent(world, seconds):
        before = time.monotonic()
        time.sleep(seconds)
        woken.append((time.time() - START.timestamp(), round(time.monotonic() - before, 6)))

    ended = play(flight, agent).history.ended
    hour, minute, ten = (3600.0, 3600.0), (60.0, 60.0), (600.0, 600.0)
    assert (woken, ended.t) == ([minute, ten, hour], 3600.0)


def test_event_loops_in_a_pool(play):
    """They wait at the same time too, and hear of each other."""

    @pooled(3600, 1800)
    def agent(world, seconds):
        async def main():
            await asyncio.sleep(seconds)
            return await world.tools.aio.seat_is_free()

        return asyncio.run(main())

    history = play(flight, agent).history
    assert (history.ended.value, history.ended.t) == ([True, True], pytest.approx(3600, abs=1e-3))

    def bridges(world):
        loop = asyncio.new_event_loop()
        with ThreadPoolExecutor() as pool:
            pool.submit(loop.run_forever)
            call = world.tools.aio.seat_is_free()
            found = asyncio.run_coroutine_threadsafe(call, loop).result(5)
            loop.call_soon_threadsafe(loop.stop)
        loop.close()
        return [found, world.clock.now]

    assert value(play(flight, bridges)) == [True, 0.0]


def test_a_timeout_in_a_pool_holds_nobody_up(play):
    """The tool of one hangs for its thirty seconds; the other has booked meanwhile."""

    @pooled("Ada", "Bob")
    def agent(world, who):
        try:
            world.tools.book_seat(seat=f"12{who[0]}", who=who)
        except TimeoutError:
            return world.clock.now
        return world.clock.now

    plan = "book_seat#1:lost/timeout"
    assert value(play(flight, agent, plan)) == [30.0, 0.0]


def test_the_agents_own_deadline_ends_its_wait_for_work(play):
    """For a tool that hangs, and is still hanging when the run is over."""

    def agent(world):
        pool = ThreadPoolExecutor()
        future = pool.submit(world.tools.book_seat, seat="12A", who="Ada")
        try:
            future.result(timeout=20)
        except TimeoutError:
            return [world.clock.now]

    @scenario()
    def hanging(world):
        world.raise_as(timeout="hang")

        @world.tool(effect="booking", scope=("seat",))
        def book_seat(seat: str, who: str):
            return seat

    assert value(play(hanging, agent, "book_seat#1:once/timeout")) == [20.0]


def by_polling(told, mail):
    while not told.is_set():
        time.sleep(7)


def by_being_told(told, mail):
    told.wait(60)


def by_being_sent(told, mail):
    mail.get(timeout=60)


@pytest.mark.parametrize(
    ("work", "when"), [(by_polling, 7.0), (by_being_told, 0.0), (by_being_sent, 0.0)]
)
def test_work_that_waits_for_the_agent(play, work, when):
    """It lets the agent go on meanwhile, and hears of it then, or when it looks again."""

    def agent(world):
        told, mail = threading.Event(), queue.Queue()
        with ThreadPoolExecutor() as pool:
            future = pool.submit(work, told, mail)
            before = future.done()
            told.set()
            mail.put(1)
            future.result()
        return [before, world.clock.now]

    assert value(play(flight, agent)) == [False, when]


def test_first_come_first_served(play):
    """Of two that sleep, `wait` and `as_completed` see the one that wakes first."""

    def agent(world):
        with ThreadPoolExecutor() as pool:
            slow, fast = pool.submit(time.sleep, 50), pool.submit(time.sleep, 5)
            done, _ = concurrent.futures.wait([slow, fast], return_when=FIRST_COMPLETED)
            first = (done == {fast}, world.clock.now)
            order = list(concurrent.futures.as_completed([slow, fast]))
        return [*first, order == [fast, slow], world.clock.now]

    assert value(play(flight, agent)) == [True, 5.0, True, 50.0]


def for_ever(world):
    with ThreadPoolExecutor() as pool:
        pool.submit(threading.Event().wait).result()


def each_other(world):
    futures = []
    with ThreadPoolExecutor() as pool:
        futures.append(pool.submit(lambda: (time.sleep(1), futures[1].result())))
        futures.append(pool.submit(lambda: futures[0].result()))


def alone(world):
    queue.Queue().get()


@pytest.mark.parametrize("stuck", [for_ever, each_other, alone])
def test_nothing_can_ever_happen_again(play, stuck):
    """Cut off as hung, and nothing of it is left for the next run."""
    threads = threading.active_count()
    ended = play(flight, stuck).history.ended
    assert (ended.how, ended.error) == ("cut_off", "hung")
    assert booked(play(flight, racy).history) == ["Ada"]
    assert threading.active_count() <= threads + 2


def test_work_that_spins_is_cut_off():
    """And its thread ends with the run, so that the interpreter can."""
    ends = threading.Event()

    def spins():
        try:
            while True:
                pass
        finally:
            ends.set()

    def agent(world):
        with ThreadPoolExecutor() as pool:
            pool.submit(spins)

    with Simulation(run_timeout=0.2) as simulation:
        ended = simulation.execute(flight, agent, FromPlan()).ended
    assert (ended.how, ended.error) == ("cut_off", "spinning")
    assert ended.detail.startswith("agent (test_waits_in_pools.py:")
    assert ends.wait(10)


def test_who_waits_for_ever_on_the_way_out_is_cut_off_for_the_first_reason(play):
    """However long the watchdog takes to come again."""

    def agent(world):
        try:
            while True:
                world.tools.seat_is_free()
        except BaseException:
            alone(world)

    ended = play(flight, agent).history.ended
    assert (ended.how, ended.error) == ("cut_off", "budget")


def test_work_that_its_thread_takes_up_late_is_waited_for(play, monkeypatch):
    """A busy machine may let a thread start long after it was asked to."""
    monkeypatch.setattr(scheduler, "PATIENCE", 0.02)

    def late():
        for _ in range(10_000_000):
            pass

    def agent(world):
        leaks.taken()
        with ThreadPoolExecutor(1, initializer=late) as pool:
            return pool.submit(world.tools.seat_is_free).result()

    assert play(flight, agent).history.ended.value is True
    assert leaks.taken() == []
