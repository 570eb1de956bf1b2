"""`--agentfuzz-loop`: the table, its files, its exit codes, and each cell again."""

import json
import re
import shlex
import signal
import subprocess
import time
from importlib.util import find_spec

import pytest

from agentfuzz.conformance import stories
from agentfuzz.plugin.actions import conformance

from .conftest import Project

CLASSIC = """
import json


def run(task, tools, model):
    messages = [{"role": "user", "content": task}]
    for _ in range(12):
        turn = model(messages, list(tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        for call in turn["tool_calls"]:
            try:
                result = json.dumps(tools[call["name"]](**call["arguments"]))
            except Exception as error:
                result = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def prints(task, tools, model):
    print("\\x1b[2J::error::printed")
    return run(task, tools, model)


def nothing(task, tools, model):
    return "done"


def good(world):
    from agentfuzz.scenarios.charge_order import key_per_intent
    return key_per_intent(world)
"""
ONE = ("--agentfuzz-loop", "mine:run")
SOON = "import agentfuzz.runtime.watchdog_thread as thread\nthread.PATIENCE = 1.0\n"


@pytest.fixture
def loop(project: Project, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """A project with a loop, and two stories: one for it, and one that it cannot play."""
    project.file("mine.py", CLASSIC)
    few = {name: stories.modules()[name] for name in ("charge_order", "half_open_stream")}
    monkeypatch.setattr(conformance, "modules", lambda: few)
    monkeypatch.syspath_prepend(project.path)
    return project


def read(project: Project, folder: str = "reports/agentfuzz") -> dict:
    return json.loads((project.path / folder / "conformance.json").read_text())


def test_a_table_and_its_files(loop: Project) -> None:
    """Every verdict is shown; what broke makes exit code 1; no test is collected."""
    loop.file("test_broken.py", "syntax error\n")
    result = loop.run(*ONE)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "charge_order * VIOLATED AF101  exactly_once(*",
            "*charge_card#1:once/timeout",
            "* HELD *",
            "* NOT_EXERCISED *",
            "half_open_stream * its tool follow_build is async, and this loop is not",
            "mine:run: broke no law in 0 of 1 stories (*",
            "replay: pytest --agentfuzz-loop mine:run --agentfuzz-replay 'charge_order:*",
            "report: reports/agentfuzz/conformance.html",
        ]
    )
    result.stdout.no_fnmatch_line("*collected*")
    written = {path.name for path in (loop.path / "reports/agentfuzz").iterdir()}
    assert written == {
        *("conformance.html", "conformance.md", "conformance.json", "badge.svg", "badge.json")
    }
    assert not (loop.path / ".agentfuzz").exists()


def test_every_command_works_when_it_is_pasted(loop: Project) -> None:
    """Each cell's own command, as it stands in the JSON, tells the run and its code; one of a loop
    without that bug says that nothing broke."""
    loop.run(*ONE)
    cells = [cell for cell in read(loop)["stories"][0]["laws"] if cell.get("replay")]
    assert len(cells) > 3
    for cell in cells:
        words = shlex.split(cell["replay"])
        assert words[0] == "pytest"
        result = loop.run(*words[1:])
        assert result.ret == 1, cell
        result.stdout.fnmatch_lines(["AF*", "*fault*"])
    good = ("--agentfuzz-loop", "mine:good", "--agentfuzz-replay")
    result = loop.run(*good, "charge_order:charge_card#1:once/timeout")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["nothing broke"])


def test_a_loop_that_keeps_the_laws_passes(loop: Project) -> None:
    """Exit code 0, and a green badge."""
    result = loop.run("--agentfuzz-loop", "mine:good", "-q")
    assert result.ret == 0
    assert result.outlines[-1].startswith("mine:good: broke no law in 1 of 1 stories (")
    assert len(result.outlines) == 1
    badge = json.loads((loop.path / "reports/agentfuzz/badge.json").read_text())
    assert (badge["message"], badge["color"]) == ("1/1 stories", "brightgreen")


def test_nothing_tested_is_no_pass(loop: Project) -> None:
    result = loop.run("--agentfuzz-loop", "mine:nothing")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["mine:nothing: nothing was tested: none of 2 stories says*"])


