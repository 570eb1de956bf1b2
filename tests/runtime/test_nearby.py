"""Where a thread of a run begins: nothing of it is to be seen."""

import os
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
    told, real = [], os.sched_setaffinity

    def tell(pid, mask):
        told.append((threading.get_ident(), set(mask)))
        real(pid, mask)

    monkeypatch.setattr(os, "sched_setaffinity", tell)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {*WHEREVER, max(WHEREVER) + 1})
    monkeypatch.setattr(nearby, "_processor", lambda: min(WHEREVER))
    assert len(ran(threads)) == 3
    here = threading.get_ident()
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

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
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
