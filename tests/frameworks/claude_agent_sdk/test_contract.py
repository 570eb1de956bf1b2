"""The Claude Agent SDK keeps the contract of adapters. Each run starts its program: seconds."""

import pytest

pytest.importorskip("claude_agent_sdk")

from agentfuzz.adapters import testing
from agentfuzz.adapters.claude_agent_sdk import ADAPTER


@pytest.mark.slow
@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check: testing.Check) -> None:
    """Each check of the kit holds."""
    check()
