"""The files of a project: a shop whose campaigns are compared, and what uses each neighbour."""

INI = """[pytest]
pythonpath = .
asyncio_default_fixture_loop_scope = function
agentfuzz_depth = 1
agentfuzz_max_runs = 60
"""

SHOP = """
from agentfuzz import Completion, World, exactly_once, scenario, structured_termination


@scenario(exactly_once("charge"), structured_termination(), task="Charge A17.", max_crossings=30)
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, cents: int, idempotency_key: str | None = None) -> dict:
        return {"charge_id": "ch_1", "cents": cents}


def rate():
    return 1


def billing_agent(tools, key="attempt-{attempt}"):
    for attempt in range(3):
        mine = key.format(attempt=attempt)
        try:
            reply = tools.charge_card(order_id="A17", cents=4200, idempotency_key=mine)
        except (TimeoutError, ConnectionError):
            continue
        if isinstance(reply, dict) and "charge_id" in reply:
            return Completion.success(handle=str(reply["charge_id"]))
    return Completion.blocked(reason="outcome_unknown")
"""

HEAD = """
import asyncio
import random
import uuid

import pytest

from agentfuzz import Completion, fuzz
from shop import billing_agent, charge_order, rate

FEW = {"max_runs": 20}
"""

# Two findings, and what is honest.
ALL = (
    HEAD
    + """

@pytest.fixture
def key():
    return "charge-A17"


@fuzz(charge_order)
def test_buggy(world):
    return billing_agent(world.tools)


@pytest.mark.parametrize("number", [1, 2])
@fuzz(charge_order, **FEW)
def test_honest(world, key, number, tmp_path):
    random.random(), uuid.uuid4()
    return billing_agent(world.tools, key)


@fuzz(charge_order)
async def test_waits(world):
    await asyncio.sleep(3600)
    words = {"order_id": "A17", "cents": 1, "idempotency_key": f"key-{random.random()}"}
    for _ in range(2):
        try:
            async with asyncio.timeout(10):
                reply = await world.tools.aio.charge_card(**words)
            return Completion.success(handle=reply["charge_id"])
        except TimeoutError:
            words["idempotency_key"] += "x"
    return Completion.blocked(reason="outcome_unknown")


def test_ordinary(key):
    assert key == "charge-A17"
"""
)

ASYNCIO = (
    HEAD
    + """
import pytest_asyncio


@pytest_asyncio.fixture
async def key():
    await asyncio.sleep(0)
    yield "charge-A17"


@pytest.mark.asyncio
@fuzz(charge_order, **FEW)
async def test_a_fixture_of_theirs(world, key):
    await asyncio.sleep(3600)
    return billing_agent(world.tools, key)


@fuzz(charge_order, each_run=True, **FEW)
async def test_renewed(world, key):
    return billing_agent(world.tools, key)


@pytest.mark.asyncio
async def test_theirs(key):
    await asyncio.sleep(0)
    assert key == "charge-A17"
"""
)

ANYIO = (
    HEAD
    + """

@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def key(anyio_backend):
    await asyncio.sleep(0)
    yield "charge-A17"


@pytest.mark.anyio
@fuzz(charge_order, **FEW)
async def test_a_fixture_of_theirs(world, key):
    await asyncio.sleep(3600)
    return billing_agent(world.tools, key)


@pytest.mark.anyio
async def test_theirs(key):
    await asyncio.sleep(0)
    assert key == "charge-A17"
"""
)

MOCK = (
    HEAD
    + """
import shop


@pytest.fixture
def patched(mocker):
    return mocker.patch("shop.rate", return_value=5)


@fuzz(charge_order, **FEW)
def test_a_patch_by_a_fixture(world, patched):
    assert shop.rate() == 5
    return billing_agent(world.tools, "k")


@fuzz(charge_order, each_run="mocker", **FEW)
def test_a_spy_in_each_run(world, mocker):
    spy = mocker.spy(shop, "rate")
    assert shop.rate() == 1 and spy.call_count == 1
    return billing_agent(world.tools, "k")


def test_nothing_stays():
    assert shop.rate() == 1
"""
)

