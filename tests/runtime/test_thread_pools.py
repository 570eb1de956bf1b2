"""Threads of a pool: one at a time, in an order that the plan decides."""

import asyncio
import concurrent.futures
import functools
import hashlib
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks
from agentfuzz.runtime.thread_pools import gate, patches, scheduler
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from runtime.pools import DONE, booked, called, check_then_act, flight, locked, pooled, racy, value

# schedules


def test_without_a_fault_work_is_done_where_it_is_handed_in(play):
    """The second one finds the seat taken."""
    history = play(flight, racy).history
    assert called(history) == ["seat_is_free#1", "book_seat#1", "seat_is_free#2"]
    assert booked(history) == ["Ada"]


@pytest.mark.parametrize(
    ("plan", "who", "calls"),
    [
        (
            "schedule:book_seat#1:preempted",
            ["Bob", "Ada"],
            ["seat_is_free#1", "book_seat#1", "seat_is_free#2", "book_seat#2"],
        ),
        (
            "schedule:seat_is_free#1:preempted/after",
            ["Bob", "Ada"],
            ["seat_is_free#1", "seat_is_free#2", "book_seat#1", "book_seat#2"],
        ),
        (
            "schedule:book_seat#1:preempted/after",
            ["Ada"],
            ["seat_is_free#1", "book_seat#1", "seat_is_free#2"],
        ),
    ],
)
def test_one_fault_lets_the_other_one_in(play, plan, who, calls):
    """Before the booking and after the look; not once the seat is taken."""
    result = play(flight, racy, plan)
    assert (booked(result.history), called(result.history)) == (who, calls)
    assert [v.code for v in result.violations] == (["AF101"] if len(who) == 2 else [])


def schedules(agent):
    with Simulation() as simulation:
        budget = Budget(depth=2, deep_runs=0)
        campaign = Campaign(
            flight, agent, simulation, space=Space(only=["preempted"]), budget=budget
        )
        campaign.search()
        return {one.code: str(one.plan) for one in reversed(campaign.result().findings)}


def test_a_campaign_finds_the_race():
    """By the smallest plan, replayed; a lock makes it go away, on the same two threads."""
    assert schedules(racy) == {"AF101": "schedule:book_seat#1:preempted"}
    assert schedules(locked) == {}


def test_the_same_plan_gives_the_same_history(play):
    """Twenty times, threads or not."""
    plan = "schedule:book_seat#1:preempted + seat_is_free#2:once/timeout"
    first, *others = [play(flight, racy, plan).history.events for _ in range(20)]
    assert all(other == first for other in others)


def test_more_work_than_threads(play):
    """What has no thread yet waits its turn behind what waits."""
    order = []

    @pooled("Ada", "Bob", "Cy", max_workers=1)
    def agent(world, who):
        order.append((who, threading.current_thread().name[-2:]))
        world.tools.seat_is_free()
        order.append(who)

    play(flight, agent, "schedule:seat_is_free#1:preempted")
    one = [("Ada", "_0"), "Ada", ("Bob", "_0"), "Bob", ("Cy", "_0"), "Cy"]
    assert order == one * 2  # without the fault, and with it


def test_the_agent_itself_can_be_preempted(play):
    """Between handing work in and waiting for it, once work waits."""

    def agent(world):
        with ThreadPoolExecutor() as pool:
            pool.submit(world.tools.book_seat, seat="12A", who="Ada")
            world.tools.book_seat(seat="12B", who="Bob")
        return DONE

    early = "schedule:book_seat#1:preempted"
    assert booked(play(flight, agent, early).history) == ["Bob", "Ada"]
    late = early + " + schedule:book_seat#2:preempted"
    assert booked(play(flight, agent, late).history) == ["Ada", "Bob"]


# what a pool is


def test_work_runs_on_the_pools_own_threads(play):
    """With its name and its thread-locals, and one thread is enough for work that is done."""
    mine = threading.local()

    def enter():
        mine.name = "of the pool"

    @pooled("a", "b", thread_name_prefix="crew", initializer=enter)
    def agent(world, name):
        return [mine.name, threading.current_thread().name]

    assert value(play(flight, agent)) == [["of the pool", "crew_0"]] * 2


def test_errors_of_work_are_its_futures(play):
    """As with any pool; those that end the run end it."""

    @pooled("a")
    def fails(world, name):
        raise ValueError(name)

    ended = play(flight, fails).history.ended
    assert (ended.how, ended.error) == ("raised", "ValueError")

    @pooled("a", "b")
    def spends(world, name):
        while True:
            world.tools.seat_is_free()

    assert play(flight, spends).history.ended.error == "budget"


@pytest.mark.parametrize("plan", ["", "schedule:book_seat#1:preempted + "])
def test_a_crash_in_work_ends_the_process(play, plan):
    """Whatever else is in the pool, or waits in it, acts no more."""

    @pooled("Ada", "Bob", "Cy")
    def agent(world, who):
        world.tools.book_seat(seat="12A", who=who)

    plan += "process:book_seat#2:crash/after"
    history = play(flight, agent, plan).history
    assert history.ended.how == "crashed"
    assert booked(history) == (["Bob"] if "schedule" in plan else ["Ada", "Bob"])


