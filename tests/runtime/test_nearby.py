"""Where a thread of a run begins: nothing of it is to be seen."""

import _thread
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.thread_pools import nearby
from agentfuzz.world.injector import FromPlan
from runtime.pools import DONE, flight

pytestmark = pytest.mark.skipif(nearby._processor is None, reason="no such calls here")
WHEREVER = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def seen():
    """Where this thread may run, and what it knows of itself."""
    thread = threading.current_thread()
    return os.sched_getaffinity(0), "_bootstrap" in vars(thread), thread.is_alive()


def pooled():
    with ThreadPoolExecutor(2) as pool:
        return [one.result() for one in (pool.submit(seen), pool.submit(seen))]


def own():
    """A thread that the agent starts, of a class of its own."""

    class Own(threading.Thread):
        def run(self):
            self.saw = seen()

    threads = [Own() for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [thread.saw for thread in threads]


def ran(threads):
    """What threads of a run see, and their starter after them."""
    found = []

    def agent(world):
        found.extend([*threads(), (os.sched_getaffinity(0), False, True)])
        return DONE

    with Simulation() as simulation:
        history = simulation.execute(flight, agent, FromPlan())
    assert history.ended.how == "returned"
    return found


@pytest.mark.parametrize("threads", [pooled, own])
def test_a_thread_and_its_starter_may_run_wherever_they_could(threads):
    assert ran(threads) == [(WHEREVER, False, True)] * 3


@pytest.mark.parametrize("threads", [pooled, own])
def test_it_begins_on_the_processor_of_its_starter(threads, monkeypatch):
    """It is told so, before it is begun; and both are told otherwise at once."""
    told, real = [], nearby._go

    def tell(pid, mask):
        told.append((threading.get_native_id() if pid == 0 else pid, set(mask)))
        real(pid, mask)

    monkeypatch.setattr(nearby, "_go", tell)
    monkeypatch.setattr(nearby, "_where", lambda pid: {*WHEREVER, max(WHEREVER) + 1})
    monkeypatch.setattr(nearby, "_processor", lambda: min(WHEREVER))
    assert len(ran(threads)) == 3
    here = threading.get_native_id()
    narrow = [mask for ident, mask in told if len(mask) == 1]
    assert narrow == [{min(WHEREVER)}] * len(narrow)
    assert narrow
    wide = [ident for ident, mask in told if len(mask) > 1]
    assert wide.count(here) == len(narrow)
    assert len(wide) == 2 * len(narrow)
    assert [ident for ident, mask in told if mask in narrow] == [here] * len(narrow)


@pytest.mark.parametrize("threads", [pooled, own])
def test_where_it_may_not_be_said_threads_start_as_they_do(threads, monkeypatch):
    def refuse(pid, mask):
        raise PermissionError("not allowed")

    monkeypatch.setattr(nearby, "_go", refuse)
    monkeypatch.setattr(nearby, "_processor", lambda: 0)
    assert ran(threads) == [(WHEREVER, False, True)] * 3


def test_a_thread_that_cannot_be_started_is_as_it_was():
    """Its starter may run wherever it could, and another try has the thread as it is."""
    thread = threading.Thread(target=seen)

    def cannot(thread):
        raise RuntimeError("can't start new thread")

    with pytest.raises(RuntimeError, match="can't start"):
        nearby.start(cannot, thread)
    assert "_bootstrap" not in vars(thread)
    assert os.sched_getaffinity(0) == WHEREVER


def started(work, kind=threading.Thread):
    """A thread of a run, and where its starter may run after it."""
    [found] = ran(lambda: [_joined(kind(target=work))])[:1]
    return found


def _joined(thread):
    thread.start()
    thread.join()
    return thread, os.sched_getaffinity(0)


def test_its_starter_is_free_before_it_does_anything():
    """It sees so, and where it sends its starter, there that stays."""
    saw = []

    def work():
        saw.append(os.sched_getaffinity(os.getpid()))
        os.sched_setaffinity(os.getpid(), {min(WHEREVER)})

    try:
        assert started(work)[1] == {min(WHEREVER)}
    finally:
        os.sched_setaffinity(0, WHEREVER)
    assert saw == [WHEREVER]


@pytest.mark.parametrize("where", [lambda pid: 1 / 0, lambda pid: 8, None])
def test_what_an_agent_puts_in_their_place_is_its_own(where, monkeypatch):
    told = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda *given: told.append(given))
    real = os.sched_getaffinity

    def joined():
        try:
            monkeypatch.setattr(os, "sched_getaffinity", where)
            thread = threading.Thread(target=lambda: None)
            thread.start()
            thread.join()
        finally:
            monkeypatch.setattr(os, "sched_getaffinity", real)
        return []

    ran(joined)
    assert told == []


def test_where_nothing_may_be_asked_threads_start_as_they_do(monkeypatch):
    def refuse(pid):
        raise PermissionError("not allowed")

    monkeypatch.setattr(nearby, "_where", refuse)
    assert ran(own) == [(WHEREVER, False, True)] * 3


class Strict(threading.Thread):
    """It forbids that anybody sets how it begins."""

    def __setattr__(self, name, value):
        assert name != "_bootstrap"
        super().__setattr__(name, value)


class Property(threading.Thread):
    """It has a way of its own to begin."""

    @property
    def _bootstrap(self):
        return super()._bootstrap


@pytest.mark.parametrize("kind", [Strict, Property])
def test_a_class_of_threads_may_begin_in_its_own_way(kind):
    saw = []
    assert started(lambda: saw.append(seen()), kind)[1] == WHEREVER
    assert saw == [(WHEREVER, False, True)]


def test_a_thread_with_a_beginning_of_its_own_keeps_it():
    begun = []
    thread = threading.Thread(target=seen)
    real = thread._bootstrap
    thread._bootstrap = mine = lambda: (begun.append(1), real())
    nearby.start(threading.Thread.start, thread)
    thread.join()
    assert begun == [1]
    assert vars(thread)["_bootstrap"] is mine


def test_it_leaves_no_frame():
    names = []

    def work():
        frame = sys._getframe()
        while frame is not None:
            names.append(frame.f_code.co_name)
            frame = frame.f_back

    started(work)
    assert names[-1] == "_bootstrap"


def test_a_thread_whose_starter_was_interrupted_begins_all_the_same():
    """It has not begun yet; its starter may run wherever it could."""
    ran_, later = threading.Event(), []
    thread = threading.Thread(target=ran_.set)

    def interrupted(thread):
        threading._limbo[thread] = thread  # as it is done
        later.append(thread._bootstrap)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nearby.start(interrupted, thread)
    assert os.sched_getaffinity(0) == WHEREVER
    _thread.start_new_thread(later[0], ())
    assert ran_.wait(9)
    assert "_bootstrap" not in vars(thread)


def test_a_thread_of_a_run_that_could_not_be_started_is_tried_again(monkeypatch):
    """The second try has it as the first one had."""

    def again():
        name = next(
            n for n in ("_start_joinable_thread", "_start_new_thread") if hasattr(threading, n)
        )
        thread = threading.Thread(target=lambda: None)
        before = set(vars(thread))
        with monkeypatch.context() as patched:
            patched.setattr(threading, name, _cannot)
            with pytest.raises(RuntimeError, match="can't start"):
                thread.start()
        return [set(vars(thread)) == before]

    assert ran(again)[0] is True


def _cannot(*given, **named):
    raise RuntimeError("can't start new thread")
