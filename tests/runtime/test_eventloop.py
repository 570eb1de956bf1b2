"""The virtual event loop: never waits, never hangs, leaves no task behind."""

import asyncio
import socket
import threading
import time

import pytest

from agentfuzz import Completion, scenario
from agentfuzz.core.events import Called
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Clock
from agentfuzz.runtime.eventloop import VirtualLoop
from agentfuzz.world.injector import FromPlan

DONE = Completion.success(reason="nothing_to_do")


@scenario()
def office(world):
    @world.tool
    def look(name: str):
        return name

    @world.tool(effect="note")
    def note():
        return world.clock.now


async def a_future(world):
    await asyncio.get_running_loop().create_future()


async def a_lock(world):
    lock = asyncio.Lock()
    await lock.acquire()
    await lock.acquire()


async def a_queue(world):
    await asyncio.Queue().get()


async def each_other(world):
    tasks = []

    async def wait(n):
        await asyncio.sleep(1)
        await tasks[n]

    tasks += [asyncio.create_task(wait(1)), asyncio.create_task(wait(0))]
    await asyncio.wait(tasks)


def inside_asyncio_run(world):
    asyncio.run(a_future(world))


@pytest.mark.parametrize("stuck", [a_future, a_lock, a_queue, each_other, inside_asyncio_run])
def test_nothing_can_ever_happen_again(play, stuck):
    """Every task waits and no timer is set: cut off as hung, in no real time."""
    ended = play(office, stuck).history.ended
    assert (ended.how, ended.error) == ("cut_off", "hung")


def test_a_deadline_is_no_deadlock(play):
    """A wait that a timer ends is the agent's own business."""

    async def agent(world):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await a_future(world)
        return DONE

    ended = play(office, agent).history.ended
    assert (ended.how, round(ended.t, 3)) == ("returned", 5.0)


def test_the_run_after_a_hung_one_is_clean(play):
    """A loop that was cut off is dropped with all that waited on it."""

    async def agent(world):
        return [task.get_name() for task in asyncio.all_tasks()]

    play(office, a_lock)
    assert len(play(office, agent).history.ended.value) == 1


def test_threads_take_turns(play):
    """Work for a thread begins at its own step of the loop, in the order it was asked for, may call
    sync tools, and sleeps beside the others."""

    async def agent(world):
        def work(name):
            time.sleep(10)
            return (world.tools.look(name=name), threading.current_thread().name)

        made = await asyncio.gather(*(asyncio.to_thread(work, name) for name in "abc"))
        return [name for name, thread in made if thread.startswith("asyncio_")]

    history = play(office, agent).history
    assert history.ended.value == ["a", "b", "c"]
    assert [(call.t, call.args["name"]) for call in history.of(Called)] == [
        (10.0, "a"),
        (10.0, "b"),
        (10.0, "c"),
    ]


def test_a_thread_may_have_a_loop_of_its_own(play):
    """asyncio.run inside of work for a thread sees no running loop, and shares the clock."""

    async def agent(world):
        async def inner():
            await asyncio.sleep(5)
            return await world.tools.aio.look(name="inner")

        found = await asyncio.to_thread(lambda: asyncio.run(inner()))
        return [found, round(asyncio.get_running_loop().time(), 3)]

    assert play(office, agent).history.ended.value == ["inner", 5.0]


def test_an_exception_in_a_thread(play):
    """Comes back to whoever awaits it, a CutOff too."""

    async def agent(world):
        def fail():
            raise ValueError("in the thread")

        with pytest.raises(ValueError, match="in the thread"):
            await asyncio.to_thread(fail)

        def spend():
            while True:
                world.tools.look(name="again")

        await asyncio.to_thread(spend)

    assert play(office, agent).history.ended.error == "budget"


def test_asyncio_run_inside_a_sync_agent(play):
    """As often as it likes; each new loop is virtual and continues the same time."""

    def agent(world):
        for _ in range(3):
            asyncio.run(asyncio.sleep(100))
        return world.tools.note()

    assert play(office, agent).history.ended.value == pytest.approx(300, abs=1e-3)


