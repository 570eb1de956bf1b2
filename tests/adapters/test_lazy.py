"""Naming the adapters costs nothing until one of them is used."""

import subprocess
import sys

import pytest

from agentfuzz import adapters


def test_no_framework_is_imported_with_the_package() -> None:
    """`import agentfuzz.adapters` imports no framework."""
    code = (
        "import sys, agentfuzz.adapters; "
        "sys.exit(any(m.split('.')[0] in ('langgraph', 'langchain_core', 'agents', 'openai') "
        "for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_adapter_is_named() -> None:
    """A wrong name says which adapters there are."""
    with pytest.raises(AttributeError, match="openai_agents"):
        adapters.langgrap  # noqa: B018
