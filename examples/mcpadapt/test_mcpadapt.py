"""mcpadapt's own tests of its client, as they are: a session, a server over stdio, two tools."""

import os
import sys
from pathlib import Path

import pytest
from test_core import (  # noqa: F401
    echo_server_script,
    test_basic_async,
    test_basic_async_multiple_tools,
    test_basic_async_update_tools,
    update_server_script,
)

pytestmark = pytest.mark.agentfuzz(max_runs=8)


@pytest.fixture(autouse=True)
def _environment(tmp_path, monkeypatch):
    """Where `uv run`, by which these tests start their servers, finds this Python."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