def test_what_a_loop_prints_is_not_shown(loop: Project) -> None:
    """In hundreds of runs; with -s it is."""
    assert "printed" not in loop.run("--agentfuzz-loop", "mine:prints").stdout.str()


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--agentfuzz-loop", "mine:runs"), "ERROR: mine has no runs. Did you mean 'run'?*"),
        (("--agentfuzz-loop", ""), "ERROR: cannot read an empty name: say module:callable*"),
        (("--agentfuzz-loop", "no_such"), "ERROR: there is no adapter no_such; there is: *"),
        pytest.param(
            ("--agentfuzz-loop", "openai_agents:streem"),
            "ERROR: the adapter openai_agents has no entrypoint 'streem'; *Did you mean 'str*",
            marks=pytest.mark.skipif(find_spec("agents") is None, reason="not installed"),
        ),
        ((*ONE, "tests/"), "ERROR: --agentfuzz-loop runs the bundled stories, and no tests: *"),
        ((*ONE, "--agentfuzz-export", "all"), "ERROR: --agentfuzz-loop and --agentfuzz-export*"),
        ((*ONE, "--agentfuzz-max-runs", "0"), "ERROR: --agentfuzz-max-runs = 0: must be *"),
        ((*ONE, "-o", "agentfuzz_max_run=3"), "ERROR: *unknown ini key 'agentfuzz_max_run'*"),
        ((*ONE, "--agentfuzz-replay", "charge_oder:x"), "ERROR: there is no story 'charge_oder'*"),
        (
            (*ONE, "--agentfuzz-replay", "charge_order:what?"),
            "ERROR: *what?*",
        ),
        (
            (*ONE, "--agentfuzz-replay", "charge_order:charge_card#9:twice"),
            "ERROR: the plan 'charge_card#9:twice' no longer applies: *",
        ),
        (
            (*ONE, "--agentfuzz-replay", "half_open_stream"),
            "ERROR: half_open_stream says nothing about mine:run: its tool*",
        ),
    ],
)
def test_misuse_is_one_line(loop: Project, args: tuple[str, ...], line: str) -> None:
    """Exit code 4, the place and the cure, and nothing is written."""
    (loop.path / "tests").mkdir()
    result = loop.run(*args)
    assert result.ret == 4
    result.stderr.fnmatch_lines([line])
    assert not (loop.path / "reports").exists()


def test_settings_of_campaigns_count(loop: Project) -> None:
    """The runs, the folder, and the depth of the command line; what was left is said."""
    loop.file("pytest.ini", "[pytest]\nagentfuzz_max_runs = 40\nagentfuzz_depth = 2\n")
    result = loop.run(*ONE, "--agentfuzz-report-dir", "out")
    told = read(loop, "out")
    assert (told["depth"], told["stories"][0]["stopped"]) == (1, "max_runs")
    result.stdout.fnmatch_lines(
        ["charge_order: not tried: * plans with one fault: stopped by max_runs"]
    )
    loop.run(*ONE, "--agentfuzz-depth", "0")
    told = read(loop)
    assert (told["depth"], told["limits"]) == (0, "tried: the run without faults, and no plan")


def test_strict_fails_where_plans_were_left(loop: Project) -> None:
    """Nothing broke in so few runs: that passes, and strict does not let it."""
    few = ("--agentfuzz-loop", "mine:good", "--agentfuzz-max-runs", "20")
    assert loop.run(*few).ret == 0
    assert loop.run(*few, "--agentfuzz-strict").ret == 1


def test_a_folder_that_cannot_be_written_is_one_line(loop: Project) -> None:
    loop.file("reports", "a file\n")
    result = loop.run("--agentfuzz-loop", "mine:good")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["agentfuzz: report not written (*): reports/agentfuzz"])


@pytest.mark.slow
def test_the_classic_loop_in_every_story(project: Project) -> None:
    """From a shell, all bundled stories: most apply, each says how many runs it took, and the
    same call writes the same bytes."""
    project.file("mine.py", CLASSIC)
    unhurried = ("--agentfuzz-max-time", "3600", "--agentfuzz-max-runs", "60")
    done = project.spawn(*ONE, *unhurried)
    assert done.returncode == 1, done.stderr
    told = read(project)
    names = [one["story"] for one in [*told["stories"], *told["not_applicable"]]]
    assert sorted(names) == sorted(stories.modules())
    assert len(told["stories"]) >= 30
    assert all(one["runs"] > 20 for one in told["stories"])
    assert "was never awaited" not in done.stderr
    assert re.search(r"mine:run: broke no law in \d+ of \d+ stories", done.stdout)


@pytest.mark.slow
def test_a_loop_that_nothing_interrupts_ends_with_a_word(project: Project) -> None:
    """It hangs in C: the process ends, and says where it was."""
    hangs = "def run(task, tools, model):\n    return sum(range(10**13))\n"
    project.file("mine.py", SOON + hangs)
    done = project.spawn(*ONE, "--agentfuzz-run-timeout", "0.2")
    assert done.returncode in (1, -signal.SIGPROF)
    assert 'mine.py", line 4 in run' in done.stderr


@pytest.mark.slow
def test_ctrl_c_shows_what_there_is(project: Project) -> None:
    """Exit code 2, the table so far, and its files say that it is a part."""
    project.file("mine.py", CLASSIC.replace("messages = [", "open('began', 'w')\n    messages = ["))
    process = subprocess.Popen(
        project.command(*ONE, "--agentfuzz-max-time", "3600"),
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not (project.path / "began").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate()
    assert process.returncode == 2, printed
    assert "interrupted: this is what there was" in printed
    assert read(project)["interrupted"] is True
