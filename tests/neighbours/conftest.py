"""A project in a folder, and pytest in an environment of its own that runs it.

What another environment shows is compared with what agentfuzz shows alone: one session without
campaigns and one with them, made once.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import company
import pytest

from ..conftest import IN_CI
from .sources import ALL, INI, SHOP

ROOT = company.ROOT
QUIET = {
    "COLUMNS": "80",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "LANGSMITH_TEST_TRACKING": "false",
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_API_KEY": "none",
    "LANGSMITH_ENDPOINT": "https://traces.invalid",
}
ON = "--agentfuzz"


class Seen(NamedTuple):
    """What a session comes to: pytest's exit code; of each test the outcome and the ids of what was
    found; the files that are saved and reported of that; and what was printed."""

    code: int
    tests: dict[str, tuple[str, ...]]
    files: dict[str, bytes]
    output: str

    @property
    def result(self) -> tuple[object, ...]:
        """What a neighbour must not change: that of the shop's own tests, however it is printed."""
        tests = {name: told for name, told in self.tests.items() if name.startswith("test_all::")}
        return self.code, tests, self.files


class Project:
    """The files of one, and pytest there."""

    def __init__(self, path: Path, python: Path) -> None:
        self.path = path
        self.python = python

    def file(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(
        self, *args: str, ours: bool = True, under: Sequence[str] = (), cwd: str = ".", **env: str
    ) -> Seen:
        """One session, with the plugins named by `-p` and agentfuzz (`ours`), `under` another
        module."""
        before = [word for module in (under, ("pytest",)) if module for word in ("-m", *module)]
        before += ["--junitxml", str(self.path / "out.xml"), *("-p", "agentfuzz.plugin") * ours]
        done = self._process([*before, *args], cwd, env)
        tests = _tests(self.path / "out.xml")
        return Seen(done.returncode, tests, self._files(), done.stdout + done.stderr)

    def ran(self, *command: str) -> str:
        """What a script, or a module after `-m`, prints."""
        done = self._process(command, ".", {})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _process(
        self, words: Sequence[str], cwd: str, env: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        inherited = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST_")}
        return subprocess.run(
            [self.python, *words],
            cwd=self.path / cwd,
            env={**inherited, "PYTHONPATH": str(ROOT), **QUIET, **env},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def forget(self) -> None:
        """Remove what sessions have left."""
        for found in [*self.path.rglob(".agentfuzz"), *self.path.rglob("reports")]:
            shutil.rmtree(found)

    def _files(self) -> dict[str, bytes]:
        """What tells of findings, wherever it lies."""
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes()
            for path in sorted(self.path.rglob("AF-*"))
        }


def _tests(junit: Path) -> dict[str, tuple[str, ...]]:
    """The last outcome of each test, its line, and all ids that are named for it."""
    found: dict[str, tuple[str, ...]] = {}
    if not junit.exists():
        return found
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        ids = [p.get("value", "") for p in case.iter("property") if "finding" in str(p.get("name"))]
        outcome, line = "passed", ""
        for child in case:
            if child.tag in ("failure", "error", "skipped"):
                outcome, line = child.tag, child.get("message", "").partition("\n")[0]
        name = f"{case.get('classname')}::{case.get('name')}"
        found[name] = (outcome, line, *found.get(name, ("", ""))[2:], *ids)
    junit.unlink()
    return found


def interpreter(name: str) -> Path:
    """The Python of an environment. Skips the test where it cannot be made, but in CI."""
    try:
        return company.python_of(name)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"the environment {name} cannot be made: {error}"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty one among the newest neighbours."""
    made = Project(tmp_path, interpreter("newest"))
    made.file("pytest.ini", INI)
    made.file("shop.py", SHOP)
    return made


@pytest.fixture
def shop(project: Project) -> Project:
    """One with tests."""
    project.file("test_all.py", ALL)
    return project


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Seen]:
    """What the shop comes to without a neighbour, with campaigns or without."""
    known: dict[bool, Seen] = {}

    def seen(campaigns: bool) -> Seen:
        if campaigns not in known:
            made = Project(tmp_path_factory.mktemp("alone"), interpreter("newest"))
            for name, text in (("pytest.ini", INI), ("shop.py", SHOP), ("test_all.py", ALL)):
                made.file(name, text)
            known[campaigns] = made.run(*[ON] * campaigns)
        return known[campaigns]

    return seen
