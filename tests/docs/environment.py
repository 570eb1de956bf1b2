"""A fresh environment, outside of the checkout: a Python that has nothing but what is installed.

Law: nothing of the checkout is in sight of it but the wheel, and `pytest-agentfuzz` is that wheel
whoever asks for it. What is called pip there is uv's, which is quick. Used by `fresh` and `runner`.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = str(Path(sys.executable).parent / "uv")
PIP = f"""import os, sys
os.execv({UV!r}, [{UV!r}, "pip", sys.argv[1], "--python", sys.executable, *sys.argv[2:]])
"""
PATIENCE = 1800.0  # real seconds; only a command that hangs takes so long
NOT_A_NEWCOMERS = (  # campaigns are strict in CI, and what they print has its width
    "PYTHON", "PYTEST", "VIRTUAL_ENV", "AGENTFUZZ", "CI", "GITHUB_", "GITLAB_", "COLUMNS"
)  # fmt: skip
UNHURRIED = "-o agentfuzz_max_time=3600 -o agentfuzz_run_timeout=300 -o agentfuzz_max_runs=200"


def environ() -> dict[str, str]:
    """What a newcomer's shell has."""
    return {k: v for k, v in os.environ.items() if not k.startswith(NOT_A_NEWCOMERS)}


class Environment:
    """Made in a folder, of the Python that is asked for; pytest has these options there."""

    def __init__(self, place: Path, wheel: Path, python: str, options: str = UNHURRIED) -> None:
        make = [UV, "venv", "--quiet", "--python", python, str(place)]
        subprocess.run(make, check=True, env=environ())
        self._options = options
        self.python = place / "bin" / "python"
        (site,) = place.glob("lib/python*/site-packages")
        (site / "pip").mkdir()
        (site / "pip" / "__main__.py").write_text(PIP, "utf-8")
        pip = place / "bin" / "pip"
        pip.write_text(f'#!/bin/sh\nexec "{self.python}" -m pip "$@"\n', "utf-8")
        pip.chmod(0o755)
        lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
        self._pinned = place / "pinned.txt"
        self._pinned.write_text(f"{lock}\npytest-agentfuzz @ {wheel.as_uri()}\n", "utf-8")

    def run(
        self, words: Sequence[str], folder: Path, **more: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in a folder; what it printed, errors among it."""
        given = environ()
        path = os.pathsep.join([str(self.python.parent), given.get("PATH", os.defpath)])
        own = {"PATH": path, "UV_CONSTRAINT": str(self._pinned), "PYTEST_ADDOPTS": self._options}
        return subprocess.run(
            words,
            cwd=folder,
            env={**given, **own, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
