"""Doors: what campaigns leave is ignored by git, where the project says what is."""

import subprocess
from pathlib import Path

import pytest

from .conftest import Project

BOTH = "added to .gitignore: reports/agentfuzz/, .agentfuzz/"


def after(project: Project, before: bytes) -> bytes:
    """A .gitignore after `--agentfuzz-init`."""
    path = project.path / ".gitignore"
    path.write_bytes(before)
    assert project.run("--agentfuzz-init").ret == 0
    return path.read_bytes()


@pytest.mark.parametrize(
    ("before", "added"),
    [
        (b"", b"reports/agentfuzz/\n.agentfuzz/\n"),
        (b"*.pyc\n", b"reports/agentfuzz/\n.agentfuzz/\n"),
        (b"*.pyc", b"\nreports/agentfuzz/\n.agentfuzz/\n"),
        (b"*.pyc\r\nbuild", b"\r\nreports/agentfuzz/\r\n.agentfuzz/\r\n"),
        (b"caf\xe9\n", b"reports/agentfuzz/\n.agentfuzz/\n"),
        (b"reports/*\n!reports/README.md\n", b".agentfuzz/\n"),
        (b"/reports\n**/.agentfuzz/\n", b""),
        (b"/reports/agentfuzz/**\n", b".agentfuzz/\n"),
        (b"# reports/\n.agentfuzz2\n", b"reports/agentfuzz/\n.agentfuzz/\n"),
        (b"!.agentfuzz/\n", b"reports/agentfuzz/\n"),
    ],
)
def test_what_is_missing_is_added(project: Project, before: bytes, added: bytes) -> None:
    """In the line endings of the file, after its last line; what somebody has said stands."""
    assert after(project, before) == before + added
    assert after(project, before + added) == before + added


def test_it_says_what_it_did(project: Project) -> None:
    """In a line, the first time; a workflow has it done, too."""
    project.file(".gitignore", "*.pyc\n")
    assert BOTH in project.run("--agentfuzz-ci", "github").outlines
    project.run("--agentfuzz-init").stdout.no_fnmatch_line("*gitignore*")


def test_where_there_is_none_none_is_written(project: Project) -> None:
    project.run("--agentfuzz-init")
    assert not (project.path / ".gitignore").exists()


def test_the_one_at_the_top_of_the_repository(project: Project) -> None:
    """A project below it has its own paths there; one beyond the repository is not touched."""
    inner = project.path / "repository"
    project.file(".gitignore", "*.pyc\n")
    project.file("repository/.gitignore", "*.pyc\n")
    (inner / ".git").mkdir()
    project.file("repository/agents/pytest.ini", "[pytest]\n")
    project.spawn("--agentfuzz-init", cwd="repository/agents")
    expected = "*.pyc\nagents/reports/agentfuzz/\nagents/.agentfuzz/\n"
    assert (inner / ".gitignore").read_text() == expected
    assert (project.path / ".gitignore").read_text() == "*.pyc\n"
    assert _ignored(project.path / "made", expected)


def _ignored(folder: Path, text: str) -> bool:
    """Whether git itself ignores what the lines name."""
    folder.mkdir()
    (folder / ".gitignore").write_text(text)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    words = ["git", "-C", str(folder), "check-ignore", "agents/.agentfuzz/AF-1.json"]
    done = subprocess.run([*words, "agents/reports/agentfuzz/index.html"], capture_output=True)
    return len(done.stdout.splitlines()) == 2


def test_one_that_cannot_be_changed_is_a_line(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test is written, and the lines to add are named."""
    project.file(".gitignore", "*.pyc\n")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    done = project.run("--agentfuzz-init")
    assert done.ret == 0
    done.stdout.fnmatch_lines([".gitignore cannot be changed (*); add to it: reports/agentfuzz/,*"])
