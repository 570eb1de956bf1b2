"""The folder of what was saved: nothing in it is waited for, swept away too early, or lost."""

import os
from pathlib import Path

import pytest

from agentfuzz import Completion, World, at_most_once, scenario
from agentfuzz.archive import crash_log, saved
from agentfuzz.core.errors import SavedFileError
from agentfuzz.core.findings import Counterexample, finding_id
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from search.support import hunt

FIFO = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


@scenario(at_most_once("charge"), task="Charge twice.")
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order",))
    def charge(order: str) -> str:
        return order


def charges_twice(world: World) -> Completion:
    for _ in range(2):
        world.tools.charge(order="A17")
    return Completion.success()


@pytest.fixture(scope="module")
def finding() -> Counterexample:
    with Simulation() as simulation:
        return hunt(shop, charges_twice, simulation, depth=0, deep_runs=0).findings[0]


def test_an_id_has_48_bits(finding: Counterexample) -> None:
    """Twelve hexadecimal digits; those of 0.1.0 are its beginning."""
    assert len(finding.id) == len("AF-") + 12
    six = finding_id(finding.nodeid, finding.violation, finding.plan, digits=6)
    assert finding.id.startswith(six)


def test_two_bugs_of_one_id_are_both_kept(tmp_path: Path, finding: Counterexample) -> None:
    """The second one is written under a longer id, and neither file is changed by it."""
    from dataclasses import replace

    other = replace(finding, nodeid="test_other.py::test_other")  # and the same id
    first = saved.save(tmp_path, finding)
    text = first.read_text()
    second = saved.save(tmp_path, other)
    assert second != first
    assert first.read_text() == text
    found, notes = saved.load_all(tmp_path)
    assert sorted(one.nodeid for one in found) == sorted([finding.nodeid, other.nodeid])
    assert notes == []
    assert saved.save(tmp_path, finding) == first, "written again, it stays where it was"


def test_an_id_may_be_told_by_its_beginning() -> None:
    """Six digits or more; fewer stand for none, and what stands for several names them all."""
    ids = ["AF-0123456789ab", "AF-012345ffffff", "AF-ffff00000000"]
    kept = [
        saved.Saved(id, "test_a.py::test_a", "AF101", "charge", "t", FaultPlan(), "") for id in ids
    ]
    assert [one.id for one in saved.find(kept, "AF-ffff00")] == ids[2:]
    assert [one.id for one in saved.find(kept, "AF-012345")] == ids[:2]
    assert saved.find(kept, "AF-ffff") == []
    assert saved.find(kept, "all") == kept


@FIFO
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """Nobody waits for a writer that never comes: it is set aside as a file that cannot be read."""
    os.mkfifo(tmp_path / "AF-000001.json")
    with pytest.raises(SavedFileError, match="no regular file"):
        saved.load(tmp_path / "AF-000001.json")
    found, notes = saved.load_all(tmp_path)
    assert found == []
    assert notes == [
        f"AF903 AF-000001.json: is no regular file; moved to {tmp_path.name}/bad/AF-000001.json"
    ]


@FIFO
def test_a_pipe_is_no_plan_written_ahead(tmp_path: Path) -> None:
    """The same of what a process that died is said to have left."""
    os.mkfifo(tmp_path / "ahead-0-1.plan")
    left, notes = crash_log.take(tmp_path)
    assert left == []
    assert [note.partition(";")[0] for note in notes] == [
        "AF903 ahead-0-1.plan: is no regular file"
    ]


def test_a_device_is_refused(tmp_path: Path) -> None:
    """A link to a device that never ends is not read."""
    if not os.path.exists("/dev/zero"):
        pytest.skip("this system has no /dev/zero")
    (tmp_path / "AF-000002.json").symlink_to("/dev/zero")
    assert saved.load_all(tmp_path)[0] == []


def test_what_an_interrupted_writer_left_is_swept(tmp_path: Path) -> None:
    """A temporary file is somebody's for an hour, and nobody's after it."""
    old, new = tmp_path / ".tmp-old.json", tmp_path / ".tmp-new.json"
    for path in (old, new):
        path.write_text("{")
    an_hour_ago = new.stat().st_mtime - 3601
    os.utime(old, (an_hour_ago, an_hour_ago))
    saved.load_all(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".tmp-new.json"]


def test_what_was_written_last_comes_first(tmp_path: Path, finding: Counterexample) -> None:
    """So that a short budget is spent on what failed the last time."""
    from dataclasses import replace

    for place, id in enumerate(["AF-00000a", "AF-00000b", "AF-00000c"]):
        path = saved.save(tmp_path, replace(finding, id=id))
        os.utime(path, (place % 2, place % 2))
    assert [one.id for one in saved.load_all(tmp_path)[0]] == [
        "AF-00000b",
        "AF-00000a",
        "AF-00000c",
    ]