@pytest.mark.parametrize("how", ["returned", "raised"])
def test_leftover_tasks_are_cancelled(play, how):
    """A task that the agent left behind never acts, whether the run returned or raised."""
    cancelled = []

    async def agent(world):
        async def behind():
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled.append(how)
                raise
            world.tools.note()

        world.state["task"] = asyncio.create_task(behind())
        await asyncio.sleep(0)
        if how == "raised":
            raise ValueError
        return DONE

    history = play(office, agent).history
    assert history.ended.how == how
    assert history.ledger == []
    assert cancelled == [how]
    assert history.ended.t < 1


def test_async_generators_are_closed(play):
    """One that was left in the middle gets to clean up before the next run."""
    closed = []

    async def agent(world):
        async def numbers():
            try:
                yield 1
                yield 2
            finally:
                closed.append(True)

        world.state["numbers"] = numbers()
        return await anext(world.state["numbers"])

    play(office, agent)
    assert closed == [True]


# what has no order of its own


def test_coroutines_begin_in_the_order_given(play):
    """`as_completed` makes tasks of a set of coroutines, whose hash is their address."""

    async def agent(world):
        calls = [world.tools.aio.look(name=f"{n}") for n in range(30)]
        return [await one for one in asyncio.as_completed(calls)]

    history = play(office, agent).history
    assert [call.args["name"] for call in history.of(Called)] == [f"{n}" for n in range(30)]


def test_sets_of_futures_have_one_order(play):
    """Those of an executor too, whatever their addresses."""

    async def agent(world):
        loop = asyncio.get_running_loop()
        futures = [loop.run_in_executor(None, str, n) for n in range(40)]
        done, _ = await asyncio.wait(futures)
        return [future.result() for future in done]

    first, *others = [play(office, agent).history.ended.value for _ in range(5)]
    assert all(other == first for other in others)


def test_generators_left_open_are_closed_in_the_order_of_their_beginning(play):
    """Each may act as it is closed."""

    async def agent(world):
        async def numbers(n):
            try:
                yield n
            finally:
                closed.append(n)

        world.state["kept"] = [numbers(n) for n in range(20)]
        for one in world.state["kept"]:
            await anext(one)

    for _ in range(3):
        closed = []
        play(office, agent)
        assert closed == list(range(20))


def test_the_garbage_collector_ends_nothing_within_a_run(play):
    """A call that hangs, shielded from its deadline, which nothing but a cycle holds."""

    async def agent(world, allocations):
        async def hangs():
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await world.tools.aio.look(name="on the way out")

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.shield(hangs())
        for _ in range(allocations):
            cycle = []
            cycle.append(cycle)
        return await world.tools.aio.look(name="done")

    names = [
        [
            call.args["name"]
            for call in play(office, lambda world, n=n: agent(world, n)).history.of(Called)
        ]
        for n in (0, 100_000)
    ]
    assert names[0] == names[1]
    assert names[0][0] == "done"


def test_tasks_are_named_by_their_number_in_the_leg(play):
    """asyncio counts those of the process, and its texts show the names."""

    async def agent(world):
        return [
            repr(asyncio.current_task().get_name()),
            asyncio.create_task(a_lock(world)).get_name(),
        ]

    first, second = (play(office, agent).history.ended.value for _ in "ab")
    assert first == second


def test_a_partner_that_owes_no_more_is_not_waited_for():
    """It fell silent while the loop was waiting for it in real time: the timer comes at once, at
    its own virtual time, and not after half a minute."""

    class Partner:
        port, thread, asked = 0, threading.current_thread(), 0

        def owes(self):
            self.asked += 1
            return self.asked == 1

    partner = Partner()

    async def agent(world):
        world.clock.partners.append(partner)
        await asyncio.sleep(30)
        world.clock.partners.remove(partner)
        return world.clock.now

    with Simulation(run_timeout=300.0) as simulation:
        history = simulation.execute(scenario()(lambda world: None), agent, FromPlan())
    assert history.ended.value == pytest.approx(30.0)
    assert partner.asked > 1


