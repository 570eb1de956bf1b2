"""A run that crosses nothing is interrupted, whatever it does with the interruption."""

import _thread
import asyncio
import contextlib
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentfuzz import run, scenario
from agentfuzz.core.codec import dump, history_to_json
from agentfuzz.core.errors import CutOff
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import watchdog, watchdog_thread
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.found.verify import finding_id
from agentfuzz.search.space import Space


@scenario()
def anywhere(world):
    @world.tool
    def look(): ...


def spins(world):
    while True:
        pass


async def spins_asynchronously(world):
    spins(world)


@pytest.mark.parametrize("agent", [spins, spins_asynchronously])
def test_a_loop_that_spins_is_cut_off(agent):
    """Its place is named, and the next run of the simulation is as any other."""
    with Simulation(run_timeout=0.1) as simulation:
        ended = run(anywhere, agent, simulation=simulation).history.ended
        after = run(anywhere, lambda world: "fine", simulation=simulation).history.ended
    assert (ended.how, ended.error) == ("cut_off", "spinning")
    assert "(test_watchdog.py:" in ended.detail
    assert (after.how, after.value) == ("returned", "fine")


def test_a_loop_that_only_sleeps_is_cut_off():
    """Virtual years pass and nothing is asked of the world."""

    def sleeps(world):
        while True:
            time.sleep(3600)

    with Simulation(run_timeout=0.1) as simulation:
        ended = run(anywhere, sleeps, simulation=simulation).history.ended
    assert (ended.how, ended.error) == ("cut_off", "spinning")


# In a thread, where there is no timer ---------------------------------------------------------


def swallows(world):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


def swallows_in_a_helper(world):
    while True:
        with contextlib.suppress(BaseException):
            while True:
                len("x")


def swallows_twice(world):
    while True:
        try:
            try:
                while True:
                    len("x")
            except BaseException:
                with contextlib.suppress(BaseException):
                    raise ValueError
        except BaseException:
            continue


async def yields(world):
    while True:
        await asyncio.sleep(0)


