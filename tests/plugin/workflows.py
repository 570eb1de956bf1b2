"""What others say of a workflow: the schema of its CI, and actionlint."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def valid(schema: str, *paths: Path) -> None:
    """Fail where the official schema refuses a file."""
    pytest.importorskip("check_jsonschema")
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    for path in paths:
        done = subprocess.run([*words, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def linted(path: Path) -> None:
    """Fail where actionlint, if it is installed, finds something in a workflow of GitHub."""
    place = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if program := shutil.which("actionlint", path=place):
        done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
