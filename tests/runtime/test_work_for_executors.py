"""Work for a thread: it takes turns with its event loop, and may wait for it."""

import asyncio
import os
import queue
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from agentfuzz import Completion, at_most_once, in_child, scenario
from agentfuzz.core.events import Called
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import virtual_selector
from agentfuzz.runtime.thread_pools import scheduler
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.world.injector import FromPlan
from search.support import hunt, shown

BLOCKED = Completion.blocked(reason="outcome_unknown", handle="A17")


@scenario(at_most_once("charge"), task="Charge A17.")
def shop(world):
    @world.tool
    def look(name: str) -> str:
        return name

    @world.tool(effect="charge", scope=("order",), dedup="key")
    def charge(order: str, idempotency_key: str | None = None) -> str:
        return f"ch_{order}"


async def looked(world, name, seconds=1):
    await asyncio.sleep(seconds)
    return world.tools.look(name=name)


def calls_back(world, name, seconds=1):
    """A sync tool of an async agent, as it is written around a client that is async."""
    loop = asyncio.get_running_loop()

    def tool():
        return asyncio.run_coroutine_threadsafe(looked(world, name, seconds), loop).result()

    return tool


async def by_a_callback(world):
    return [await asyncio.to_thread(calls_back(world, "it")), world.clock.now]


async def by_an_event(world):
    event = threading.Event()
    asyncio.get_running_loop().call_later(1, event.set)
    return ["it" if await asyncio.to_thread(event.wait) else "", world.clock.now]


async def by_an_event_in_time(world):
    event = threading.Event()
    asyncio.get_running_loop().call_later(1, event.set)
    return ["it" if await asyncio.to_thread(event.wait, 30) else "", world.clock.now]


async def in_a_pool_of_its_own(world):
    with ThreadPoolExecutor() as pool:
        tool = calls_back(world, "it")
        return [await asyncio.get_running_loop().run_in_executor(pool, tool), world.clock.now]


async def in_a_future_of_a_pool(world):
    with ThreadPoolExecutor() as pool:
        tool = calls_back(world, "it")
        return [await asyncio.wrap_future(pool.submit(tool)), world.clock.now]


WAITING = [
    by_a_callback,
    by_an_event,
    by_an_event_in_time,
    in_a_pool_of_its_own,
    in_a_future_of_a_pool,
]


@pytest.mark.parametrize("agent", WAITING)
def test_work_waits_for_its_loop(play, agent):
    """Which goes on meanwhile, in virtual time."""
    ended = play(shop, agent).history.ended
    assert (ended.how, ended.value) == ("returned", ["it", 1.0]), ended


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("agent", WAITING)
def test_in_a_process_of_its_own(play, agent):
    """As here."""
    ended = play(shop, in_child(agent)).history.ended
    assert (ended.how, ended.value) == ("returned", ["it", 1.0]), ended


def naps(world, name, sleep=time.sleep):
    """With a sleep that it has kept from before the run."""
    sleep(0.4)
    return world.tools.look(name=name)


def test_who_really_sleeps_comes_back(play, monkeypatch):
    """In real time, in which nothing else of the run happens."""
    monkeypatch.setattr(scheduler, "PATIENCE", 0.02)
    monkeypatch.setattr(virtual_selector, "GRACE", 0.1)

    async def agent(world):
        return [await asyncio.wait_for(asyncio.to_thread(naps, world, "it"), 5), world.clock.now]

    assert play(shop, agent).history.ended.value == ["it", 0.0]


def test_asyncio_run_ends_when_its_threads_do(play):
    """Also those whose result nobody waits for any more."""

    async def main(world):
        looks = asyncio.to_thread(lambda: (time.sleep(60), world.tools.look(name="it")))
        try:
            await asyncio.wait_for(looks, 5)
        except TimeoutError:
            return world.clock.now

    def agent(world):
        return [asyncio.run(main(world)), world.clock.now]

    history = play(shop, agent).history
    assert history.ended.value == [5.0, pytest.approx(60.0)]
    assert [event.t for event in history.of(Called)] == [pytest.approx(60.0)]


def test_what_is_left_to_a_thread_comes_to_its_end():
    """Though the agent lets nobody have a turn before it answers; and the next run hears nothing
    of it."""
    ends = []

    @scenario(task="Log it.")
    def logging(world):
        @world.tool()
        async def log(line: str) -> str:
            def write():
                time.sleep(60)
                ends.append(line)

            asyncio.get_running_loop().run_in_executor(None, write)
            return "queued"

    async def agent(world):
        with suppress(TimeoutError):
            await world.tools.log(line="one")
            await world.tools.log(line="two")

    crossed = []
    with Simulation() as simulation:
        for plan in ["log#1:lost/timeout", "", "log#1:lost/timeout"]:
            injector = FromPlan(FaultPlan.parse(plan))
            history = simulation.execute(logging, agent, injector)
            assert history.ended.how == "returned"
            crossed.append([str(crossing.slot) for crossing in injector.crossings])
    assert ends == ["one", "two"]
    assert crossed == [["log#1"], ["log#1", "log#2", "schedule:log#2"], ["log#1"]]


