"""Ctrl-C and SIGTERM: what was found is told, and the test that did not end is named."""

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.extent import some

from .conftest import OFF, Project

SLOW = """
import pathlib, time
from agentfuzz import Completion, exactly_once, fuzz, scenario

HERE = pathlib.Path(__file__).parent

@scenario(exactly_once("pay"), task="Pay.")
def shop(world):
    @world.tool(effect="pay", scope=("order",))
    def pay(order: str) -> str:
        return "paid"

RUNS = []

@fuzz(shop)
def test_slow(world):
    RUNS.append(1)
    for _ in range(2):
        try:
            world.tools.pay(order="A")
            break
        except Exception:
            pass
    if len(RUNS) > 40:
        (HERE / "started").touch()
        while True:
            pass
    return Completion.success()
"""


def stopped(
    project: Project, number: int, *options: str, source: str = SLOW
) -> tuple[int, str, Any]:
    """How a session ends that a signal stops: its exit code, what it says, and its report."""
    project.file("test_a_slow.py", source)
    process = subprocess.Popen(
        project.command("--agentfuzz", "--agentfuzz-run-timeout=600", *options),
        cwd=project.path,
        env={**os.environ, **OFF},
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(2400):
        if (project.path / "started").exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(number)
    out, _ = process.communicate(timeout=300)
    report = json.loads((project.path / "reports/agentfuzz/report.json").read_text())
    return process.returncode, out, report


XDIST = ("-p", "xdist", "-n", "1")
WAYS = {
    "alone, SIGINT": (signal.SIGINT, ()),
    "alone, SIGTERM": (signal.SIGTERM, ()),
    "xdist, SIGTERM": (signal.SIGTERM, XDIST),
    "xdist, SIGINT": (signal.SIGINT, XDIST),  # as where the worker does not react, below
}


@pytest.mark.slow
@pytest.mark.parametrize("way", some(WAYS, 3))
def test_what_was_found_is_told(project: Project, way: str) -> None:
    """The session says what it found before it was stopped, in the middle of a run: on the
    terminal, in report.json, and in .agentfuzz for the next session."""
    number, options = WAYS[way]
    code, out, report = stopped(project, number, *options)
    assert code == 2, out
    assert report["complete"] is False
    assert report["unfinished"] == ["test_a_slow.py::test_slow"]
    (campaign,) = report["campaigns"]
    assert campaign["stopped"] == "interrupt"
    assert campaign["findings"], out
    assert campaign["findings"] == report["findings"]
    assert "neither shrunk nor replayed" in " ".join(out.split())
    left = sorted(path.name for path in (project.path / ".agentfuzz").iterdir())
    assert {f"{one}.json" for one in report["findings"]} <= set(left)
    assert not [name for name in left if name.startswith("unfinished-")]


@pytest.mark.slow
def test_a_worker_that_does_not_react_is_named(project: Project) -> None:
    """In C code it hears no signal: its test and plan are named all the same."""
    spin = "        while True:\n            pass\n"
    assert spin in SLOW
    stuck = SLOW.replace(spin, "        sum(range(10**13))\n")
    code, out, report = stopped(project, signal.SIGINT, *XDIST, source=stuck)
    assert code == 2, out
    assert (report["complete"], report["unfinished"]) == (False, ["test_a_slow.py::test_slow"])
    (campaign,) = report["campaigns"]
    assert campaign["stopped"] == "interrupt"
    (note,) = campaign["notes"]
    assert "interrupted in test_a_slow.py::test_slow, under pay#" in note
    told = " ".join(out.split())
    assert "did not react within 5 s" in told
    soon, late = told.index("has not reacted yet, and has 5 s"), told.index("did not react within")
    assert soon < late, "said at once, and again at the end"


def test_a_campaign_that_is_over_is_told(project: Project) -> None:
    """Where the signal comes while pytest writes the report of its test."""
    project.file("test_a_slow.py", SLOW.replace("> 40", "> 9e9"))
    project.file(
        "conftest.py",
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_makereport(call):\n"
        "    if call.when == 'call':\n"
        "        raise KeyboardInterrupt\n",
    )
    done = project.spawn("--agentfuzz", "--agentfuzz-max-runs=80")
    assert done.returncode == 2, done.stderr
    assert "no campaign was run" not in done.stdout
    report = json.loads((project.path / "reports/agentfuzz/report.json").read_text())
    (campaign,) = report["campaigns"]
    assert campaign["findings"]
    assert (report["complete"], campaign["stopped"]) == (False, "max_runs")


@pytest.mark.slow
def test_sigterm_without_campaigns_is_left_alone(project: Project) -> None:
    """A session without campaigns ends by SIGTERM as pytest always did."""
    project.file("test_it.py", "import os, signal\ndef test_it():\n"
                 "    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n")  # fmt: skip
    done = subprocess.run(project.command(), cwd=project.path, env={**os.environ, **OFF})
    assert done.returncode == 0


def test_what_is_told_of_it_leads_to_a_page(project: Project) -> None:
    """Also where another test tells the cause."""
    twice = SLOW[SLOW.index("@fuzz") :].replace("test_slow", "test_stopped")
    ended = SLOW.replace("len(RUNS) > 40", "False").replace("test_slow", "test_ended")
    stop = '(HERE / "started").touch()\n        while True:\n            pass'
    twice = twice.replace(stop, "os.kill(os.getpid(), 2)")
    project.file("test_a.py", f"import os\n{ended}\nRUNS.clear()\n{twice.replace('RUNS', 'MORE')}")
    project.file("test_a.py", f"MORE = []\n{(project.path / 'test_a.py').read_text()}")
    words = ("--agentfuzz", "--agentfuzz-max-runs=60", "--agentfuzz-report-dir=out")
    out = project.spawn(*words).stdout
    assert "interrupted in this test (test_stopped)" in out
    pages = [line.split()[-1] for line in out.splitlines() if line.startswith("  more     ")]
    assert len(pages) > len(set(pages)), "one cause is told of both tests"
    assert all((project.path / page).exists() for page in pages)
