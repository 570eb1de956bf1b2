"""LangGraph and LangChain keep the contract of adapters, by every way into their loops."""

import pytest

pytest.importorskip("langgraph")

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
