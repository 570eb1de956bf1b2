"""Pages of the docs, followed word for word in fresh environments, with the wheel.

Law: what a page has its reader install is installed, what it has written is written, what it has
typed is typed, and what it shows is printed; a command that tells a finding ends with 1, any other
with 0. The workflows of a page are done, too (`runner`). Called by `tools/wheel.py`
(`make wheel-test`).
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.docs.environment import UNHURRIED, Environment
from tests.docs.pages import ROOT, Block, Project, blocks
from tests.docs.runner import Job, Runner

README, CI = ROOT / "README.md", ROOT / "docs" / "ci.md"
GITHUB, GITLAB = ".github/workflows/agentfuzz.yml", ".gitlab-ci.yml"
FINDING = re.compile(r"^AF\d{3} ", re.MULTILINE)
PROBE = """
import sys
import agentfuzz
import agentfuzz.scenarios.charge_order
assert agentfuzz.__file__.startswith(sys.prefix), agentfuzz.__file__
assert not {"langgraph", "agents", "trio"} & {*sys.modules}
"""

Making = Callable[..., Environment]


class Fresh(Project):
    """A project of a newcomer."""

    def __init__(self, place: Path, making: Making) -> None:
        super().__init__(place)
        self.environment = making(place / "venv")
        self.runner = Runner(self.folder, place / "jobs", making)

    def _see_package(self) -> None:
        """There is none before it is installed."""

    def follow(self, what: Sequence[Block]) -> None:
        """Play these blocks; then the package that was used is the installed one."""
        for block in what:
            self.play(block)
            if block.path == GITHUB:
                green(self.runner.github(GITHUB))
            if block.path == GITLAB:
                green(self.runner.gitlab(GITLAB))
        self.end()
        probed = self.environment.run([str(self.environment.python), "-c", PROBE], self.folder)
        assert not probed.returncode, f"not imported from the wheel:\n{probed.stdout}"

    def _needs(self, block: Block) -> None:
        """What is not installed is missing."""

    def _command(self, command: str) -> str:
        print(f"{self.folder.parent.name}: $ {command}", flush=True)
        self.commands += 1
        ran = self.environment.run(["bash", "-c", command], self.folder)
        expected = int(command.startswith("pytest") and bool(FINDING.search(ran.stdout)))
        assert ran.returncode == expected, f"{command} ended with {ran.returncode}:\n{ran.stdout}"
        self._printed.setdefault(command, []).append(ran.stdout)
        return ran.stdout


def green(job: Job) -> Job:
    """This job, which is green."""
    assert job.green, f"the job is red:\n{job.log}"
    return job


def five_minutes(place: Path, making: Making) -> None:
    """Those of the README."""
    Fresh(place, making).follow(blocks(README, "Five minutes"))


def openai_loop(place: Path, making: Making) -> None:
    """The official client, a loop and its functions; then the workflow of that project. Plans with
    one fault are enough."""
    whole = "-o agentfuzz_depth=1 -o agentfuzz_max_runs=1000"
    made = Fresh(place, partial(making, options=f"{UNHURRIED} {whole}"))
    made.follow(blocks(README, "Your OpenAI loop and your own functions"))
    made.follow([one for one in blocks(README, "In CI") if "--agentfuzz-ci" in one.text])
    green(made.runner.github(GITHUB))


def ci_page(place: Path, making: Making) -> None:
    """All that it shows, the least workflows among it."""
    Fresh(place, making).follow(blocks(CI))


def ci_written(place: Path, making: Making) -> None:
    """The workflows that the page has written, with its tests. A job with the bug of the page is
    red, tells it at its line and keeps it; mended, the next one says so, and is green."""
    project, shown = Fresh(place, making), blocks(CI)
    for block in shown:
        if block.path.endswith((".py", ".ini")):
            project.play(block)
    (project.folder / ".gitignore").touch()
    for line in ("pip install pytest-agentfuzz", *asked(CI)):
        project.play(Block("console", "", f"$ {line}\n", ""))
    tells(project.runner.github(GITHUB))
    (mend,) = [block for block in shown if block.language == "diff"]
    project.play(mend)
    mended = green(project.runner.github(GITHUB))
    assert re.search(r"replayed saved finding AF-\w+: fixed", mended.log), mended.log
    pipeline = green(project.runner.gitlab(GITLAB))
    assert {*pipeline.told} == {"codequality", "junit"}


def asked(page: Path) -> list[str]:
    """The commands in the sentences of a page that write workflows."""
    found = re.findall(r"`(pytest --agentfuzz-ci \w+)`", page.read_text("utf-8"))
    assert len({*found}) == 2, found
    return found


def tells(job: Job) -> None:
    """What a red job leaves: an annotation, a summary, the reports, and code scanning."""
    assert not job.green
    assert "exit code 1" in job.log, job.log
    assert re.search(r"^::error file=tests/test_old.py,line=\d+", job.log, re.MULTILINE), job.log
    assert "AF101" in job.summary
    reports = {one.name for one in job.kept["agentfuzz"].iterdir()}
    assert {"index.html", "report.json", "report.sarif"} <= reports
    assert any(name.startswith("AF-") for name in reports)
    assert job.told["version"] == "2.1.0"


PARTS = {one.__name__: one for one in (ci_written, ci_page, openai_loop, five_minutes)}


def followed(wheel: Path, place: Path, python: str, parts: Iterable[str]) -> str:
    """Follow these parts with this Python, side by side. What went wrong, or an empty text."""
    making = partial(Environment, wheel=wheel, python=python)

    def follow(name: str) -> str:
        try:
            PARTS[name](place / name, making)
        except (AssertionError, pytest.fail.Exception) as error:
            return f"{name}: {error}"
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return "\n".join(filter(None, pool.map(follow, parts)))
