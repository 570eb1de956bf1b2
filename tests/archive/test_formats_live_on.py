"""Formats live on: what a released version wrote loads, and replays, in this one.

The files lie in `fixtures/`, one folder a version; its README says how they were made.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from agentfuzz import run
from agentfuzz.archive import crash_log, saved
from agentfuzz.archive.crash_log import CrashLog
from agentfuzz.core import migrations
from agentfuzz.core.codec import digest, dump, history_from_json, history_to_json
from agentfuzz.core.errors import NewerFileError, PlanError, SavedFileError
from agentfuzz.core.events import Crashed, Struck
from agentfuzz.core.events import Saved as Written
from agentfuzz.core.faults import Slot
from agentfuzz.core.plan import FORMAT_VERSION, FaultPlan
from agentfuzz.model.cassettes import Cassette, document
from agentfuzz.report.formats import json as json_format
from plugin.conftest import OFF, Project

FIXTURES = Path(__file__).parent / "fixtures"
V1 = FIXTURES / "0.1.0"


def files(pattern: str) -> list[Any]:
    """Every fixture of a kind, of every version, for a test of each."""
    found = sorted(FIXTURES.glob(f"*/{pattern}"))
    assert found, pattern
    return [pytest.param(path, id=path.relative_to(FIXTURES).as_posix()) for path in found]


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
PLANS = {
    "test_tools.py::test_one_fault": "charge_card#1:once/timeout",
    "test_tools.py::test_two_faults": "charge_card#1:once/timeout + look_up#1:once/timeout",
    "test_tools.py::test_an_odd_name": r'"\"best\""#1:once/timeout',
    "test_tools.py::test_a_tool_that_is_called_turn": "tool:turn#1:once/timeout",
    "test_models.py::test_does_as_it_is_told": "model#1:repeat",
    "test_lives.py::test_at_a_call": "process:charge_card#1:crash/after",
    "test_lives.py::test_at_a_save": "store:cursor#1:crash",
    "test_lives.py::test_at_a_turn": "turn#1:crash",
    "test_lives.py::test_at_the_end": "end#1:duplicate_trigger",
    "test_lives.py::test_in_doubt": 'store:"in doubt"#1:crash + charge_card#1:once/timeout',
    "test_people.py::test_check_then_act": "schedule:charge_card#1:preempted",
    "test_people.py::test_every_click": "approval:charge_card#1:double_click",
}
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
        assert text.count(": still there") == len(ALIVE)
        assert text.count("the same, byte for byte") == len(ALIVE) * bool(arguments)
        assert "no longer applies" not in text
        assert ("AF-e4ca8e is AF-" in text) == first
        left = [saved.load(path) for path in (project.path / ".agentfuzz").glob("AF-*.json")]
        assert len(left) == len(ALIVE) + len(DEAD)
        assert {one.nodeid: str(one.plan) for one in left if one.nodeid in PLANS} == PLANS
    assert not (project.path / ".agentfuzz/bad").exists()


@pytest.mark.slow
def test_a_death_is_replayed_in_a_process_of_its_own(user: Callable[[Path], Project]) -> None:
    """Saved deaths, under plans of then: each dies again."""
    project = user(V1)
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


# Histories --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", files("histories/*.json"))
def test_a_history_loads_and_goes_back(path: Path) -> None:
    """To the byte: as its version would write it today's history is the file."""
    data = json.loads(path.read_text())
    history = history_from_json(data)
    assert len(history) == len(data["events"])
    back = migrations.history_as_of(history_to_json(history), data["format"])
    assert dump(back, indent=1) + "\n" == path.read_text()
    assert history_from_json(json.loads(dump(history_to_json(history)))).events == history.events
    assert digest(history, 1) != digest(history, 2) == digest(history)


@pytest.mark.parametrize(
    ("name", "struck"),
    [
        ("save", [Slot("store", "cursor", 1)]),
        ("turn", [Slot("turn", "", 1)]),
        ("end", [Slot("end", "", 1)]),
        ("doubt", [Slot("tool", "charge_card", 1), Slot("store", "in doubt", 1)]),
        ("call", [Slot("process", "charge_card", 1)]),
    ],
)
def test_saves_turns_and_the_end_have_their_places_of_today(name: str, struck: list[Slot]) -> None:
    """By the history's own tools; what happened at a tool call stays at the process."""
    history = history_from_json(json.loads((V1 / f"histories/history-{name}.json").read_text()))
    assert [event.slot for event in history.of(Struck)] == struck
    crashed = [event.slot for event in history.of(Crashed)]
    assert crashed == [slot for slot in struck if slot.boundary not in ("tool", "end")]
    assert all(event.slot.boundary == "store" for event in history.of(Written))


