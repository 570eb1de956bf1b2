"""Company: async `@fuzz` tests run on virtual time, whatever other async plugin is there."""

import pytest

from .conftest import Project
from .sources import BASE

ASYNC = (
    BASE
    + """
import asyncio
import pytest


@fuzz(charge_order, only=("once/timeout",))
async def test_campaign(world):
    await asyncio.sleep(3600)
    words = {"order_id": "A17", "cents": 1, "idempotency_key": "charge-A17"}
    for _ in range(2):
        try:
            async with asyncio.timeout(10):
                reply = await world.tools.aio.charge_card(**words)
            return Completion.success(handle=reply["charge_id"])
        except TimeoutError:
            pass
    return Completion.blocked(reason="outcome_unknown")
"""
)

ASYNCIO = (
    ASYNC
    + """

@pytest.fixture
def plain():
    return 1


@pytest.mark.asyncio
async def test_theirs(plain):
    await asyncio.sleep(0)
    assert plain == 1
"""
)

FIXTURE = """
import pytest_asyncio


@pytest_asyncio.fixture
async def key():
    await asyncio.sleep(0)
    yield "charge-A17"


@fuzz(charge_order, only=("once/timeout",))
async def test_async_fixture(world, key):
    return billing_agent(world.tools, key)


async def noise():
    await asyncio.sleep(0)
"""

ANYIO = (
    ASYNC
    + """

@pytest.mark.anyio
async def test_theirs(anyio_backend_name):
    await asyncio.sleep(0)
    assert anyio_backend_name == "asyncio"


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
)


def test_an_async_test_runs_without_any_async_plugin(project: Project) -> None:
    """agentfuzz brings its own loop: an hour of sleep costs nothing."""
    project.file("test_async.py", ASYNC)
    project.run().assert_outcomes(passed=1)
    project.campaign().assert_outcomes(passed=1)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_beside_pytest_asyncio(project: Project, mode: str) -> None:
    """In both modes of pytest-asyncio: their tests are theirs, ours are ours, and their async
    fixtures reach ours."""
    project.file("test_async.py", ASYNCIO + FIXTURE)
    for option in ("--agentfuzz-depth=1", "--agentfuzz"):
        done = project.spawn(
            "-p",
            "pytest_asyncio.plugin",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
            f"--asyncio-mode={mode}",
            "-W",
            "error",
            option,
            "-q",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "3 passed" in done.stdout


@pytest.mark.slow
def test_beside_anyio(project: Project) -> None:
    """anyio's plugin runs what is marked anyio and leaves @fuzz tests alone."""
    project.file("test_async.py", ANYIO)
    done = project.spawn("-p", "anyio.pytest_plugin", "--agentfuzz", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
