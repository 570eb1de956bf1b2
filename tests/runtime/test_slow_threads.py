"""A busy machine lets threads begin, become free and end late: no run depends on how late.

Law: what is late here is late by so many turns of a loop, not by seconds.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.thread import _WorkItem

import pytest

from agentfuzz.runtime import leaks
from agentfuzz.runtime.thread_pools import scheduler
from agentfuzz.runtime.thread_pools.idle import at_rest
from runtime.pools import booked, flight, racy


def long():
    for _ in range(3_000_000):
        pass


def after_its_work(monkeypatch):
    """Until a thread is free for other work, or over."""
    real = _WorkItem.run

    def run(self, *rest):
        try:
            real(self, *rest)
        finally:
            long()

    monkeypatch.setattr(_WorkItem, "run", run)


def before_it_has_begun(monkeypatch):
    real = threading.Thread._bootstrap_inner

    def begins(self):
        long()
        real(self)

    monkeypatch.setattr(threading.Thread, "_bootstrap_inner", begins)


def after_it_was_there(monkeypatch):
    real = threading.Thread.run

    def run(self):
        real(self)
        long()

    monkeypatch.setattr(threading.Thread, "run", run)


LATE = [after_its_work, before_it_has_begun, after_it_was_there]


@pytest.fixture
def loose(monkeypatch):
    """What was let go on without its turn."""
    found, real = [], scheduler.Scheduler._let_loose

    def lets(self, work):
        found.append(work.called)
        return real(self, work)

    monkeypatch.setattr(scheduler.Scheduler, "_let_loose", lets)
    monkeypatch.setattr(scheduler, "PATIENCE", 0.02)
    leaks.taken()
    return found


def nested(world):
    """Work with a pool of its own, which it closes, while other work waits."""
    ready = threading.Event()

    def waits():
        ready.wait()
        return world.tools.seat_is_free()

    def asks():
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(world.tools.seat_is_free).result()
        ready.set()
        world.tools.book_seat(seat="12A", who="Ada")
        return found

    with ThreadPoolExecutor(2) as pool:
        return [one.result() for one in (pool.submit(waits), pool.submit(asks))]


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("agent", [nested, racy])
def test_work_that_waits_for_a_thread_keeps_its_turn(play, loose, late, agent, monkeypatch):
    """That thread begins, or ends: the gate sees that it runs."""
    wanted = play(flight, agent).history.events
    late(monkeypatch)
    assert play(flight, agent).history.events == wanted
    assert loose == leaks.taken() == []


def test_a_pool_takes_the_thread_that_is_about_to_be_free(play, monkeypatch):
    """It starts no other one."""
    after_its_work(monkeypatch)

    def agent(world):
        with ThreadPoolExecutor(3) as pool:
            return [pool.submit(threading.get_ident).result() for _ in range(3)]

    assert len({*play(flight, agent).history.ended.value}) == 1


def test_who_dies_slowly_is_waited_for(play, loose):
    """What it does then is no call in the next run."""

    def waits(world):
        try:
            threading.Event().wait()
        finally:
            long()
            world.tools.seat_is_free()

    def agent(world):
        pool = ThreadPoolExecutor(1)
        pool.submit(waits, world)
        raise ValueError("enough")

    for _ in range(2):
        assert play(flight, agent).history.ended.detail == "enough"
    assert booked(play(flight, racy).history) == ["Ada"]
    assert loose == leaks.taken() == []


def test_a_thread_that_was_not_begun_runs():
    assert at_rest([threading.Thread(target=long)]) is None


def test_threads_that_have_no_work_are_at_rest():
    """Who waits for some; who has some is not asked, nor who is over."""
    over, until = threading.Thread(target=int), threading.Event()
    over.start()
    over.join()
    with ThreadPoolExecutor(2) as pool:
        started = [pool.submit(until.wait), pool.submit(int)]
        started[1].result()
        while not (seen := at_rest([over, *pool._threads])):
            pass
        until.set()
    assert len(seen) == 1