def test_what_a_dead_thread_says_last_is_heard_by_nobody():
    """It was killed with the run that began it: the loop is another run's then."""

    @scenario(task="Look.")
    def looking(world):
        @world.tool()
        async def look(name: str) -> str:
            return name

    async def agent(world):
        with suppress(ConnectionError):
            await world.tools.look(name="one")
            asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
            await asyncio.sleep(1)
        await world.tools.look(name="two")

    crossed = []
    with Simulation() as simulation:
        for plan in ["look#1:once/error", "", "look#1:once/error"]:
            injector = FromPlan(FaultPlan.parse(plan))
            assert simulation.execute(looking, agent, injector).ended.how == "returned"
            crossed.append([str(crossing.slot) for crossing in injector.crossings])
    assert crossed[0] == crossed[2] == ["look#1", "look#2"]


@pytest.mark.parametrize("seconds", [0, 20])
def test_what_is_left_to_a_thread_at_the_last_costs_no_loop(seconds):
    """Its loop hears that the work is done, and lives on: an agent keeps clients on it."""
    loops, ends = [], []

    async def agent(world):
        world.tools.look(name="it")
        loops.append(asyncio.get_running_loop())
        loops[-1].run_in_executor(None, lambda: (time.sleep(seconds), ends.append(seconds)))

    with Simulation() as simulation:
        for _ in range(3):
            assert simulation.execute(shop, agent, FromPlan()).ended.how == "returned"
    assert ends == [seconds] * 3
    assert len(set(loops)) == 1


@pytest.mark.parametrize("of", ["threads", "processes", "by default"])
def test_an_executor_of_one_does_one_at_a_time(play, of):
    made = {"processes": ProcessPoolExecutor}.get(of, ThreadPoolExecutor)

    async def agent(world):
        loop, ends = asyncio.get_running_loop(), []

        def work(name):
            time.sleep(10)
            ends.append([name, world.clock.now])

        with made(max_workers=1) as pool:
            if of == "by default":
                loop.set_default_executor(pool)
            given = None if of == "by default" else pool
            await asyncio.gather(*(loop.run_in_executor(given, work, name) for name in "ab"))
        return ends

    for _ in range(2):  # the loop is another run's after it
        assert play(shop, agent).history.ended.value == [["a", 10.0], ["b", 20.0]]


def test_what_has_not_begun_when_it_is_late_never_does(play):
    """As with asyncio's own: it waits in the queue of a pool of one."""

    async def agent(world):
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1) as pool:
            first = loop.run_in_executor(pool, time.sleep, 60)
            second = loop.run_in_executor(pool, partial(world.tools.look, name="second"))
            try:
                await asyncio.wait_for(second, 5)
            except TimeoutError:
                await first
        return world.clock.now

    history = play(shop, agent).history
    assert history.ended.value == 60.0
    assert history.of(Called) == []


def test_a_run_that_is_cut_off_says_nothing(play, capfd, caplog):
    """Its threads end, and the loop that they would tell is closed."""

    async def agent(world):
        works = asyncio.ensure_future(asyncio.to_thread(threading.Event().wait))
        await asyncio.sleep(0)
        while not works.done():
            world.tools.look(name="again")

    assert play(shop, agent).history.ended.error == "budget"
    assert play(shop, never).history.ended.error == "hung"
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_no_thread_is_left(play):
    """Or no process could be forked between two runs."""

    async def agent(world):
        await asyncio.gather(*(asyncio.to_thread(world.tools.look, name=name) for name in "abc"))

    before = set(threading.enumerate())
    for _ in range(3):
        assert play(shop, agent).history.ended.how == "returned"
    for thread in set(threading.enumerate()) - before:
        thread.join(30.0)
    assert set(threading.enumerate()) <= before


def test_work_that_takes_longer_keeps_nobody(play):
    """Each ends when it does, and not in the order of a stack."""

    async def agent(world):
        ends = []

        async def one(name, seconds):
            async with asyncio.timeout(seconds + 1):
                await asyncio.to_thread(calls_back(world, name, seconds))
            ends.append((name, world.clock.now))

        await asyncio.gather(one("a", 5), one("b", 60), one("c", 1))
        return ends

    assert play(shop, agent).history.ended.value == [["c", 1.0], ["a", 5.0], ["b", 60.0]]


async def in_time(world):
    try:
        await asyncio.wait_for(asyncio.to_thread(time.sleep, 60), 5)
    except TimeoutError:
        return ["late", world.clock.now]


async def the_first_one(world):
    sleeps = asyncio.ensure_future(asyncio.to_thread(time.sleep, 60))
    first = await asyncio.wait(
        {sleeps, asyncio.ensure_future(asyncio.sleep(1))}, return_when="FIRST_COMPLETED"
    )
    return [len(first[0]), world.clock.now]


