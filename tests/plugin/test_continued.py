"""What a budget left undone is continued by the next session."""

import json
import re

import pytest

from .conftest import Project
from .sources import FIXED

BUDGET = ("--agentfuzz", "--agentfuzz-max-runs=70")
PARTS = re.compile(r"from the (\d+)\w\w on; (\d+) in (\d+) sessions since its runs last changed")


def told(project: Project, *words: str) -> str:
    """What a session covered, as it stands in its report."""
    project.run(*(words or BUDGET)).assert_outcomes(passed=1)
    report = json.loads((project.path / "reports/agentfuzz/report.json").read_text())
    return str(report["campaigns"][0]["covered"])


def kept(project: Project) -> list[bytes]:
    """The frontier, if there is one."""
    return [path.read_bytes() for path in (project.path / ".agentfuzz").glob("frontier-*")]


def test_two_sessions(project: Project) -> None:
    """The second begins where the first one stopped, and says so."""
    project.file("test_a.py", FIXED)
    first = re.search(r"(\d+) of \d+ plans with two faults", told(project))
    second = told(project)
    mine = re.search(r"(\d+) of \d+ plans with two faults", second)
    both = PARTS.search(second)
    assert first
    assert mine
    assert both
    assert int(both[1]) > int(first[1])  # what cannot be has a number, too
    assert int(both[2]) == int(first[1]) + int(mine[1])
    assert both[3] == "2"
    assert len(kept(project)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("-q",),
        ("--agentfuzz-replay=all",),
        (*BUDGET, "--agentfuzz-seed=0"),
        (*BUDGET, "--agentfuzz-shard=1/2"),
        ("--agentfuzz", "--agentfuzz-depth=1"),
    ],
    ids=["plain", "replay", "seed", "shard", "depth one"],
)
def test_who_leaves_it_alone(project: Project, words: tuple[str, ...]) -> None:
    """A session that is no part of the row."""
    project.file("test_a.py", FIXED)
    told(project)
    before = kept(project)
    assert before
    project.run(*words)
    assert kept(project) == before


def test_a_session_that_does_all(project: Project) -> None:
    """Leaves nothing of it."""
    project.file("test_a.py", FIXED)
    told(project)
    assert re.search(r"(\d+) of \1 plans with two faults", told(project, "--agentfuzz"))
    assert kept(project) == []
    assert not PARTS.search(told(project))
