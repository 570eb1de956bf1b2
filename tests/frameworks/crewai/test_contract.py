"""CrewAI passes the kit."""

import pytest

pytest.importorskip("crewai")

from agentfuzz.adapters import testing
from agentfuzz.adapters.crewai import ADAPTER


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    ADAPTER.warm()


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check: testing.Check) -> None:
    """One sentence of the contract."""
    check()
