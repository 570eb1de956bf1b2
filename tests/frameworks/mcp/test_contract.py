"""The MCP SDK keeps the contract of adapters."""

import pytest

pytest.importorskip("mcp", reason="needs the MCP SDK: pip install 'mcp>=1.10,<3'")

from agentfuzz.adapters import testing
from agentfuzz.adapters.mcp import ADAPTER


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check):
    check()
