"""LangGraph and LangChain keep the contract of adapters, by every way into their loops."""

import inspect
import runpy

import pytest

pytest.importorskip("langgraph")

from agentfuzz import AgentfuzzError
from agentfuzz.adapters import testing
from agentfuzz.adapters.langgraph import ADAPTER

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    ADAPTER.warm()


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check: testing.Check) -> None:
    """See the kit."""
    check()


def test_what_is_too_old_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its version, and what to install."""
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.5.4")
    with pytest.raises(AgentfuzzError, match=r"langgraph 0\.5\.4 .*pip install 'langgraph>=0\.6'"):
        runpy.run_path(inspect.getfile(type(ADAPTER)))
