"""Doors: the options that answer a question and run no test."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import agentfuzz.scenarios
from agentfuzz.core.codes import CODES

from .conftest import Project


@pytest.mark.parametrize("code", ["AF101", "af101"])
def test_explain_prints_the_page_of_a_code(project: Project, code: str) -> None:
    """A code in either case gives its page; no test is collected."""
    project.file("test_broken.py", "syntax error\n")
    result = project.run(f"--agentfuzz-explain={code}")
    assert result.ret == 0
    assert "AF101" in result.outlines[0]
    result.stdout.no_fnmatch_line("*collected*")


def test_explain_list_names_every_code(project: Project) -> None:
    """`list` is a table of all codes."""
    text = project.run("--agentfuzz-explain=list").stdout.str()
    assert [code for code in CODES if code not in text] == []


def test_explain_of_an_unknown_code_names_the_near_miss(project: Project) -> None:
    """One error, exit 4, the nearest code."""
    result = project.run("--agentfuzz-explain=AF1O1")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: there is no code 'AF1O1'. Did you mean 'AF1?1'?*"])


def test_init_writes_one_demo_and_overwrites_nothing(project: Project) -> None:
    """The first call writes and names the next command; the second leaves the file alone."""
    first = project.run("--agentfuzz-init")
    assert first.ret == 0
    first.stdout.fnmatch_lines(
        [
            "wrote tests/test_agentfuzz_demo.py",
            "next: pytest --agentfuzz tests/test_agentfuzz_demo.py",
        ]
    )
    demo = project.path / "tests/test_agentfuzz_demo.py"
    demo.write_text(demo.read_text() + "# mine\n")
    second = project.run("--agentfuzz-init")
    assert second.ret == 0
    second.stdout.fnmatch_lines(["tests/test_agentfuzz_demo.py exists, left alone"])
    assert demo.read_text().endswith("# mine\n")
    assert [path.name for path in demo.parent.iterdir()] == ["test_agentfuzz_demo.py"]


def test_the_demo_is_red_and_its_commented_line_is_the_fix(project: Project) -> None:
    """The demo charges twice; swapping the two lines of the key makes the campaign green."""
    project.run("--agentfuzz-init")
    demo = project.path / "tests/test_agentfuzz_demo.py"
    red = project.campaign(str(demo))
    red.assert_outcomes(failed=1)
    red.stdout.fnmatch_lines(["AF101 charge_card ran 2x, expected 1"])
    lines = demo.read_text().splitlines(keepends=True)
    kept = [line.replace("# key =", "key =") for line in lines if "the bug" not in line]
    demo.write_text("".join(kept))
    green = project.run("--agentfuzz", str(demo))
    green.assert_outcomes(passed=1)
    green.stdout.fnmatch_lines(["note: replayed saved finding AF-*: fixed", "*0 findings*"])


def test_init_where_it_cannot_write_is_one_error(project: Project) -> None:
    """A file in place of the folder: one line, exit 4."""
    project.file("tests", "")
    result = project.run("--agentfuzz-init")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: tests/test_agentfuzz_demo.py cannot be written: *"])


STORIES = sorted(one.name for one in pkgutil.iter_modules(agentfuzz.scenarios.__path__))


def test_init_with_a_story_writes_it_where_it_is_called(project: Project) -> None:
    """The story, with a test of its survivor, which is green; with its first victim it is red. The
    second call leaves the file alone."""
    first = project.run("--agentfuzz-init", "page_on_call")
    assert first.ret == 0
    first.stdout.fnmatch_lines(
        ["wrote test_page_on_call.py", "next: pytest --agentfuzz test_page_on_call.py"]
    )
    path = project.path / "test_page_on_call.py"
    project.campaign(str(path)).assert_outcomes(passed=1)
    text = path.read_text()
    assert "With client_times_runbook it is red." in text
    path.write_text(text.replace("return waits_and_counts(", "return client_times_runbook("))
    red = project.campaign("--agentfuzz-max-runs=200", str(path))
    red.assert_outcomes(failed=1)
    red.stdout.fnmatch_lines(["*AF217 health tried *"])
    second = project.run("--agentfuzz-init", "page_on_call")
    assert second.ret == 0
    second.stdout.fnmatch_lines(["test_page_on_call.py exists, left alone"])
    assert "return client_times_runbook(" in path.read_text()


def test_init_with_a_story_writes_below_the_root(project: Project) -> None:
    """The current folder is where pytest was called, not where its project begins."""
    project.file("pytest.ini", "[pytest]\n")
    (project.path / "agents").mkdir()
    done = project.spawn("--agentfuzz-init", "saga", cwd="agents")
    assert done.stdout.splitlines()[-2:] == [
        "wrote test_saga.py",
        "next: pytest --agentfuzz test_saga.py",
    ]
    assert (project.path / "agents/test_saga.py").is_file()


def test_every_story_can_be_begun_with(project: Project) -> None:
    """Sync or async, each is one test, which passes; and it is in the order that linters want."""
    for story in STORIES:
        assert project.run("--agentfuzz-init", story).ret == 0
    project.run().assert_outcomes(passed=len(STORIES))
    ruff = Path(sys.executable).parent / "ruff"
    if ruff.exists():  # it is not where the core is tested
        rules = ["--isolated", "--select=E,F,I", "--line-length=100", "--target-version=py311"]
        words = [str(ruff), "check", *rules, str(project.path)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_init_with_an_unknown_story_names_the_near_miss(project: Project) -> None:
    """One error, exit 4, the nearest story and all the others; nothing is written."""
    result = project.run("--agentfuzz-init", "charge_orders")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [
            "ERROR: there is no kind of agent and no story 'charge_orders'. Did you mean"
            f" 'charge_order'? Kinds are: *. Stories are: {', '.join(STORIES)}."
        ]
    )
    assert not list(project.path.glob("test_*.py"))
