"""Doors: when a `@fuzz` test runs once, when it runs a campaign, and what each option says."""

import json
import shutil

import pytest

from .conftest import Project
from .sources import FIXED


def test_without_the_option_a_test_runs_once_without_faults(project: Project) -> None:
    """Plain pytest makes one fault-free run, finds nothing in it, and writes nothing."""
    project.shop()
    result = project.run()
    result.assert_outcomes(passed=1)
    assert "agentfuzz =" not in result.stdout.str()
    assert not (project.path / ".agentfuzz").exists()
    assert not (project.path / "reports").exists()


def test_the_option_runs_the_campaign(project: Project) -> None:
    """--agentfuzz searches: the block, the summary, a saved file and a report for each finding."""
    project.shop()
    result = project.run("--agentfuzz")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "AF101 charge_card ran 2x, expected 1",
            "*charge_card#1:once/timeout*",
            "*replay   pytest --agentfuzz-replay AF-*",
            "*= agentfuzz =*",
            "1 campaign, * faults struck, *: 1 finding. Seed 0.",
            "report: reports/agentfuzz/index.html",
            "FAILED test_shop.py::test_billing - AF101 charge_card ran 2x, expected 1",
        ]
    )
    (name,) = project.saved()
    assert (project.path / "reports/agentfuzz" / f"{name}.html").exists()
    assert (project.path / ".agentfuzz/.gitignore").read_text() == "*\n"


def test_the_ini_key_runs_the_campaign(project: Project) -> None:
    """`agentfuzz = true` in the ini file is the option."""
    project.shop()
    project.file("pytest.ini", "[pytest]\nagentfuzz = true\nagentfuzz_depth = 1\n")
    project.run().stdout.fnmatch_lines(["1 campaign, *: 1 finding*"])


def test_saved_counterexamples_run_first_and_fall_away_when_fixed(project: Project) -> None:
    """A saved counterexample fails plain pytest while the bug lives; when it is fixed, one note
    says so and the file is gone."""
    project.shop()
    project.campaign()
    assert len(project.saved()) == 1
    again = project.run()
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["note: replayed saved finding AF-*: still there"])
    project.file("test_shop.py", FIXED)
    fixed = project.run()
    fixed.assert_outcomes(passed=1)
    fixed.stdout.fnmatch_lines(["note: replayed saved finding AF-*: fixed"])
    assert project.saved() == []


@pytest.mark.parametrize(
    ("option", "key", "value", "line"),
    [
        ("max-runs", "max_runs", "4", "*4 runs*Stopped by max_runs*"),
        ("max-time", "max_time", "0.001", "*Stopped by max_time*"),
        ("depth", "depth", "0", "*random plans and values*"),
        ("seed", "seed", "7", "*Seed 7.*"),
        ("report-dir", "report_dir", "out/here", "report: out/here/index.html"),
    ],
)
def test_every_setting_is_an_option_and_an_ini_key(
    project: Project, option: str, key: str, value: str, line: str
) -> None:
    """An option and its ini key do the same, and the option wins over the key."""
    project.file("test_shop.py", FIXED)
    project.run("--agentfuzz", f"--agentfuzz-{option}={value}").stdout.fnmatch_lines([line])
    project.file("pytest.ini", f"[pytest]\nagentfuzz_{key} = {value}\n")
    project.run("--agentfuzz").stdout.fnmatch_lines([line])
    other = {"max-time": "20", "report-dir": "other", "max-runs": "50", "seed": "8"}
    if option in other:
        won = project.run("--agentfuzz", f"--agentfuzz-{option}={other[option]}").stdout
        won.no_fnmatch_line(line)


def test_several_processes_find_the_same(project: Project) -> None:
    """--agentfuzz-workers changes what a campaign takes, not what it finds; a wrong number is an
    error before anything runs."""
    project.shop()
    told = []
    for number in ("1", "2", "auto"):
        shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)
        result = project.run("--agentfuzz", f"--agentfuzz-workers={number}")
        result.assert_outcomes(failed=1)
        text = (project.path / "reports/agentfuzz/report.json").read_text()
        told.append((text, [line for line in result.stdout.lines if line.startswith("AF101")]))
    assert told[0] == told[1] == told[2]
    for number in ("0", "-1", "many", "1.5", "", "999"):
        wrong = project.run("--agentfuzz", f"--agentfuzz-workers={number}")
        assert wrong.ret == 4
        wrong.stderr.fnmatch_lines(
            ["ERROR: --agentfuzz-workers * must be auto, or a whole number from 1 to 256"]
        )


DIES = """
import os
import pytest
from agentfuzz import Completion, at_most_once, fuzz, scenario


@scenario(at_most_once(), task="Pay.")
def paying(world):
    @world.tool(effect="pay", scope=("n",))
    def pay(n: int) -> dict:
        return {"receipt": n}


HERE = os.getpid()


def agent(world, leave):
    try:
        world.tools.pay(n=1)
    except TimeoutError:
        world.tools.pay(n=1)
    except ConnectionError:
        leave()
    except Exception:
        return Completion.blocked()
    return Completion.success(handle="1")


@fuzz(paying)
def test_dies(world):
    return agent(world, lambda: os._exit(7) if os.getpid() != HERE else None)


@fuzz(paying, only=("once/error",))
def test_leaves(world):
    return agent(world, lambda: pytest.xfail("known"))
"""


