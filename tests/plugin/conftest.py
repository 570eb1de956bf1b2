"""A project of one folder, in which pytest runs with agentfuzz: in this process or in its own.

In this process every inner session shares the imports below, so that a test costs milliseconds.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import freezegun  # noqa: F401
import hypothesis  # noqa: F401
import jinja2  # noqa: F401
import pydantic  # noqa: F401
import pytest
import tabulate  # noqa: F401

import agentfuzz.plugin.actions.actions
import agentfuzz.plugin.session
import agentfuzz.search.phases.guided  # noqa: F401

from .sources import AGENT, SCENARIO, SHOP

OFF = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "COLUMNS": "80",
}


class Project:
    """Files to test, and pytest to run on them."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path

    def file(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def shop(self, name: str = "test_shop.py") -> Path:
        """The test that finds an agent which charges twice."""
        return self.file(name, SHOP)

    def agent(self, body: str, *, scenario: str = SCENARIO, name: str = "test_agent.py") -> Path:
        """A `@fuzz` test with this body, and an ordinary test after it."""
        return self.file(name, AGENT.format(scenario=scenario, body=body))

    def run(self, *args: str) -> pytest.RunResult:
        """pytest in this process, with no other plugin than agentfuzz."""
        return self.pytester.runpytest_inprocess("-p", "agentfuzz.plugin", *args)

    def campaign(self, *args: str) -> pytest.RunResult:
        """A small campaign in this process: every plan with one fault."""
        return self.run("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=80", *args)

    def spawn(
        self,
        *args: str,
        cwd: str = "",
        command: Sequence[str] = (),
        patience: float = 120,
        **env: str,
    ) -> "subprocess.CompletedProcess[str]":
        """pytest in a process of its own, with agentfuzz and the plugins named by `-p`; or another
        command."""
        return subprocess.run(
            [*command, *args] if command else self.command(*args),
            cwd=self.path / cwd,
            env={**os.environ, **OFF, **env},
            capture_output=True,
            text=True,
            timeout=patience,
        )

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "pytest", "-p", "agentfuzz.plugin", *args]

    def saved(self) -> list[str]:
        """The ids of the saved counterexamples."""
        return sorted(path.stem for path in (self.path / ".agentfuzz").glob("AF-*.json"))


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name, value in OFF.items():
        monkeypatch.setenv(name, value)
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return Project(pytester)


@pytest.fixture
def found(project: Project) -> Callable[[str], str]:
    """Write a test, run its campaign, and name its first saved counterexample of a code."""

    def find(text: str, code: str = "AF101", name: str = "test_shop.py") -> str:
        project.file(name, text)
        result = project.campaign()
        assert result.ret == 1, result.stdout.str()
        ids = [
            one
            for one in project.saved()
            if f'"{code}"' in (project.path / ".agentfuzz" / f"{one}.json").read_text()
        ]
        assert ids, result.stdout.str()
        return ids[0]

    return find
