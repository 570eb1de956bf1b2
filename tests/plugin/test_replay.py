"""Doors: replay brings a saved counterexample back, byte for byte, and nothing else runs."""

import json
import re
from collections.abc import Callable

import pytest

from .conftest import Project
from .sources import BASE, FIXED, SHOP

Found = Callable[..., str]

ASYNC = (
    BASE
    + """

@fuzz(charge_order, only=("once/timeout", "twice"))
async def test_billing(world):
    for attempt in range(3):
        try:
            words = {"order_id": "A17", "cents": 1, "idempotency_key": str(attempt)}
            reply = await world.tools.aio.charge_card(**words)
        except (TimeoutError, ConnectionError):
            continue
        return {"set": {"red", "green", "blue"}, "hash": reply}
"""
)


@pytest.mark.slow
@pytest.mark.parametrize("text", [SHOP, ASYNC], ids=["sync", "async"])
def test_replay_is_the_same_byte_for_byte_in_a_new_process(
    project: Project, found: Found, text: str
) -> None:
    """Two new processes with other hash seeds replay the history that was saved, to the byte."""
    name = found(text)
    saved = json.loads((project.path / f".agentfuzz/{name}.json").read_text())
    outputs = []
    for seed in ("1", "4242"):
        done = project.spawn(f"--agentfuzz-replay={name}", PYTHONHASHSEED=seed)
        assert done.returncode == 1, done.stdout + done.stderr
        assert f"history  sha256 {saved['digest'][:16]}  the same, byte for byte" in done.stdout
        report = (project.path / f"reports/agentfuzz/{name}.json").read_bytes()
        outputs.append((report, re.sub(r"\d+\.\d\d?s|\d+\.\d s", "", done.stdout)))
    assert outputs[0] == outputs[1]


def test_replay_runs_only_what_was_saved(project: Project, found: Found) -> None:
    """Tests without a saved counterexample are deselected, and the others not searched."""
    name = found(SHOP)
    project.file("test_other.py", "def test_other(): assert False\n")
    result = project.run(f"--agentfuzz-replay={name}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["AF101 charge_card ran 2x, expected 1", "*byte for byte*"])
    result.stdout.no_fnmatch_line("*test_other*")
    named = project.run(f"--agentfuzz-replay={name}", "test_shop.py", "test_other.py")
    named.assert_outcomes(failed=1, deselected=1)


def test_replay_all_and_replay_of_a_file(project: Project, found: Found) -> None:
    """`all` replays every saved counterexample, a path the one in that file, wherever it is."""
    name = found(SHOP)
    project.run("--agentfuzz-replay=all").assert_outcomes(failed=1)
    moved = project.path / "artefacts" / "from_ci.json"
    moved.parent.mkdir()
    (project.path / f".agentfuzz/{name}.json").rename(moved)
    result = project.run("--agentfuzz-replay=artefacts/from_ci.json")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*byte for byte*"])


@pytest.mark.slow
def test_replay_works_from_another_folder(project: Project, found: Found) -> None:
    """The saved test is found from any folder of the project."""
    project.file("pytest.ini", "[pytest]\n")
    (project.path / "docs").mkdir()
    name = found(SHOP)
    done = project.spawn(f"--agentfuzz-replay={name}", "--tb=line", cwd="docs")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "AF101 charge_card ran 2x" in done.stdout


def test_replay_after_the_fix_passes_and_says_so(project: Project, found: Found) -> None:
    """The replay of a bug that is gone is green."""
    name = found(SHOP)
    project.file("test_shop.py", FIXED)
    result = project.run(f"--agentfuzz-replay={name}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"note: replayed saved finding {name}: fixed"])


def test_replay_of_changed_code_says_that_the_history_is_another(
    project: Project, found: Found
) -> None:
    """The bug is still there and its history is not the saved one: both are said."""
    name = found(SHOP)
    project.file("test_shop.py", SHOP.replace("4200", "4300"))
    result = project.run(f"--agentfuzz-replay={name}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*another history than saved*"])


@pytest.mark.parametrize("option", ["replay", "export"])
def test_an_unknown_id_is_an_error_with_a_near_miss(
    project: Project, found: Found, option: str
) -> None:
    """An id that was not saved stops before any test and names what is saved."""
    name = found(SHOP)
    near = name[:-1] + ("0" if name[-1] != "0" else "1")
    result = project.run(f"--agentfuzz-{option}={near}")
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: no saved counterexample '{near}'*Did you mean '{name}'*"])


def test_asking_for_a_file_that_is_not_there_is_an_error(project: Project) -> None:
    """The error names the file and the reason."""
    result = project.run("--agentfuzz-replay=nowhere.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: nowhere.json: cannot be read (No such file*"])


def test_replay_of_a_deleted_test_is_an_error(project: Project, found: Found) -> None:
    """Asked by id for a test that is gone, pytest names it and exits 4."""
    name = found(SHOP)
    project.file("test_shop.py", "def test_other(): pass\n")
    result = project.run(f"--agentfuzz-replay={name}")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: *test_shop.py::test_billing*"])
