"""LlamaIndex keeps the contract of adapters."""

import pytest

pytest.importorskip("llama_index.llms.openai_like")

from agentfuzz.adapters import testing
from agentfuzz.adapters.llama_index import ADAPTER


@pytest.mark.parametrize("check", testing.checks(ADAPTER), ids=str)
def test_contract(check: testing.Check) -> None:
    """Each check of the kit holds."""
    check()
