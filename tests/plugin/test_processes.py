"""Company, in processes of their own: workers, Ctrl-C, and what pytest imports at start."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import pytest

from agentfuzz import World, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.world.injector import FromPlan

from .conftest import OFF, Project
from .sources import FIXED, SCENARIO, SHOP, body

XDIST = ("-p", "xdist.plugin", "-n", "2")


@pytest.mark.slow
def test_workers_give_the_same_results(project: Project) -> None:
    """-n 2 finds, prints, saves and reports what one process does."""
    project.shop("test_b.py")
    project.shop("test_a.py")
    project.file("test_c.py", FIXED)
    project.agent(body('raise ValueError("boom")'), name="test_d.py")

    def everything(*args: str) -> tuple[list[str], dict[str, object]]:
        # whether runs are dear enough for a memo hangs on the machine
        words = ("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-memo=off", *args)
        done = project.spawn(*words, COLUMNS="160")  # no line is wrapped for the seconds in it
        assert done.returncode == 1, done.stdout + done.stderr
        text = done.stdout[done.stdout.index("= agentfuzz =") :]
        lines = [re.sub(r"\d+\.\d+ ?s", "", line) for line in text.splitlines()]
        folder = project.path / "reports/agentfuzz"
        files: dict[str, object] = {
            path.name: path.read_text() for path in folder.iterdir() if "AF-" in path.name
        }
        report = json.loads((folder / "report.json").read_text())
        files["report"] = re.sub(r'"seconds": [\d.e-]+', "", json.dumps(report))
        for path in (project.path / ".agentfuzz").glob("AF-*"):
            files["saved " + path.name] = path.read_text()
            path.unlink()
        lines = [line for line in lines if not line.startswith("=")]
        return sorted(lines), files

    (told, files), (alone, theirs) = everything(*XDIST), everything()
    assert told == alone
    assert files == theirs


@pytest.mark.slow
def test_workers_pass_on_what_they_noticed(project: Project) -> None:
    """A broken saved file and a folder that cannot be written are said under -n 2, once."""
    project.shop("test_a.py")
    project.shop("test_b.py")
    project.file(".agentfuzz/AF-1234.json", "{")
    done = project.spawn("--agentfuzz", "--agentfuzz-depth=1", *XDIST)
    assert done.stdout.count("AF903 AF-1234.json") == 1, done.stdout
    for path in (project.path / ".agentfuzz").glob("**/*"):
        if path.is_file():
            path.unlink()
    (project.path / ".agentfuzz/bad").rmdir()
    (project.path / ".agentfuzz").rmdir()
    project.file(".agentfuzz", "a file in the way")
    done = project.spawn("--agentfuzz", "--agentfuzz-depth=1", *XDIST)
    assert done.returncode == 1
    assert done.stdout.count("counterexamples not saved") == 1, done.stdout


@pytest.mark.slow
def test_workers_replay(project: Project) -> None:
    """--agentfuzz-replay goes to the worker that has the test."""
    project.shop()
    project.campaign()
    done = project.spawn("--agentfuzz-replay=all", *XDIST)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "byte for byte" in done.stdout


SPINS = """
def test_first():
    assert 1 == 2

@fuzz(charge_order)
def test_spins(world):
    open("started", "w").close()
    while True:
        {inside}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "inside",
    ["pass", "world.tools.charge_card(order_id='A', cents=1)"],
    ids=["spinning", "calling"],
)
def test_ctrl_c_ends_the_session(project: Project, inside: str) -> None:
    """A real Ctrl-C is pytest's: exit 2 at once, findings so far kept; never a finding of ours."""
    scenario = SCENARIO.replace("max_crossings=30", "max_crossings=10**9")
    project.file("test_a_shop.py", SHOP)
    project.file("test_spin.py", scenario + SPINS.format(inside=inside))
    process = subprocess.Popen(
        project.command("--agentfuzz", "--agentfuzz-run-timeout=600"),
        cwd=project.path,
        env={**os.environ, **OFF},
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(2400):
        if (project.path / "started").exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 2, out
    assert "KeyboardInterrupt" in out
    assert "AF901" not in out
    assert "AF101 charge_card ran 2x, expected 1" in out
    assert (project.path / "reports/agentfuzz/report.json").exists()


def test_a_swallowed_ctrl_c_ends_the_campaign_at_the_next_run() -> None:
    """An agent that eats a real Ctrl-C does not keep the user from stopping."""

    def build(world: World) -> None:
        world.tool(effect="charge", name="charge")(lambda: 1)

    def agent(world: World) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    with Simulation() as simulation:
        story = scenario()(build)
        simulation.execute(story, agent, FromPlan())
        with pytest.raises(KeyboardInterrupt):
            simulation.execute(story, agent, FromPlan())


PROBE = """
import sys

def pytest_unconfigure():
    names = sorted(sys.modules)
    print("OURS", [name for name in names if name.partition(".")[0] == "agentfuzz"])
    heavy = ("hypothesis", "pydantic", "jinja2", "vcr", "freezegun", "tabulate")
    print("HEAVY", [name for name in heavy if name in names])
"""


@pytest.mark.parametrize("args", [(), ("--agentfuzz",), ("--help",)], ids=["unused", "on", "help"])
def test_an_unused_plugin_imports_nothing(project: Project, args: tuple[str, ...]) -> None:
    """Without a @fuzz test the plugin costs at most 8 small modules, and no dependency."""
    project.file("conftest.py", PROBE)
    project.file("test_ordinary.py", "def test_ordinary(): pass\n")
    done = project.spawn(*args)
    assert "HEAVY []" in done.stdout, done.stdout
    ours = next(line for line in done.stdout.splitlines() if line.startswith("OURS"))
    assert 0 < ours.count("'") / 2 <= 8, ours