def test_unknown_fields_of_a_history_are_ignored() -> None:
    """Of the whole, of an event, of a tool's facts."""
    data = json.loads((V1 / "histories/mcp.json").read_text())
    known = history_from_json(data)
    events = [{**one, "colour": "red"} for one in data["events"]]
    tools = {name: [*facts, "more"] for name, facts in data["tools"].items()}
    again = history_from_json({**data, "events": events, "tools": tools, "colour": "red"})
    assert (again.events, again.tools) == (known.events, known.tools)


def test_a_newer_history_is_refused_by_that_name() -> None:
    data = json.loads((V1 / "histories/mcp.json").read_text())
    with pytest.raises(NewerFileError, match=r"written by a newer agentfuzz \(history format 9;"):
        history_from_json({**data, "format": 9})
    with pytest.raises(
        SavedFileError, match="unknown event 'HandedOver'; it may come from a newer"
    ):
        history_from_json({**data, "events": [{"event": "HandedOver", "seq": 0, "t": 0.0}]})
    odd = {"event": "Struck", "seq": 0, "t": 0.0, "slot": ["tool", "a", 1], "fault": "thrice"}
    with pytest.raises(SavedFileError, match=r"a broken Struck event: .*'thrice'"):
        history_from_json({**data, "events": [odd]})


# JSON reports -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", files("reports/AF-*.json"))
def test_a_report_of_a_finding_loads(path: Path) -> None:
    """It is read as this version would write it: the counterexample out of it, written anew, is
    the same object, unknown fields aside."""
    old = json.loads(path.read_text())
    data = json_format.read(json.dumps({**old, "colour": "red"}))
    assert data.pop("colour") == "red"
    cx = json_format.counterexample(data)
    assert cx.plan == FaultPlan.parse(PLANS[cx.nodeid])
    assert (cx.id, len(cx.history)) == (path.stem, len(old["events"]))
    assert json_format.text(json_format.finding(cx)) == json_format.text(data)
    assert json_format.read(json_format.text(data)) == data


def test_a_report_of_a_session_loads() -> None:
    """With its counts, and what this version does not know."""
    text = (V1 / "reports/report.json").read_text()
    data = json_format.read(text)
    assert data == json.loads(text)
    assert {campaign["nodeid"] for campaign in data["campaigns"]} == set(PLANS)
    assert json_format.read(text.replace('"seed": 0', '"colour": 1', 1)) != data


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ('{"schema": "agentfuzz.finding/9"}', NewerFileError, "written by a newer agentfuzz"),
        ('{"schema": "agentfuzz.run/9"}', NewerFileError, "written by a newer agentfuzz"),
        ('{"schema": "agentfuzz.finding/1", "format": 9}', NewerFileError, "history format 9"),
        ('{"schema": "agentfuzz.finding/1", "format": 1}', SavedFileError, "a broken report"),
        ("[]", SavedFileError, "its schema is not agentfuzz.finding"),
        ("{", SavedFileError, "no report that can be read"),
    ],
)
def test_what_is_no_report_is_said(text: str, error: type[SavedFileError], said: str) -> None:
    with pytest.raises(SavedFileError, match=said) as caught:
        json_format.read(text)
    assert type(caught.value) is error


# Cassettes --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", files("project/tapes/*.yaml"))
def test_a_cassette_loads(path: Path) -> None:
    """A file without a version of agentfuzz's own has version 1."""
    assert len(Cassette.load(path).recordings) == 2


def test_a_cassette_has_a_version_and_a_newer_one_is_refused(tmp_path: Path) -> None:
    """Unknown fields are ignored."""
    text = (V1 / "project/tapes/chat.yaml").read_text()
    path = tmp_path / "tape.yaml"
    path.write_text(f"agentfuzz: 1\ncolour: red\n{text}")
    assert len(Cassette.load(path).recordings) == 2
    path.write_text(f"agentfuzz: 9\n{text}")
    with pytest.raises(NewerFileError, match=r"tape\.yaml:1: written by a newer agentfuzz .*again"):
        Cassette.load(path)
    path.write_text(f"agentfuzz: new\n{text}")
    with pytest.raises(SavedFileError, match=r"tape\.yaml:1: it has no cassette format"):
        Cassette.load(path)


def test_what_this_version_records_names_its_version_and_is_vcrpys() -> None:
    """At the top; the last line is vcrpy's own version, without which a file is cut off."""
    interactions = document.read(V1 / "project/tapes/chat.yaml").interactions
    text = document.dump([dict(one) for one in interactions])
    assert text.startswith("agentfuzz: 1\n")
    assert text.endswith("\nversion: 1\n")
    assert Cassette.of(document.parse(text, "tape.yaml")).name == "tape.yaml"
    requests, responses = deserialize(text, yamlserializer)
    assert len(requests) == len(responses) == 2


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
