"""A thread of a dead process, which was in code written in C when that died, ends when it goes on.

Otherwise it waits for ever for what its process was to give it, and keeps the interpreter from its
exit: AnyIO's workers are no daemons, and take every exception for their work's.
"""

import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import anyio
import anyio.to_thread
import pytest

from agentfuzz import World, run, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.thread_pools import patches


@scenario(resume=True)
def shop(world: World) -> None:
    @world.tool
    def charge() -> str:
        return "ch_1"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ours, its = os.pipe()
    yield ours, its
    os.close(ours)
    os.close(its)


def reads(ours: int) -> Callable[[World], Awaitable[None]]:
    """An agent with a worker that reads what never comes while it lives."""

    async def agent(world: World) -> None:
        read = partial(anyio.to_thread.run_sync, partial(os.read, ours, 1), abandon_on_cancel=True)
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.sleep(1)
            await world.tools.aio.charge()
            group.cancel_scope.cancel()

    return agent


def left(before: set[threading.Thread]) -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one not in before and "AnyIO" in one.name]


@pytest.mark.parametrize("after", [False, True], ids=["while it simulates", "after that"])
def test_it_ends(pipe: tuple[int, int], after: bool) -> None:
    ours, its = pipe
    before = {*threading.enumerate()}
    with Simulation() as simulation:
        found = run(shop, reads(ours), "process:charge#1:crash", simulation=simulation)
        assert found.history.ended is not None
        assert found.history.ended.how == "returned"
        threads = left(before)
        assert threads
        if not after:
            os.write(its, b"." * len(threads))
            for thread in threads:
                patches._join(thread, 30)
    os.write(its, b"." * len(threads))
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_who_is_not_of_a_run_waits_as_ever(pipe: tuple[int, int]) -> None:
    """After a simulation that has left such a thread behind."""
    ours, its = pipe
    before = {*threading.enumerate()}
    with Simulation() as simulation:
        run(shop, reads(ours), "process:charge#1:crash", simulation=simulation)
    event, begun = threading.Event(), Real.monotonic()
    assert not event.wait(0.05)
    assert Real.monotonic() - begun >= 0.05
    threads = left(before)
    os.write(its, b"." * len(threads))
    for thread in threads:
        thread.join(30)
    assert not left(before)