def test_what_is_left_in_a_pool_goes_on_after_the_answer(play):
    """And dies with an agent that raises."""

    def leaves(world, fails):
        pool = ThreadPoolExecutor()
        pool.submit(world.tools.book_seat, seat="12A", who="Ada")
        if fails:
            raise ValueError
        return DONE

    plan = "schedule:book_seat#1:preempted"
    answered = play(flight, functools.partial(leaves, fails=False), plan).history
    assert booked(answered) == ["Ada"]
    raised = play(flight, functools.partial(leaves, fails=True), plan).history
    assert booked(raised) == []


def test_sets_of_futures_have_one_order(play):
    """Whatever their addresses."""

    def agent(world):
        with ThreadPoolExecutor() as pool:
            futures = [pool.submit(pow, 2, n) for n in range(9)]
            done, _ = concurrent.futures.wait(futures)
            completed = concurrent.futures.as_completed(futures)
            return [[future.result() for future in one] for one in (done, completed)]

    upwards = [2**n for n in range(9)]
    assert value(play(flight, agent)) == [upwards, upwards[::-1]]


def test_an_async_agent_with_a_pool_of_its_own(play):
    """The loop lets what waits in a pool go on, and does not jump over it."""

    async def agent(world):
        with ThreadPoolExecutor() as pool:
            future = pool.submit(check_then_act, world, "Ada")
            check_then_act(world, "Bob")
            async with asyncio.timeout(60):
                await asyncio.wrap_future(future)
        return DONE

    plan = "schedule:book_seat#1:preempted"
    history = play(flight, agent, plan).history
    assert (booked(history), history.ended.t) == (["Bob", "Ada"], 0.0)


# what is not controlled


def noted(play, agent):
    leaks.taken()
    result = play(flight, agent)
    return result, [one.detail for one in leaks.taken() if one.kind == "thread"]


def test_work_that_blocks_out_of_sight_is_let_go(play):
    """It waits in C for what the agent does later. The run goes on, and says so."""

    def agent(world):
        mail = queue.SimpleQueue()

        def reads():
            return mail.get() + int(world.tools.seat_is_free())

        with ThreadPoolExecutor() as pool:
            future = pool.submit(reads)
            mail.put(1)
            return future.result()

    result, details = noted(play, agent)
    assert value(result) == 2
    assert details == [
        "test_work_that_blocks_out_of_sight_is_let_go.<locals>.agent.<locals>.reads waits in a "
        "pool for what the gate cannot see"
    ]


def test_work_that_was_let_go_and_is_busy_is_waited_for(play, monkeypatch):
    """On a machine that takes its time, it comes back late: that is no run that hangs."""
    monkeypatch.setattr(scheduler, "GRACE", 0.2)
    monkeypatch.setattr(gate, "GRACE", 0.2)

    def agent(world):
        mail = queue.SimpleQueue()

        def reads():
            got = mail.get()  # in C: it is let go
            hashlib.pbkdf2_hmac(
                "sha256", b"a", b"b", 1_000_000
            )  # in C, and without the interpreter
            return got + int(world.tools.seat_is_free())

        with ThreadPoolExecutor() as pool:
            future = pool.submit(reads)
            mail.put(1)
            return future.result()

    assert value(play(flight, agent)) == 2


LIBRARY = """
import contextvars, threading, time
def keeps(what, told, in_context=False):
    def run():
        time.sleep(0.001)  # really: it is the library's own
        what()
        told.set()
    copied = {"target": contextvars.copy_context().run, "args": (run,)}
    threading.Thread(name="exporter", **(copied if in_context else {"target": run})).start()
"""


def test_a_call_by_a_thread_that_a_library_keeps(play):
    """It lives in real time; its call is made, and reported as not ordered."""
    library = {}
    exec(compile(LIBRARY, "/venv/lib/site-packages/exporter.py", "exec"), library)

    def agent(world):
        told = threading.Event()
        library["keeps"](world.tools.seat_is_free, told)
        return [told.wait(60), world.clock.now]

    result, details = noted(play, agent)
    assert called(result.history) == ["seat_is_free#1"]
    assert value(result) == [True, 0.0]
    assert "a call by the thread 'exporter', which no pool started, is not ordered" in details


@pytest.mark.parametrize("in_context", [False, True])
def test_a_thread_in_which_a_framework_runs_the_agent_is_the_runs(play, monkeypatch, in_context):
    """It ends with what it was begun for, and lives in virtual time until then."""
    monkeypatch.setattr(patches, "_BEGIN_RUNS", set())
    patches.begins_runs("framework.runners")
    library = {"__name__": "framework.runners"}
    exec(compile(LIBRARY, "/venv/lib/site-packages/exporter.py", "exec"), library)

    def agent(world):
        told = threading.Event()
        library["keeps"](world.tools.seat_is_free, told, in_context)
        return [told.wait(60), world.clock.now]

    result, details = noted(play, agent)
    assert called(result.history) == ["seat_is_free#1"]
    assert value(result) == [True, 0.001]
    assert details == []


def test_a_lock_with_a_timeout_is_real(play):
    """It is C; the clock does not move."""

    def agent(world):
        lock = threading.Lock()
        lock.acquire()
        return [lock.acquire(timeout=0.01), world.clock.now]

    assert value(play(flight, agent)) == [False, 0.0]


def test_a_thread_of_the_agents_own_has_real_time_to_answer(play):
    """A wait beside it is not over at once, and takes no virtual time."""

    def agent(world):
        told = threading.Event()

        def works():
            sum(range(200_000))
            told.set()

        threading.Thread(target=works).start()
        return [told.wait(3600), world.clock.now]

    assert value(play(flight, agent)) == [True, 0.0]
