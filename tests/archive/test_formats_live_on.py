"""Formats live on: what a released version wrote loads, and replays, in this one.

The files lie in `fixtures/`, one folder a version; its README says how they were made.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml  # noqa: F401  (a pytest in this process must not import it a second time)

from agentfuzz import run
from agentfuzz.archive import crash_log, saved
from agentfuzz.archive.crash_log import CrashLog
from agentfuzz.core import migrations
from agentfuzz.core.errors import PlanError
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan
from plugin.conftest import OFF, Project

from .then import PLANS, V1, files


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Project]:
    """The project of a version's user: the tests and what lay in `.agentfuzz/`."""
    for name, value in OFF.items():
        monkeypatch.setenv(name, value)
    for name in ("CI", "PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name, raising=False)

    def made(version: Path) -> Project:
        shutil.copytree(version / "project", pytester.path, dirs_exist_ok=True)
        shutil.copytree(version / "saved", pytester.path / ".agentfuzz")
        return Project(pytester)

    return made


# Saved counterexamples --------------------------------------------------------------------

ALIVE = [one for one in sorted(V1.glob("saved/*.json")) if '"AF902"' not in one.read_text()]
DEAD = {
    "test_dies.py::test_dies_of_a_timeout": "charge_card#1:once/timeout",
    "test_dies.py::test_dies_when_it_is_started_again": "store:cursor#2:crash",
}


@pytest.mark.parametrize("path", files("saved/*.json"))
def test_a_saved_counterexample_loads(path: Path) -> None:
    """Its plan is the one that was meant, whatever the names in it."""
    one = saved.load(path)
    assert (one.id, one.format) == (path.stem, 1)
    plan = migrations.migrated(one.plan, ["charge_card", "look_up"])
    expected = {**PLANS, **DEAD}.get(one.nodeid)
    if expected is not None:
        assert plan == FaultPlan.parse(expected)
    else:
        assert one.nodeid == "test_taped.py::test_taped"
    assert FaultPlan.parse(str(plan)) == plan


@pytest.mark.parametrize("one", list(map(saved.load, ALIVE)), ids=lambda one: one.nodeid)
def test_it_replays_byte_for_byte(user: Callable[[Path], Project], one: saved.Saved) -> None:
    """The bug is still there, and its history is the one of then: the digest is of the bytes that
    0.1.0 wrote."""
    project = user(V1)
    result = project.run(f"--agentfuzz-replay={one.id}")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert f"history  sha256 {one.digest[:16]}  the same, byte for byte" in text
    assert f"note: replayed saved finding {one.id}: still there" in " ".join(text.split())
    assert one.code in text


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--agentfuzz-replay=all"], []], ids=["replay", "plain"])
def test_all_are_still_there(user: Callable[[Path], Project], arguments: list[str]) -> None:
    """--agentfuzz-replay all, and plain pytest, find each of them again. A plan that is written
    otherwise today has another id from then on, which is said once; nothing is lost by it."""
    project = user(V1)
    tests = ["test_tools.py", "test_models.py", "test_lives.py", "test_people.py", "test_taped.py"]
    for first in (True, False):
        result = project.run(*arguments, *tests)
        result.assert_outcomes(failed=len(PLANS) + 1)
        text = result.stdout.str()
        still = re.findall(
            r"replayed (?:saved finding|(\d+) saved findings)[^:]*: still there", text
        )
        assert sum(int(several or 1) for several in still) == len(ALIVE)
        assert text.count("the same, byte for byte") == len(ALIVE) * bool(arguments)
        assert "no longer applies" not in text
        assert ("AF-e4ca8e is AF-" in text) == first
        left = [saved.load(path) for path in (project.path / ".agentfuzz").glob("AF-*.json")]
        assert len(left) == len(ALIVE) + len(DEAD)
        assert {one.nodeid: str(one.plan) for one in left if one.nodeid in PLANS} == PLANS
    assert not (project.path / ".agentfuzz/bad").exists()


@pytest.mark.slow
def test_a_death_is_replayed_in_a_process_of_its_own(user: Callable[[Path], Project]) -> None:
    """Saved deaths, under plans of then: each dies again. (What lay on a world outlived a crash
    then; now what is to outlive it lies outside.)"""
    project = user(V1)
    path = project.path / "test_dies.py"
    text = path.read_text().replace("world.state", "OUTSIDE")
    path.write_text(text.replace("\n\n\n@scenario", "\n\nOUTSIDE = {}\n\n\n@scenario", 1))
    done = project.spawn("test_dies.py")
    assert done.returncode == 1, done.stdout
    assert "2 failed" in done.stdout
    assert " ".join(done.stdout.split()).count("it died again: exit 7.") == 2


def test_an_exported_test_of_then_is_a_test(user: Callable[[Path], Project]) -> None:
    """It holds the plan's text of then, which says no format: red while the bug lives."""
    project = user(V1)
    result = project.run(*(path.name for path in sorted(V1.glob("project/test_af_*.py"))))
    result.assert_outcomes(failed=4)
    text = result.stdout.str()
    assert text.count("AF101 charge_card ran 2x, expected 1") >= 3
    assert "AF101 turn ran 2x, expected 1" in text


# Unknown fields, newer versions -----------------------------------------------------------


def edited(path: Path, to: Path, **changed: object) -> Path:
    to.parent.mkdir(exist_ok=True)
    to.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    return to


def test_unknown_fields_are_ignored_and_survive(user: Callable[[Path], Project]) -> None:
    """A file that is written anew, and has another id then, keeps what somebody else put there."""
    project = user(V1)
    folder = project.path / ".agentfuzz"
    for name in ("AF-e4ca8e", "AF-564df0"):
        edited(folder / f"{name}.json", folder / f"{name}.json", colour={"red": [1]})
    project.run("test_lives.py", "test_tools.py")
    found = {one["nodeid"]: one for one in map(json.loads, map(Path.read_text, folder.glob("A*")))}
    for nodeid in ("test_lives.py::test_at_a_save", "test_tools.py::test_one_fault"):
        one = found[nodeid]
        assert one["colour"] == {"red": [1]}
        assert (one["schema"], one["format"], one["plan"]) == (
            "agentfuzz.saved/2",
            FORMAT_VERSION,
            PLANS[nodeid],
        )


@pytest.mark.parametrize("newer", [{"schema": "agentfuzz.saved/9"}, {"format": 9}])
def test_a_newer_file_is_refused_politely_and_left_alone(
    user: Callable[[Path], Project], newer: dict[str, object]
) -> None:
    """One line says what is to be done; the session is as any other, and the file stays, even
    when the very bug is found again."""
    project = user(V1)
    path = project.path / ".agentfuzz/AF-564df0.json"
    edited(path, path, **newer)
    before = path.read_bytes()
    result = project.campaign("test_tools.py::test_one_fault")
    result.assert_outcomes(failed=1)
    text = " ".join(result.stdout.str().split())
    assert "AF903 AF-564df0.json: written by a newer agentfuzz (" in text
    assert "9; this one reads up to 2). Update agentfuzz to read it; left where it is" in text
    assert path.read_bytes() == before
    assert not (project.path / ".agentfuzz/bad").exists()
    asked = project.run("--agentfuzz-replay=.agentfuzz/AF-564df0.json")
    assert asked.ret == 4
    asked.stderr.fnmatch_lines(["ERROR: AF-564df0.json: written by a newer agentfuzz*"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"schema": None}, "its schema is not agentfuzz.saved"),
        ({"schema": "agentfuzz.saved/0"}, "its schema is not agentfuzz.saved"),
        ({"schema": "other.saved/1"}, "its schema is not agentfuzz.saved"),
        ({"format": None}, "it has no plan format"),
        ({"format": True}, "it has no plan format"),
        ({"plan": "charge_card"}, "cannot read 'charge_card' in a plan of format 1"),
        ({"plan": "a#1:once/timeot"}, "'a#1:once/timeot': 'timeot' is none of"),
    ],
)
def test_what_is_neither_old_nor_new_is_broken(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    """It is named and set aside, as ever."""
    edited(V1 / "saved/AF-564df0.json", tmp_path / "AF-564df0.json", **changed)
    found, (note,) = saved.load_all(tmp_path)
    assert found == []
    assert note.startswith(f"AF903 AF-564df0.json: {said}")
    assert (tmp_path / "bad/AF-564df0.json").exists()


# Plans written ahead ----------------------------------------------------------------------


def test_a_plan_written_ahead_by_a_process_that_died_is_told(tmp_path: Path) -> None:
    """The test, the scenario and the plan; the file is gone then."""
    shutil.copytree(V1 / "ahead", tmp_path, dirs_exist_ok=True)
    left, notes = crash_log.take(tmp_path)
    assert notes == []
    assert {(one.nodeid, one.scenario) for one in left} == {(each, "charge_order") for each in DEAD}
    plans = {one.nodeid: migrations.migrated(one.plan, ["charge_card"]) for one in left}
    assert plans == {nodeid: FaultPlan.parse(plan) for nodeid, plan in DEAD.items()}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("newer", [b"agentfuzz.ahead/9", b'"format":9'])
def test_one_of_a_newer_agentfuzz_is_left_for_it(tmp_path: Path, newer: bytes) -> None:
    (path, _) = sorted((V1 / "ahead").iterdir())
    old = b"agentfuzz.ahead/1" if b"ahead" in newer else b'"format":1'
    content = path.read_bytes().replace(old, newer)
    (tmp_path / path.name).write_bytes(content)
    left, (note,) = crash_log.take(tmp_path)
    assert left == []
    assert "written by a newer agentfuzz" in note
    assert note.endswith("; left where it is")
    assert (tmp_path / path.name).read_bytes() == content


def test_what_this_version_writes_ahead_names_its_format(tmp_path: Path) -> None:
    log = CrashLog(tmp_path, "test_a.py::test_a", "shop")
    (path,) = tmp_path.iterdir()
    head = json.loads(path.read_bytes().partition(b"\n")[0])
    log.close()
    assert (head["schema"], head["format"]) == ("agentfuzz.ahead/2", FORMAT_VERSION)


# Plans that are typed ---------------------------------------------------------------------


def test_a_plan_typed_as_then_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` and whoever else takes a text know the old addresses; a name that is no plain word
    needs no quotes where nothing else can be meant."""
    monkeypatch.syspath_prepend(V1 / "project")
    lives = pytest.importorskip("test_lives")
    for old, agent in (
        ("process:cursor#1:crash", lives.test_at_a_save),
        ("process:model#1:crash", lives.test_at_a_turn),
        ("process:end#1:duplicate_trigger", lives.test_at_the_end),
        ("process:in doubt#1:crash + charge_card#1:once/timeout", lives.test_in_doubt),
        ("process:charge_card#1:crash/after", lives.test_at_a_call),
    ):
        done = run(lives.charge_order, agent, old)
        assert str(done.plan) == PLANS[f"test_lives.py::{agent.__name__}"]
        with pytest.raises(AssertionError, match="AF101"):
            done.check("AF101")


@pytest.mark.parametrize("text", ["charge card", "foo:bar#1:twice", "a#1:once/timeot", "a#0:twice"])
def test_a_plan_that_no_format_knows_is_an_error_of_today(text: str) -> None:
    with pytest.raises(PlanError) as caught:
        migrations.typed(text)
    with pytest.raises(PlanError) as today:
        FaultPlan.parse(text)
    assert str(caught.value) == str(today.value)
    assert "format 1" not in str(caught.value)


def test_a_plan_that_names_one_place_in_two_formats_is_an_error() -> None:
    """No fault of a plan is lost in silence."""
    both = FaultPlan.parse("process:cursor#1:crash + store:cursor#1:crash/after")
    with pytest.raises(PlanError, match="a slot is named twice, once as in format 1"):
        migrations.migrated(both, ["charge_card"])
    assert migrations.migrated(both, ["cursor"]) is both