RECORDING = (
    HEAD
    + """
from urllib.request import urlopen


def call(host="example.com"):
    with urlopen(f"http://{host}/") as reply:
        return reply.read()


@pytest.mark.vcr
@fuzz(charge_order, each_run=("vcr",), **FEW)
def test_in_each_run(world):
    assert call() == b"recorded"
    return billing_agent(world.tools, "k")


@pytest.mark.vcr(allow_playback_repeats=True)
@fuzz(charge_order, **FEW)
def test_over_and_over(world):
    assert call() == b"recorded"
    return billing_agent(world.tools, "k")


@pytest.mark.block_network
@fuzz(charge_order, **FEW)
async def test_refused(world):
    with pytest.raises(OSError, match="agentfuzz refuses the network in a run: example.com"):
        call()
    with pytest.raises(RuntimeError, match="Network is disabled for host '127.0.0.1'"):
        call("127.0.0.1:9")
    return billing_agent(world.tools, "k")


@pytest.mark.vcr
def test_theirs():
    assert call() == b"recorded"
"""
)
CASSETTE = """
interactions:
- request: {body: null, headers: {}, method: GET, uri: 'http://example.com/'}
  response:
    body: {string: recorded}
    headers: {Content-Type: [text/plain]}
    status: {code: 200, message: OK}
version: 1
"""

DEEPEVAL = (
    HEAD
    + """
from deepeval import assert_test
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase
from deepeval.tracing import observe

CASE = LLMTestCase(input="x", actual_output="a", expected_output="a")


class Same(BaseMetric):
    threshold, async_mode, __name__ = 0.5, False, "Same"

    def measure(self, case, *args, **named):
        self.score = float(case.actual_output == case.expected_output)
        self.success = self.score >= self.threshold
        return self.score

    def is_successful(self):
        return self.success


@observe()
def observed(tools):
    return billing_agent(tools, "k")


@fuzz(charge_order, **FEW)
def test_measured(world):
    done = observed(world.tools)
    assert_test(CASE, [Same()], run_async=False)
    return done


def test_theirs():
    assert_test(CASE, [Same()], run_async=False)
"""
)

LANGSMITH = (
    HEAD
    + """
from langsmith import testing, traceable


@traceable
def traced(tools):
    return billing_agent(tools, "k")


@pytest.mark.langsmith
@fuzz(charge_order, **FEW)
def test_traced(world):
    return traced(world.tools)


@pytest.mark.langsmith
@fuzz(charge_order, each_run=True, **FEW)
def test_renewed(world, tmp_path):
    return traced(world.tools)


@pytest.mark.langsmith
def test_theirs():
    testing.log_inputs({"a": 1})
    testing.log_outputs({"b": 1})
"""
)

# Lines that two faults together lead to, and nothing else.
DEEP = (
    HEAD
    + """

def careful_agent(tools):
    seen = []
    for attempt in range(4):
        try:
            reply = tools.charge_card(order_id="A17", cents=1, idempotency_key="k")
        except TimeoutError:
            seen.append("timeout")
        except Exception:
            seen.append("other")
        else:
            if isinstance(reply, dict) and "charge_id" in reply:
                break
    else:
        return Completion.blocked(reason="outcome_unknown")
    if seen == ["timeout", "other"]:
        seen = None
    elif seen == ["other", "timeout"]:
        seen = None
    return Completion.success(handle=str(reply["charge_id"]))


@fuzz(charge_order, max_runs=500)
def test_deep(world):
    return careful_agent(world.tools)
"""
)

# In the thirtieth run the time that pytest-timeout gives is over, and the agent catches everything.
LATE = (
    HEAD
    + """
import os
import signal

RUNS = []


def struck():
    RUNS.append(1)
    if len(RUNS) == 30:
        os.kill(os.getpid(), signal.SIGALRM)


@pytest.mark.parametrize("key", ["attempt-{attempt}", "k"], ids=["buggy", "honest"])
@fuzz(charge_order)
def test_late(world, key):
    try:
        struck()
    except BaseException:
        pass
    return billing_agent(world.tools, key)


@fuzz(charge_order)
async def test_awaits(world):
    try:
        struck()
        await asyncio.sleep(3600)
    except BaseException:
        pass
    return billing_agent(world.tools, "k")


@pytest.fixture(autouse=True)
def anew():
    RUNS.clear()


def test_after():
    pass
"""
)

# The agent is mended before its test is run again.
FLAKY = (
    HEAD
    + """

TIMES = []


@pytest.fixture
def key():
    TIMES.append(1)
    return "attempt-{attempt}" if len(TIMES) == 1 else "k"


@fuzz(charge_order)
def test_mended(world, key):
    return billing_agent(world.tools, key)
"""
)
