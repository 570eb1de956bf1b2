"""Processes of the agent's on its event loop: waited for in real time, however long they work."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agentfuzz import Completion, scenario
from agentfuzz.runtime import children

ECHO = "import sys; [print(line, end='', flush=True) for line in sys.stdin]"
BUSY = f"x = sum(i * i for i in range(3_000_000)); {ECHO}"
SILENT = "import sys; sys.stdin.read()"


@scenario()
def office(world):
    @world.tool
    def look(name: str):
        return name


async def begun(program):
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    return await asyncio.create_subprocess_exec(sys.executable, "-c", program, **pipes)


def test_timers_wait_for_a_process_that_works(play):
    """A second of the agent's is not over before its process has answered."""
    said = []

    async def agent(world):
        child = await begun(BUSY)
        async with asyncio.timeout(1):
            for word in (b"one\n", b"two\n"):
                child.stdin.write(word)
                said.append(await child.stdout.readline())
        child.stdin.close()
        async with asyncio.timeout(1):
            said.append(await child.wait())
        return Completion.success(reason="nothing_to_do")

    history = play(office, agent).history
    assert said == [b"one\n", b"two\n", 0]
    assert (history.ended.how, history.ended.t) == ("returned", 0.0)


def test_a_timer_comes_when_a_process_waits_for_us(play):
    """One that was asked nothing says nothing."""

    async def agent(world):
        child = await begun(ECHO)
        try:
            async with asyncio.timeout(60):
                await child.stdout.readline()
        except TimeoutError:
            child.kill()
            await child.wait()
        return Completion.success(reason="nothing_to_do")

    assert play(office, agent).history.ended.t == 60.0


def test_a_deadline_for_a_process_that_works_for_ever(play, monkeypatch):
    """It comes before the run is cut off."""
    monkeypatch.setattr("agentfuzz.runtime.virtual_selector.patience", lambda share: share)

    async def agent(world):
        child = await begun("while True: pass")
        try:
            async with asyncio.timeout(60):
                while child.returncode is None:
                    await asyncio.sleep(10)
        except TimeoutError:
            child.kill()
            await child.wait()
        return Completion.success(reason="nothing_to_do")

    ended = play(office, agent).history.ended
    assert (ended.how, ended.t) == ("returned", 60.0)


def test_a_process_and_the_agent_that_wait_for_each_other(play):
    """Nothing can ever happen again: hung, and the process is ended with the run."""
    left = []

    async def agent(world):
        left.append(await begun(SILENT))
        await left[0].stdout.readline()

    ended = play(office, agent).history.ended
    assert (ended.how, ended.error) == ("cut_off", "hung")
    assert left[0]._transport.get_extra_info("subprocess").wait(60) is not None


@pytest.mark.parametrize("waits", ["on a thread", "on a loop"])
def test_a_process_on_a_loop_in_a_thread_of_its_own(play, waits):
    """Who waits for that thread waits for the process: a sync agent over an async client."""
    said = []

    async def asked():
        child = await begun(BUSY)
        child.stdin.write(b"one\n")
        said.append(await child.stdout.readline())
        child.stdin.close()
        await child.wait()

    def work(loop):
        loop.run_until_complete(asked())
        loop.close()

    def begin():
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=work, args=(loop,), daemon=True)
        thread.start()
        return thread

    def sync(world):
        begin().join(30)
        return Completion.success(reason="nothing_to_do")

    async def awaited(world):
        thread = begin()
        for _ in range(30):
            if thread.is_alive():
                await asyncio.sleep(1)
        return Completion.success(reason="nothing_to_do")

    history = play(office, sync if waits == "on a thread" else awaited).history
    assert said == [b"one\n"]
    assert history.ended.how == "returned"
    assert history.ended.t <= 2.0


def until(seen, pid):
    """Looks at a process for as long as it takes."""
    while not seen(pid):
        select.select([], [], [], children.LOOK)
    return True


@pytest.fixture(params=["named", "by their parents"])
def tells(request, monkeypatch):
    """Some systems name the children of a process, every one its parent."""
    if request.param == "by their parents":
        monkeypatch.setattr(children, "_NAMES_CHILDREN", False)
    elif not children._NAMES_CHILDREN:
        pytest.skip("this system does not")


@pytest.mark.skipif(sys.platform != "linux", reason="only this system tells")
@pytest.mark.parametrize("line", ["while :; do :; done", "(while :; do :; done); true"])
def test_what_a_process_has_begun_is_at_work_for_it(tells, line):
    """However deep it lies, and though the process itself sleeps."""
    shell = f"sh -c {line!r} & wait"
    with subprocess.Popen(["sh", "-c", shell], start_new_session=True) as process:
        depth = 1 + line.startswith("(")
        until(lambda pid: [*children.states(pid)].count("S") >= depth, process.pid)
        assert until(children.at_work, process.pid)
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="only this system tells")
def test_the_dead_and_the_stopped_are_not_at_work(tells):
    """Nobody has asked how a child of it ended; or somebody has stopped it."""
    script = "import signal, subprocess; keep = subprocess.Popen('true'); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        assert until(lambda pid: "Z" in dead(pid), process.pid)
        assert until(lambda pid: [*children.states(pid)] == ["S"], process.pid)
        assert not children.at_work(process.pid)
        process.send_signal(signal.SIGSTOP)
        assert until(lambda pid: [*children.states(pid)] == ["T"], process.pid)
        assert not children.at_work(process.pid)
        process.kill()


def dead(pid):
    """The states of the children of a process."""
    begun = children._parents().get(pid, ())
    return [children._fields(Path(f"/proc/{one}/stat"))[0] for one in begun]
