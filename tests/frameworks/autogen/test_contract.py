"""AutoGen keeps the contract of adapters."""

import pytest

pytest.importorskip("autogen_agentchat", reason="needs 'pytest-agentfuzz[autogen]'")

from agentfuzz.adapters import testing
from agentfuzz.adapters.autogen import ADAPTER


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check):
    check()