def in_a_thread(work):
    """What a function returns, or raises, in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.parametrize(
    "agent",
    [
        spins,
        spins_asynchronously,
        swallows,
        swallows_in_a_helper,
        swallows_twice,
        yields,
    ],
)
def test_a_loop_that_spins_in_a_thread_is_cut_off(agent):
    """The same ending and the same words as on the main thread, in each of two runs; the run
    after it, and the thread, meet no late interruption."""

    def work():
        with Simulation(run_timeout=0.1) as simulation:
            found = [run(anywhere, agent, simulation=simulation).history.ended]
            stack = simulation.watchdog.stack
            found += [run(anywhere, called, simulation=simulation).history.ended for _ in range(50)]
        return found, stack, sys.gettrace(), [thread.name for thread in threading.enumerate()]

    (first, *after), stack, trace, threads = in_a_thread(work)
    line = agent.__code__.co_firstlineno
    detail = f"{agent.__name__} (test_watchdog.py:{line})"
    assert (first.how, first.error, first.detail) == ("cut_off", "spinning", detail)
    assert {(ended.how, ended.value) for ended in after} == {("returned", "fine")}
    assert stack[0].startswith(f"{__file__}:")
    assert stack[0].endswith(f" {agent.__name__}")
    assert trace is None
    assert "agentfuzz watchdog" not in threads


def called(world):
    world.tools.look()
    return "fine"


def test_one_thread_watches_a_whole_simulation():
    """It is started once, not for each run."""

    def work():
        seen = []
        with Simulation(run_timeout=0.1) as simulation:
            for _ in range(3):
                run(anywhere, lambda world: "fine", simulation=simulation)
                seen += [t.ident for t in threading.enumerate() if t.name == "agentfuzz watchdog"]
        return seen

    seen = in_a_thread(work)
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_a_timer_that_somebody_else_uses_is_left_alone():
    """As pytest-timeout does: its timer goes on, and the spin is cut off by a thread."""
    fired = []
    outer = signal.signal(signal.SIGALRM, lambda *_: fired.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 100)
        with Simulation(run_timeout=0.1) as simulation:
            ended = run(anywhere, spins, simulation=simulation).history.ended
        left, _ = signal.getitimer(signal.ITIMER_REAL)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, outer)
    assert (ended.how, ended.error) == ("cut_off", "spinning")
    assert 90 < left <= 100
    assert fired == []


def test_without_a_timer_a_thread_watches_the_main_thread(monkeypatch):
    """On systems that have none."""
    monkeypatch.delattr(signal, "setitimer")
    with Simulation(run_timeout=0.1) as simulation:
        ended = run(anywhere, swallows, simulation=simulation).history.ended
    assert (ended.how, ended.error) == ("cut_off", "spinning")


def handles(depth=2):
    """Handlers in handlers, which return, pass, go on and leave."""
    for _ in range(depth):
        with contextlib.suppress(BaseException):
            try:
                try:
                    raise KeyError
                finally:
                    done = 1
            except KeyError as error:
                try:
                    raise ValueError
                except ValueError:
                    pass
                with contextlib.suppress(TypeError):
                    raise TypeError
                try:
                    done = error
                finally:
                    done = 2
            except BaseException:
                continue
    try:
        raise KeyError(done)
    except KeyError:
        return


def test_wherever_an_interruption_strikes_no_exception_stays_handled():
    """At any line of a function that handles exceptions: afterwards none is handled any more."""

    def struck(steps):
        """What stays handled when the interruption comes after so many steps; whether it came."""
        left = steps

        def trace(frame, event, arg):
            nonlocal left
            if event == "exception" or watchdog._unbalanced(frame):
                return trace
            left -= 1
            if left >= 0:
                return trace
            sys.settrace(None)
            frame.f_trace = None
            raise CutOff("spinning")

        try:
            sys.settrace(trace)
            handles()
        except CutOff:
            pass
        finally:
            sys.settrace(None)
        return sys.exception(), left < 0

    came, steps = True, 0
    while came:
        handled, came = in_a_thread(lambda steps=steps: struck(steps))
        assert handled is None, steps
        steps += 1
    assert steps > 40


def test_what_cannot_be_interrupted_is_told_with_its_stacks(monkeypatch):
    """A thread blocked outside of Python: its stacks are handed on once, and when it comes back
    it is cut off."""
    monkeypatch.setattr(watchdog_thread, "PATIENCE", 3.0)
    told = []
    lock = _thread.allocate_lock()
    lock.acquire()

    def stuck(stacks):
        told.append(stacks)
        lock.release()

    def blocks(world):
        lock.acquire()
        while True:
            pass

    def work():
        with Simulation(run_timeout=0.1) as simulation:
            simulation.watchdog.stuck = stuck
            return run(anywhere, blocks, simulation=simulation).history.ended

    ended = in_a_thread(work)
    assert (ended.how, ended.error) == ("cut_off", "spinning")
    assert len(told) == 1
    line = blocks.__code__.co_firstlineno + 1
    assert f'  File "{__file__}", line {line} in blocks\n' in told[0]
    assert told[0].count(" (most recent call first):\n") >= 2


def test_the_stack_of_a_cut_off_is_the_agents_own():
    """One line a call, outermost first, without the harness."""

    def outer(world):
        inner()

    def inner():
        while True:
            pass

    with Simulation(run_timeout=0.1) as simulation:
        run(anywhere, outer, simulation=simulation)
    at = [one.__code__.co_firstlineno for one in (outer, inner)]
    assert simulation.watchdog.stack[0] == f"{__file__}:{at[0] + 1} outer"
    assert simulation.watchdog.stack[1] in [f"{__file__}:{at[1] + n} inner" for n in (1, 2)]
    assert len(simulation.watchdog.stack) == 2


def test_a_finding_carries_its_stack_and_its_id_does_not():
    """Of a deep recursion the middle is left out; the campaign goes on after the spin."""

    def deep(world):
        try:
            world.tools.look()
        except TimeoutError:
            down(50)
        return "fine"

    def down(n):
        while n == 0:
            pass
        down(n - 1)

    with Simulation(run_timeout=0.1) as simulation:
        space = Space(only=("once/timeout", "once/error"))
        campaign = Campaign(
            anywhere, deep, simulation, nodeid="t", space=space, root=Path(__file__).parent,
            budget=Budget(depth=1, deep_runs=0),
        )  # fmt: skip
        campaign.search()
        result = campaign.result()
    (finding,) = (one for one in result.findings if one.code == "AF202")
    lines = finding.stack.splitlines()
    assert len(lines) == 30
    first = deep.__code__.co_firstlineno
    assert lines[0] == f"test_watchdog.py:{first + 4} deep"
    assert lines[10] == "... 23 more"
    assert finding.id == finding_id("t", finding.violation, finding.plan)
    assert "down" not in dump(history_to_json(finding.history))
    assert [(level.done, level.total) for level in result.levels] == [(2, 2)]


def test_a_wait_beside_a_server_is_interrupted_where_there_is_no_timer():
    """Whoever talks to the server lives in real time, and says nothing for ever."""

    async def waits(world):
        with world.serve():
            silent = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
            try:
                return await silent.stdout.read()
            finally:
                silent.kill()

    def work():
        with Simulation(run_timeout=0.1) as simulation:
            return run(anywhere, waits, simulation=simulation).history.ended

    ended = in_a_thread(work)
    assert (ended.how, ended.error) == ("cut_off", "spinning")
