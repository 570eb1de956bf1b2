"""Threads that an agent starts by itself, and AnyIO's, are held like those of a pool."""

import asyncio
import queue
import threading
import time

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import Real
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan
from runtime.pools import DONE, booked, called, check_then_act, flight, value

TRAVELLERS = ("Ada", "Bob")


def by_threads(world, work=check_then_act):
    """Two threads of its own, joined."""
    threads = [threading.Thread(target=work, args=(world, who)) for who in TRAVELLERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return DONE


def by_workers(world, work=check_then_act):
    """Daemons that read a queue, as `queue` documents it."""
    jobs = queue.Queue()

    def worker():
        while True:
            who = jobs.get()
            work(world, who)
            jobs.task_done()

    for _ in TRAVELLERS:
        threading.Thread(target=worker, daemon=True).start()
    for who in TRAVELLERS:
        jobs.put(who)
    jobs.join()
    return DONE


async def by_anyio(world, work=check_then_act):
    """Worker threads, as starlette, mcp and pydantic-ai run sync functions."""
    async with anyio.create_task_group() as group:
        for who in TRAVELLERS:
            group.start_soon(anyio.to_thread.run_sync, work, world, who)
    return DONE


SHAPES = [by_threads, by_workers, by_anyio]


@pytest.mark.parametrize("agent", SHAPES)
def test_they_go_one_after_the_other(play, agent):
    """The second one finds the seat taken; nothing of it is an escape."""
    leaks.taken()
    history = play(flight, agent).history
    assert called(history) == ["seat_is_free#1", "book_seat#1", "seat_is_free#2"]
    assert booked(history) == ["Ada"]
    assert leaks.taken() == []


@pytest.mark.parametrize("agent", SHAPES)
def test_a_campaign_finds_their_race(agent):
    """By the smallest plan, as in a pool, and by no difference between two runs."""
    with Simulation() as simulation:
        budget = Budget(depth=2, deep_runs=20, max_seconds=600.0)
        campaign = Campaign(
            flight, agent, simulation, space=Space(only=["preempted"]), budget=budget
        )
        campaign.search()
        found = {one.code: str(one.plan) for one in campaign.result().findings}
    assert found == {"AF101": "schedule:book_seat#1:preempted"}


@pytest.mark.parametrize("agent", SHAPES)
def test_they_wait_in_virtual_time_and_at_the_same_time(play, agent):
    """An hour for each takes an hour, and no real time."""

    def waits(world, who):
        time.sleep(3600 if who == "Ada" else 1800)
        world.tools.seat_is_free()

    def whole(world):
        return agent(world, waits)

    begun = Real.monotonic()
    history = play(flight, whole).history
    assert history.ended.how == "returned"
    assert history.ended.t == pytest.approx(3600, abs=1e-3)
    assert [call.t for call in history.calls.values()] == [
        pytest.approx(1800, abs=1e-3),
        pytest.approx(3600, abs=1e-3),
    ]
    assert Real.monotonic() - begun < 60


def test_a_timer_fires_at_its_virtual_time(play):
    """And not when it is cancelled."""

    def agent(world):
        threading.Timer(3600, world.tools.seat_is_free).start()
        late = threading.Timer(9000, world.tools.book_seat, kwargs={"seat": "1A", "who": "Ada"})
        late.start()
        time.sleep(7200)
        late.cancel()
        return DONE

    history = play(flight, agent).history
    assert called(history) == ["seat_is_free#1"]
    assert history.calls["call_1"].t == 3600.0


def test_one_that_is_joined_for_a_time(play):
    """Is alive until its time, and over when it is."""

    def agent(world):
        thread = threading.Thread(target=time.sleep, args=(60,))
        thread.start()
        thread.join(20)
        before = (thread.is_alive(), world.clock.now)
        thread.join()
        return [*before, thread.is_alive(), world.clock.now, threading.active_count()]

    first, second = (value(play(flight, agent)) for _ in "ab")
    assert first[:4] == [True, 20.0, False, 60.0]
    assert first == second


def test_what_it_left_behind_goes_on_after_the_answer(play):
    """As a process waits for a thread that is no daemon; a daemon dies with it."""

    def agent(world, daemon):
        def later():
            time.sleep(30)
            world.tools.seat_is_free()

        threading.Thread(target=later, daemon=daemon).start()
        return DONE

    assert called(play(flight, lambda world: agent(world, False)).history) == ["seat_is_free#1"]
    assert called(play(flight, lambda world: agent(world, True)).history) == []


def test_a_heartbeat_neither_ends_the_run_nor_outlives_it(play):
    """For ever is cut where the agent answers; a deadlock beside it is still one."""
    threads = threading.active_count()

    def agent(world):
        def beats():
            while True:
                time.sleep(5)

        threading.Thread(target=beats, daemon=True).start()
        time.sleep(60)
        return DONE

    for _ in range(20):
        assert play(flight, agent).history.ended.how == "returned"
    assert threading.active_count() <= threads + 1


def test_a_lock_in_c_lets_the_others_go_on(play):
    """A thread that needs what its starter holds."""

    def agent(world):
        lock = threading.Lock()

        def books():
            with lock:
                check_then_act(world, "Ada")

        with lock:
            thread = threading.Thread(target=books)
            thread.start()
            world.tools.seat_is_free()
        thread.join()
        return DONE

    history = play(flight, agent).history
    assert called(history) == ["seat_is_free#1", "seat_is_free#2", "book_seat#1"]


def test_a_crash_ends_them(play):
    """None of them acts any more."""
    plan = "process:book_seat#1:crash/after"
    for agent in SHAPES:
        history = play(flight, lambda world, a=agent: a(world, book), plan).history
        assert (history.ended.how, booked(history)) == ("crashed", ["Ada"]), agent


def book(world, who):
    world.tools.book_seat(seat=f"12{who[0]}", who=who)


def test_from_a_worker_of_anyio_into_its_loop(play):
    """`from_thread` waits for the loop, which goes on meanwhile."""

    async def agent(world):
        async def looks():
            await anyio.sleep(60)
            return await world.tools.aio.seat_is_free()

        def works():
            return anyio.from_thread.run(looks)

        return [await anyio.to_thread.run_sync(works), world.clock.now]

    assert value(play(flight, agent)) == [True, pytest.approx(60, abs=1e-3)]


def test_a_loop_in_a_daemon_of_its_own_outlives_the_run():
    """Others in this process may know it, and wait for it at the exit."""
    kept = []

    async def answer():
        return 42

    def agent(world):
        if not kept:
            kept.append(asyncio.new_event_loop())
            threading.Thread(target=kept[0].run_forever, daemon=True).start()
        world.tools.seat_is_free()
        return DONE

    with Simulation() as simulation:
        for _ in range(3):
            assert simulation.execute(flight, agent, FromPlan()).ended.how == "returned"
    told = asyncio.run_coroutine_threadsafe(answer(), kept[0])
    assert told.result(60) == 42
    kept[0].call_soon_threadsafe(kept[0].stop)
