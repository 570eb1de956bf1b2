"""What an hour of waiting costs in virtual time.

    python benchmarks/clock.py

Each line is one way to wait for an hour in a run: one sleep, ten retries of a back-off library, a
deadline that passes, sixty waits of a minute. Real time of the waiting alone, without the run
around it; the median of the turns, interleaved in one process. Goal: well under a millisecond an
hour (one sleep, one deadline); a library's own work for its ten retries comes on top, and the
system's for a new thread, which a busy machine makes wait for milliseconds: the line above it has
one as well, and does not wait in it.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import anyio
import stamina
import tenacity
import trio
from _measure import interleaved, table

from agentfuzz import World, adapters, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.world.injector import FromPlan

HOUR = 3600.0
RETRIES = 10
TURNS = 25


class Flaky:
    """Works at the eleventh call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= RETRIES:
            raise ConnectionError

    async def aio(self) -> None:
        self()


TENACITY = tenacity.wait_fixed(HOUR / RETRIES)
stamina.instrumentation.set_on_retry_hooks([])  # it would log every retry
STAMINA: dict[str, Any] = {
    "on": ConnectionError,
    "attempts": RETRIES + 1,
    "timeout": None,
    "wait_initial": HOUR / RETRIES,
    "wait_max": HOUR / RETRIES,
    "wait_jitter": 0,
}


def minutes() -> None:
    for _ in range(60):
        time.sleep(60)


def queued() -> None:
    try:
        queue.Queue().get(timeout=HOUR)
    except queue.Empty:
        return


def pooled() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, HOUR).result()


def beside_a_pool() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
    time.sleep(HOUR)


async def aio_timeout() -> None:
    try:
        async with asyncio.timeout(HOUR):
            await asyncio.Event().wait()
    except TimeoutError:
        return


async def aio_wait_for() -> None:
    try:
        await asyncio.wait_for(asyncio.Event().wait(), HOUR)
    except TimeoutError:
        return


async def anyio_deadline() -> None:
    with anyio.move_on_after(HOUR):
        await anyio.sleep_forever()


async def trio_deadline() -> None:
    with trio.move_on_after(HOUR):
        await trio.sleep_forever()


async def trio_sleep() -> None:
    await trio.sleep(HOUR)


async def aio_minutes() -> None:
    for _ in range(60):
        await asyncio.sleep(60)


SYNC: dict[str, Callable[[], object]] = {
    "time.sleep": lambda: time.sleep(HOUR),
    "time.sleep, 60 times": minutes,
    "threading.Event.wait": lambda: threading.Event().wait(HOUR),
    "queue.Queue.get": queued,
    "time.sleep beside a new pool": beside_a_pool,
    "time.sleep in a new pool": pooled,
    "tenacity, 10 retries": lambda: tenacity.Retrying(wait=TENACITY)(Flaky()),
    "stamina, 10 retries": lambda: stamina.retry(**STAMINA)(Flaky())(),
}
ASYNC: dict[str, Callable[[], Any]] = {
    "asyncio.sleep": lambda: asyncio.sleep(HOUR),
    "asyncio.sleep, 60 times": aio_minutes,
    "asyncio.timeout": aio_timeout,
    "asyncio.wait_for": aio_wait_for,
    "anyio.sleep": lambda: anyio.sleep(HOUR),
    "anyio.move_on_after": anyio_deadline,
    "tenacity, 10 retries, async": lambda: tenacity.AsyncRetrying(wait=TENACITY)(Flaky().aio),
    "stamina, 10 retries, async": lambda: stamina.retry(**STAMINA)(Flaky().aio)(),
}
TRIO: dict[str, Callable[[], Any]] = {
    "trio.sleep": trio_sleep,
    "trio.move_on_after": trio_deadline,
}


@scenario()
def empty(world: World) -> None:
    """Nothing but time."""


def timed(simulation: Simulation, agent: Callable[[World, list[float]], Any]) -> float:
    """Real seconds of the waiting in one run, of an hour of virtual time."""
    took: list[float] = []
    history = simulation.execute(empty, lambda world: agent(world, took), FromPlan())
    assert history.ended is not None
    assert history.ended.how == "returned", history.ended
    assert HOUR - 1 < history.ended.t < HOUR + 1, history.ended.t
    return took[0]


def sync_case(wait: Callable[[], object]) -> Callable[[World, list[float]], None]:
    def agent(world: World, took: list[float]) -> None:
        begun = Real.monotonic()
        wait()
        took.append(Real.monotonic() - begun)

    return agent


async def measured(wait: Callable[[], Any], took: list[float]) -> None:
    begun = Real.monotonic()
    await wait()
    took.append(Real.monotonic() - begun)


def async_case(wait: Callable[[], Any]) -> Callable[[World, list[float]], Any]:
    return lambda world, took: measured(wait, took)


def trio_case(wait: Callable[[], Any]) -> Callable[[World, list[float]], Any]:
    def agent(world: World, took: list[float]) -> None:
        trio.run(measured, wait, took, clock=adapters.trio.clock(world))

    return agent


def main() -> None:
    cases = {name: sync_case(wait) for name, wait in SYNC.items()}
    cases |= {name: async_case(wait) for name, wait in ASYNC.items()}
    cases |= {name: trio_case(wait) for name, wait in TRIO.items()}
    with Simulation() as simulation:
        measures = {
            name: lambda agent=agent: timed(simulation, agent) for name, agent in cases.items()
        }
        found = interleaved(measures, TURNS)
    rows = [(name, f"{median(times) * 1e6:,.0f}") for name, times in found.items()]
    table("an hour of virtual time, goal well under 1,000 us", ("", "us"), rows)


if __name__ == "__main__":
    main()