async def beside_a_heart(world):
    beats = []

    async def beat():
        while True:
            await asyncio.sleep(1)
            beats.append(world.clock.now)

    heart = asyncio.ensure_future(beat())
    await asyncio.to_thread(time.sleep, 4.5)
    heart.cancel()
    return [len(beats), world.clock.now]


@pytest.mark.parametrize(
    ("agent", "comes"),
    [(in_time, ["late", 5.0]), (the_first_one, [1, 1.0]), (beside_a_heart, [4, 4.5])],
)
def test_a_thread_that_sleeps_keeps_no_loop(play, agent, comes):
    assert play(shop, agent).history.ended.value == comes


@pytest.mark.parametrize("plan", ["look#1-2:lost/error", "look#2:once/timeout", "*#2+:error"])
def test_faults_strike_as_they_do_elsewhere(play, plan):
    """Those that last as well: they begin anew with the run."""

    async def agent(world, call):
        ends = []
        for name in "abc":
            try:
                ends.append(await call(world, name))
            except Exception as error:
                ends.append(type(error).__name__)
        return ends

    async def threads(world):
        return await agent(world, lambda w, name: asyncio.to_thread(calls_back(w, name)))

    async def tasks(world):
        return await agent(world, looked)

    assert (
        play(shop, threads, plan).history.ended.value == play(shop, tasks, plan).history.ended.value
    )


async def never(world):
    await asyncio.to_thread(threading.Event().wait)


async def awaits_itself(world):
    loop, told = asyncio.get_running_loop(), threading.Event()

    async def inner():
        told.wait()  # blocks the loop that it waits for

    await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(inner(), loop).result())


@pytest.mark.parametrize("agent", [never, awaits_itself])
def test_what_nobody_ends_hangs(play, agent):
    run = play(shop, agent)
    assert (run.history.ended.how, run.history.ended.error) == ("cut_off", "hung")
    assert [violation.code for violation in run.violations] == ["AF203"]


def test_in_c_it_is_found_out_by_the_watchdog():
    async def agent(world):
        mail = queue.SimpleQueue()
        asyncio.get_running_loop().call_later(1, mail.put, "it")
        return await asyncio.to_thread(mail.get)

    with Simulation(run_timeout=0.5) as simulation:
        for _ in range(2):
            ended = simulation.execute(shop, agent, FromPlan()).ended
            assert (ended.how, ended.value, ended.t) == ("returned", "it", 1.0)


async def charges(world):
    """Careful: one key, three attempts, and no word of what it does not know."""
    loop = asyncio.get_running_loop()

    async def charge():
        return world.tools.charge(order="A17", idempotency_key="k")

    for _ in range(3):
        try:
            reply = await asyncio.to_thread(
                lambda: asyncio.run_coroutine_threadsafe(charge(), loop).result()
            )
        except Exception:
            continue
        if reply == "ch_A17":
            return Completion.success(handle="A17")
    return BLOCKED


async def charges_blindly(world):
    """Each attempt has another key."""
    loop = asyncio.get_running_loop()

    async def charge(n):
        return world.tools.charge(order="A17", idempotency_key=f"k{n}")

    for n in range(3):
        try:
            call = charge(n)
            await asyncio.to_thread(
                lambda call=call: asyncio.run_coroutine_threadsafe(call, loop).result()
            )
            return Completion.success(handle="A17")
        except Exception:
            continue
    return BLOCKED


def test_an_honest_one_is_not_accused_in_a_campaign(simulation):
    result = hunt(shop, charges, simulation, depth=2, deep_runs=50, max_runs=300)
    assert shown(result) == []
    assert result.laws["at_most_once('charge')"].held > 100


def test_another_one_is(simulation):
    result = hunt(shop, charges_blindly, simulation, depth=1, deep_runs=0, max_runs=200)
    assert "AF101 charge_card" not in shown(result)
    assert {finding.code for finding in result.findings} >= {"AF101"}
    assert "AF203" not in {finding.code for finding in result.findings}


async def charges_again_when_it_takes_long(world):
    """What timed out goes on in its thread: two charges, and each of them arrives."""
    for n in range(2):
        charge = partial(world.tools.charge, order="A17", idempotency_key=f"k{n}")
        try:
            await asyncio.wait_for(asyncio.to_thread(charge), 5)
            return Completion.success(handle="A17")
        except TimeoutError:
            continue
    return BLOCKED


def test_what_has_timed_out_goes_on_in_its_thread(simulation):
    result = hunt(shop, charges_again_when_it_takes_long, simulation, depth=1, deep_runs=0)
    assert "AF101" in {finding.code for finding in result.findings}


def test_two_processes_say_the_same():
    told = []
    for workers in (1, 2):
        with Simulation() as simulation:
            budget = Budget(max_runs=120, max_seconds=600.0, workers=workers)
            campaign = Campaign(shop, charges_blindly, simulation, budget=budget)
            campaign.search()
            told.append([(one.code, str(one.plan)) for one in campaign.result().findings])
    assert told[0] == told[1] != []
