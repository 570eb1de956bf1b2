"""Strands Agents passes the kit."""

import pytest

pytest.importorskip("strands")

from agentfuzz.adapters import testing
from agentfuzz.adapters.strands import ADAPTER


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check: testing.Check) -> None:
    """One sentence of the contract."""
    check()
