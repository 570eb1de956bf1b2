"""Threads of a pool: one at a time, in an order that the plan decides, and in virtual time."""

import asyncio
import concurrent.futures
import functools
import queue
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor

import pytest

from agentfuzz import Completion, exactly_once, scenario
from agentfuzz.core.events import Called, Committed
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import START, Real
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan

DONE = Completion.success(handle="seat_12A")


@scenario(exactly_once("booking"))
def flight(world):
    """One seat, two travellers, and a backend that trusts its caller."""
    world.state["free"] = True

    @world.tool
    def seat_is_free():
        return world.state["free"]

    @world.tool(effect="booking", scope=("seat",))
    def book_seat(seat: str, who: str):
        world.state["free"] = False
        return {"seat": seat, "who": who}


def check_then_act(world, who):
    if world.tools.seat_is_free():
        world.tools.book_seat(seat="12A", who=who)


def racy(world):
    """Two workers check, then act."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda who: check_then_act(world, who), ("Ada", "Bob")))
    return DONE


def locked(world):
    """The same under a lock."""
    lock = threading.Lock()

    def book(who):
        with lock:
            check_then_act(world, who)

    with ThreadPoolExecutor() as pool:
        list(pool.map(book, ("Ada", "Bob")))
    return DONE


def pooled(*names, pool=ThreadPoolExecutor, **options):
    """An agent that hands one piece of work for each name to a pool."""

    def decorate(work):
        def agent(world):
            with pool(**options) as executor:
                futures = [executor.submit(work, world, name) for name in names]
            return [future.result() for future in futures]

        return agent

    return decorate


def booked(history):
    return [commit.args["who"] for commit in history.of(Committed)]


def called(history):
    return [str(call.slot) for call in history.of(Called)]


def value(run):
    ended = run.history.ended
    assert ended.how == "returned", ended
    return ended.value


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
        return {one.code: str(one.plan) for one in campaign.result().findings}


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


# virtual time


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
    assert Real.monotonic() - begun < 5


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
        woken.append((time.time() - START.timestamp(), time.monotonic() - before))

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
    assert ended.detail.startswith("agent (test_threads.py:")
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


def test_a_call_by_a_thread_of_the_agents_own(play):
    """It is made, and reported as not ordered."""

    def agent(world):
        thread = threading.Thread(target=world.tools.seat_is_free, name="mine")
        thread.start()
        thread.join()
        return DONE

    result, details = noted(play, agent)
    assert called(result.history) == ["seat_is_free#1"]
    assert "a call by the thread 'mine', which no pool started, is not ordered" in details


def test_a_timer_is_real(play):
    """It never fires within a run, which says so."""

    def agent(world):
        timer = threading.Timer(3600, world.tools.seat_is_free)
        timer.start()
        time.sleep(7200)
        timer.cancel()
        return DONE

    result, details = noted(play, agent)
    assert called(result.history) == []
    assert "threading.Timer runs in real time" in details


def test_a_lock_with_a_timeout_is_real(play):
    """It is C; the clock does not move."""

    def agent(world):
        lock = threading.Lock()
        lock.acquire()
        return [lock.acquire(timeout=0.01), world.clock.now]

    assert value(play(flight, agent)) == [False, 0.0]


def test_a_thread_of_the_agents_own_has_real_time_to_answer(play):
    """A wait beside it is not over at once."""

    def agent(world):
        told = threading.Event()

        def works():
            sum(range(200_000))
            told.set()

        threading.Thread(target=works).start()
        return [told.wait(3600), world.clock.now]

    assert value(play(flight, agent)) == [True, 0.0]
