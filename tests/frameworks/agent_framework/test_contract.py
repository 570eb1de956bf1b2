"""The Agent Framework keeps the contract of adapters."""

import pytest

pytest.importorskip("agent_framework", reason="needs 'pytest-agentfuzz[agent-framework]'")

from agentfuzz.adapters import testing
from agentfuzz.adapters.agent_framework import ADAPTER


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check):
    check()
