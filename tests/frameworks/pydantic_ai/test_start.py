"""The start for Pydantic AI is red as it is written, and its commented line mends it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pydantic_ai")

from plugin.starts import WHOLE, mend

FILE = Path("tests/test_agentfuzz_pydantic_ai.py")


def test_a_start(tmp_path: Path) -> None:
    """One bug is found, and no other; the mended agent passes strictly."""
    assert f"next: pytest --agentfuzz {FILE}" in _pytest(
        tmp_path, 0, "--agentfuzz-init=pydantic-ai"
    )
    red = _pytest(tmp_path, 1, "--agentfuzz", *WHOLE, str(FILE))
    assert {*re.findall(r"(?m)^AF\d{3}", red)} == {"AF101"}
    mend(tmp_path / FILE)
    green = _pytest(tmp_path, 0, "--agentfuzz", "--agentfuzz-strict", *WHOLE, str(FILE))
    assert "0 findings" in green


def _pytest(folder: Path, code: int, *args: str) -> str:
    """What pytest prints there, with agentfuzz alone."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "agentfuzz.plugin", *args],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout
