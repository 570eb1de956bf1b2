"""Libraries that wait do it in virtual time: anyio, HTTP clients, back-off."""

import asyncio
from importlib import import_module

import anyio
import pytest
import stamina
import tenacity

from agentfuzz import scenario, wire
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.world.injector import FromPlan

# anyio


def test_anyio(clock):
    """Its sleeps and deadlines, on asyncio."""

    async def main():
        await anyio.sleep(3600)
        with anyio.move_on_after(600) as scope:
            await anyio.sleep(3600)
        assert scope.cancelled_caught
        with pytest.raises(TimeoutError):
            with anyio.fail_after(60):
                await anyio.sleep_forever()
        async with anyio.create_task_group() as group:
            for seconds in (50, 100, 150):
                group.start_soon(anyio.sleep, seconds)
        return anyio.current_time()

    assert anyio.run(main) == pytest.approx(3600 + 600 + 60 + 150, abs=1e-3)


@pytest.mark.parametrize("library", ["httpx2", "httpx"])
def test_the_timeout_of_an_http_client(library):
    """It is the client's own, in virtual time: sync by its read timeout, async by that or by a
    deadline around it."""
    http = import_module(library)
    request = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
    found = []

    @scenario(task="?", script=["Yes."])
    def asked(world):
        pass

    def sync(world):
        with wire.http_client(world, library, timeout=90.0) as client:
            with pytest.raises(http.ReadTimeout):
                client.post("/v1/messages", json=request)
        found.append(world.clock.now)

    async def asynchronous(world):
        async with wire.async_http_client(world, library, timeout=90.0) as client:
            with pytest.raises(http.ReadTimeout):
                await client.post("/v1/messages", json=request)
            found.append(world.clock.now)

    async def bounded(world):
        async with wire.async_http_client(world, library, timeout=90.0) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(30):
                    await client.post("/v1/messages", json=request)
            found.append(world.clock.now)

    with Simulation() as simulation:
        for agent in (sync, asynchronous, bounded):
            simulation.execute(asked, agent, FromPlan(FaultPlan.parse("model#1:timeout")))
    assert found == [pytest.approx(seconds, abs=1e-3) for seconds in (90, 90, 30)]


# back-off libraries


class Flaky:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls < 5:
            raise ConnectionError("reset")
        return "ok"

    async def aio(self):
        return self()


def test_tenacity(clock):
    """Exponential waits of 1, 2, 4 and 8 seconds, sync and async."""
    wait = tenacity.wait_exponential(multiplier=1, max=60)
    assert tenacity.Retrying(wait=wait)(Flaky()) == "ok"
    assert clock.now == 15.0

    async def main():
        return await tenacity.AsyncRetrying(wait=wait)(Flaky().aio)

    assert asyncio.run(main()) == "ok"
    assert clock.now == pytest.approx(30, abs=1e-3)


def test_stamina(clock):
    """Waits of a minute and more, sync and async, and it gives up at its virtual timeout."""
    how = {"wait_initial": 60, "wait_max": 6000, "wait_jitter": 0, "timeout": None}
    assert stamina.retry(on=ConnectionError, attempts=9, **how)(Flaky())() == "ok"
    first = clock.now
    assert first == 60 + 120 + 240 + 480

    @stamina.retry(on=ConnectionError, attempts=9, **how)
    async def asynchronous():
        return flaky()

    flaky = Flaky()
    assert asyncio.run(asynchronous()) == "ok"
    assert clock.now == pytest.approx(2 * first, abs=1e-3)

    @stamina.retry(on=ConnectionError, attempts=None, **{**how, "timeout": 600})
    def never():
        raise ConnectionError

    with pytest.raises(ConnectionError):
        never()
    assert clock.now == pytest.approx(3 * first, abs=1e-3)  # the first try after 600 s is the last
