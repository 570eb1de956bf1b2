"""A library that keeps an event loop in a thread of its own lives on, in real time."""

import sys

import pytest

from agentfuzz import run, scenario
from agentfuzz.engine.simulation import Simulation

LIBRARY = """
import asyncio, threading
loop, beats = None, threading.Semaphore(0)


async def heart():
    while True:
        beats.release()
        await asyncio.sleep(0.01)


async def answer():
    return 42


async def begin():
    global heartbeat
    heartbeat = asyncio.ensure_future(heart())


def start():
    global loop
    if loop is None:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(begin(), loop)


def ask():
    start()
    return asyncio.run_coroutine_threadsafe(answer(), loop).result(60)


def stop():
    loop.call_soon_threadsafe(loop.stop)
"""


@scenario()
def anywhere(world):
    @world.tool
    def look(): ...


@pytest.fixture
def library(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "keeps_a_loop.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("keeps_a_loop").stop()


@pytest.mark.usefixtures("library")
def test_a_loop_that_is_begun_in_a_run():
    """It is no part of the run: it answers every run and the tests after them, its timers come by
    the real clock, and it moves the clock of no run."""

    def agent(world):
        import keeps_a_loop

        world.tools.look()
        return keeps_a_loop.ask()

    with Simulation() as simulation:
        found = [run(anywhere, agent, simulation=simulation).history for _ in range(5)]
        assert [one.ended.value for one in found] == [42] * 5
        assert {event.t for one in found for event in one.events} == {0.0}
    library = sys.modules["keeps_a_loop"]
    assert library.ask() == 42
    for _ in range(3):
        assert library.beats.acquire(timeout=60)
    while library.beats.acquire(blocking=False):
        pass
    assert library.beats.acquire(timeout=60), "its timers come after the simulation, too"
