"""Formats live on, read as data: histories, JSON reports and cassettes of released versions load in
this one, and go back to the bytes that their version wrote."""

import json
from pathlib import Path

import pytest
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from agentfuzz.core import migrations
from agentfuzz.core.codec import digest, dump, history_from_json, history_to_json
from agentfuzz.core.errors import NewerFileError, SavedFileError
from agentfuzz.core.events import Crashed, Saved, Struck
from agentfuzz.core.faults import Slot
from agentfuzz.core.plan import FaultPlan
from agentfuzz.model.cassettes import Cassette, document
from agentfuzz.report.formats import json as json_format

from .then import PLANS, V1, files

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
    assert all(event.slot.boundary == "store" for event in history.of(Saved))


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
