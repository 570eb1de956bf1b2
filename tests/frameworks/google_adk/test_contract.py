"""ADK keeps the contract of adapters."""

import pytest

pytest.importorskip("google.adk")

from agentfuzz.adapters import testing
from agentfuzz.adapters.google_adk import ADAPTER


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check: testing.Check) -> None:
    """Each check of the kit holds."""
    check()
