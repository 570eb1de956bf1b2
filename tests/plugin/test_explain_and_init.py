"""Doors: the options that answer a question and run no test."""

import pytest

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
    green.stdout.fnmatch_lines(["*0 findings*", "note: replayed saved finding AF-*: fixed"])


def test_init_where_it_cannot_write_is_one_error(project: Project) -> None:
    """A file in place of the folder: one line, exit 4."""
    project.file("tests", "")
    result = project.run("--agentfuzz-init")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: tests/test_agentfuzz_demo.py cannot be written: *"])
