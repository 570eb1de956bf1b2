"""The stream that stays open after its other end is gone.

A release job follows a build, and deploys what turns green. In between stands a load balancer that
forgets connections: nothing closes, nothing fails, and nothing comes any more. A client waits for
the next piece as long as it is let; its retries wait for an error that nobody sends. What helps is
a clock of one's own around every wait, and a key, since the deployment may have happened all the
same.

Rows: B49.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    ends_within,
    exactly_once,
    returns_control,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)
DEADLINE = 60.0  # seconds for each wait


@scenario(
    returns_control(),
    ends_within(seconds=600),
    exactly_once("deployment", intents=[{"build": "b42"}]),
    structured_termination(),
    truthful(),
    task="Deploy build b42 as soon as it is green.",
)
def half_open_stream(world: World) -> None:
    @world.tool
    async def follow_build(build: str) -> dict[str, object]:
        """The events of a build, up to its end."""
        await asyncio.sleep(5)
        return {"build": build, "state": "green"}

    @world.tool(effect="deployment", scope=("build",), dedup="key")
    async def deploy(build: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Deploy a build."""
        await asyncio.sleep(5)
        return {"deployed": build}

    world.raise_as(timeout="hang")


async def tried(call: Any, wanted: dict[str, object]) -> bool:
    """Three attempts at something, and whether it came out as wanted."""
    for _ in range(3):
        try:
            if await call() == wanted:
                return True
        except FAILURES:
            continue
    return False


async def release(world: World, wait: Any) -> Completion:
    """Follow the build, then deploy it; `wait` is how a wait is made."""
    tools = world.tools.aio

    def follow() -> Awaitable[Any]:
        return wait(tools.follow_build(build="b42"))

    def deploy() -> Awaitable[Any]:
        return wait(tools.deploy(build="b42", idempotency_key="release-b42"))

    if not await tried(follow, {"build": "b42", "state": "green"}):
        return Completion.blocked(reason="dependency_unavailable", handle="b42")
    if not await tried(deploy, {"deployed": "b42"}):
        return Completion.blocked(reason="outcome_unknown", handle="b42")
    return Completion.success(handle="b42")


async def waits_for_an_error(world: World) -> Completion:
    """Victim: three attempts, of which the first never fails."""

    async def wait(call: Awaitable[Any]) -> Any:
        return await call

    return await release(world, wait)


async def a_watchdog_that_waits(world: World) -> Completion:
    """Victim: has a deadline, and then waits for the task that it has let go."""

    async def wait(call: Awaitable[Any]) -> Any:
        work = asyncio.ensure_future(call)
        done, _ = await asyncio.wait([work], timeout=DEADLINE)
        return await work if not done else work.result()

    return await release(world, wait)


async def it_will_have_worked(world: World) -> Completion:
    """Victim: a deadline of its own, and after the deadline the optimist's answer."""

    async def wait(call: Awaitable[Any]) -> Any:
        async with asyncio.timeout(DEADLINE):
            return await call

    ending = await release(world, wait)
    return Completion.success(handle="b42") if ending.reason == "outcome_unknown" else ending


async def a_clock_of_its_own(world: World) -> Completion:
    """Survivor: each wait ends after a minute, whoever is silent; and what is not known is said."""

    async def wait(call: Awaitable[Any]) -> Any:
        async with asyncio.timeout(DEADLINE):
            return await call

    return await release(world, wait)


VICTIMS = {
    waits_for_an_error: ("AF203", "AF214", "AF215"),
    a_watchdog_that_waits: ("AF203", "AF214", "AF215"),
    it_will_have_worked: ("AF103", "AF301"),
}
SURVIVORS = (a_clock_of_its_own,)