def test_a_test_whose_process_dies_or_is_left(project: Project) -> None:
    """The first is AF902 beside what else was found, and the next test runs; an xfail is one."""
    project.file("test_dies.py", DIES)
    done = project.spawn("--agentfuzz", "--agentfuzz-workers=2", "--agentfuzz-max-runs=150")
    text = done.stdout
    assert "1 failed, 1 xfailed" in text, text
    assert "AF902" in text
    assert "AF101 pay ran 2x, expected 1" in text
    assert "no random plans: a process died" in text or "Stopped by max_runs" in text


def test_where_threads_run_already_processes_begin_anew(project: Project) -> None:
    """A fork would not be safe: another pytest imports the test, and finds the same. One that
    cannot begin is said, and costs nothing."""
    thread = (
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    path = project.shop()
    text = thread + path.read_text()
    path.write_text(text)
    told = []
    for number in ("1", "2"):
        shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)
        result = project.spawn("--agentfuzz", f"--agentfuzz-workers={number}")
        assert "made in one process" not in result.stdout
        assert "1 failed" in result.stdout, result.stdout
        told.append((project.path / "reports/agentfuzz/report.json").read_text())
        assert not list((project.path / ".agentfuzz").glob("ahead-*"))
    assert told[0] == told[1]
    only_here = "import sys\nassert '--agentfuzz-serve' not in sys.argv, 'not again'\n"
    path.write_text(only_here + text)
    result = project.spawn("--agentfuzz", "--agentfuzz-workers=2")
    assert "its runs were made in one process: another did not begin (exit code" in result.stdout
    assert "1 failed" in result.stdout


def test_no_campaign_is_said_and_is_exit_5(project: Project) -> None:
    """--agentfuzz in a project without @fuzz tests has tested nothing: one line, exit 5."""
    project.file("test_other.py", "def test_other(): pass\n")
    result = project.run("--agentfuzz")
    result.assert_outcomes(passed=1)
    assert result.ret == 5
    result.stdout.fnmatch_lines(
        ["agentfuzz: no campaign found. Start with: pytest --agentfuzz-init"]
    )
    assert project.run().ret == 0


def test_a_skipped_campaign_is_a_campaign(project: Project) -> None:
    """A project whose only @fuzz test is skipped is not told that it has none."""
    text = project.shop().read_text()
    project.file("test_shop.py", "import pytest\npytestmark = pytest.mark.skip\n" + text)
    result = project.run("--agentfuzz")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*no campaign found*")


def test_collect_only_lists_tests_and_says_no_more(project: Project) -> None:
    """--agentfuzz --collect-only collects, runs nothing and exits 0."""
    project.shop()
    result = project.run("--agentfuzz", "--collect-only", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["test_shop.py::test_billing"])
    result.stdout.no_fnmatch_line("*agentfuzz:*")


def test_the_marker_is_registered_and_selects(project: Project) -> None:
    """A @fuzz test bears the marker agentfuzz, also under --strict-markers."""
    project.shop()
    project.file("test_other.py", "def test_other(): pass\n")
    project.run("--strict-markers", "-m", "agentfuzz").assert_outcomes(passed=1, deselected=1)


def test_the_same_campaign_writes_the_same_bytes(project: Project) -> None:
    """Two sessions write equal saved files and equal findings: no time, no path, no chance."""
    project.shop()

    def written() -> dict[str, bytes]:
        shutil.rmtree(project.path / ".agentfuzz", ignore_errors=True)
        project.campaign()
        saved = (project.path / ".agentfuzz").glob("*.json")
        reports = (project.path / "reports/agentfuzz").glob("AF-*")
        return {str(path): path.read_bytes() for path in (*saved, *reports)}

    first = written()
    assert len(first) == 4
    assert first == written()
    host = str(project.path).encode()
    assert not [name for name, text in first.items() if host in text]


def test_the_report_names_the_campaign(project: Project) -> None:
    """report.json is strict JSON and holds the campaign and its finding."""
    project.shop()
    project.campaign()
    report = json.loads((project.path / "reports/agentfuzz/report.json").read_text())
    assert "test_shop.py::test_billing" in json.dumps(report)


TWO_CAUSES = """
from agentfuzz import Completion, at_most_once, fuzz, scenario


@scenario(at_most_once("charge"), task="Charge A17.")
def shop(world):
    @world.tool(effect="charge", scope=("order",))
    def charge(order: str) -> str:
        return order

    @world.tool
    def look(order: str) -> str:
        return order


@fuzz(shop, only=("once/timeout",))
def test_two(world):
    try:
        world.tools.look(order="A17")
    except TimeoutError:
        world.tools.charge(order="A17")
    for _ in range(2):
        try:
            world.tools.charge(order="A17")
            break
        except TimeoutError:
            continue
    return Completion.success()
"""


def test_two_causes_of_one_law_are_kept_from_session_to_session(project: Project) -> None:
    """The file of one is not deleted as an older one of the other."""
    project.file("test_two.py", TWO_CAUSES)
    project.campaign()
    ids = project.saved()
    assert len(ids) > 1
    for _ in range(2):
        project.campaign()
        assert project.saved() == ids