def test_what_a_partner_says_last_comes_before_the_timer():
    """It answers while it is asked, for the second time, whether it owes anything: the answer is
    read, at its own instant, and the timer that was waiting does not come first."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    class Partner:
        port, thread, asked = 0, threading.current_thread(), 0

        def owes(self):
            self.asked += 1
            if self.asked == 2:
                theirs.send(b"yes")
            return False

    async def agent(world):
        loop = asyncio.get_running_loop()
        loop._turns.get_map = dict  # as if the connection were to the partner's own port
        world.clock.partners.append(Partner())
        try:
            async with asyncio.timeout(30):
                said = await loop.sock_recv(ours, 9)
        finally:
            world.clock.partners.clear()
            del loop._turns.get_map
        return [said.decode(), world.clock.now]

    with Simulation(run_timeout=300.0) as simulation:
        history = simulation.execute(scenario()(lambda world: None), agent, FromPlan())
    for each in (ours, theirs):
        each.close()
    assert history.ended.value == ["yes", 0.0], history.ended


def test_a_thread_that_is_ending_hides_no_other() -> None:
    """Who was there when the loop began is known by itself, not counted: a later thread is waited
    for, though there are as many as before."""
    begins, ends = threading.Event(), threading.Event()
    early = threading.Thread(target=begins.wait)
    early.start()
    loop = VirtualLoop(Clock())
    assert not loop._turns._others()
    begins.set()
    early.join()
    late = threading.Thread(target=ends.wait)
    late.start()
    assert loop._turns._others()
    ends.set()
    late.join()
    assert not loop._turns._others()
    loop.close()


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_an_async_generator_in_each_run():
    """Those of a run are closed at its end, and the next run on the same loop may have its own:
    asyncio does not warn of them, and no run is made twice."""
    begun = []

    async def letters():
        for letter in "ab":
            yield letter

    async def agent(world):
        begun.append(world)
        return [letter async for letter in letters()]

    with Simulation() as simulation:
        endings = [simulation.execute(office, agent, FromPlan()).ended for _ in range(3)]
    assert [ended.value for ended in endings] == [["a", "b"]] * 3
    assert len(begun) == 3


def left_by_a_task(fire):
    async def agent(world):
        asyncio.get_running_loop().call_later(5, fire)
        return world.tools.look(name="a")

    return agent


def left_by_a_callback(fire):
    async def agent(world):
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, loop.call_soon, loop.call_soon, loop.call_soon, fire)
        return world.tools.look(name="a")

    return agent


def left_without_a_task(fire):
    def agent(world):
        asyncio.get_event_loop().call_later(5, fire)
        return world.tools.look(name="a")

    return agent


def left_by_one_that_raises(fire):
    def agent(world):
        asyncio.get_event_loop().call_soon(fire)
        raise ValueError

    return agent


@pytest.mark.parametrize(
    "left",
    [left_by_a_task, left_by_a_callback, left_without_a_task, left_by_one_that_raises],
)
def test_what_was_to_be_called_in_one_run_is_not_called_in_the_next(left):
    """As where `asyncio.run` ends."""
    runs, heard = [], []

    async def waits(world):
        runs.append(1)
        for _ in range(9):
            await asyncio.sleep(1)

    with Simulation() as simulation:
        simulation.execute(office, left(lambda: heard.append(len(runs))), FromPlan())
        simulation.execute(office, waits, FromPlan())
    assert 1 not in heard


def test_each_run_has_a_current_loop():
    """Whatever an `asyncio.run` in the run before has left."""

    async def nothing():
        return 1

    def agent(world):
        found = asyncio.get_event_loop().run_until_complete(nothing())
        return found + asyncio.run(nothing())

    with Simulation() as simulation:
        endings = [simulation.execute(office, agent, FromPlan()).ended for _ in range(3)]
    assert [ended.value for ended in endings] == [2] * 3
