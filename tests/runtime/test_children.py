"""Processes of the agent's on its event loop: waited for in real time, however long they work."""

import asyncio
import sys
import threading

import pytest

from agentfuzz import Completion, scenario

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
