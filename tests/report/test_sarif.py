"""SARIF: valid by the official schema, within GitHub's limits, and inert."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, FormatChecker

from agentfuzz.core.codes import CODES
from agentfuzz.report import packages
from agentfuzz.report.account import Account
from agentfuzz.report.formats import sarif
from agentfuzz.report.places import Places

from .hostile import PAYLOADS, results
from .samples import ALL, TOLD, campaign, cut_off
from .test_github import many
from .test_hostile import check_text

SCHEMA = json.loads((Path(__file__).parent / "schemas/sarif-2.1.0.json").read_text("utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())


def run_of(session: Account) -> dict[str, Any]:
    """The one run of a session's log, which is valid."""
    log = json.loads(sarif.report(session))
    VALIDATOR.validate(log)
    assert len(log["runs"]) == 1
    run: dict[str, Any] = log["runs"][0]
    return run


def test_the_schema_is_the_official_one_and_refuses_what_is_wrong() -> None:
    assert SCHEMA["id"] == sarif.SCHEMA
    assert not VALIDATOR.is_valid({"version": "2.1.0", "runs": [{"results": []}]})


@pytest.mark.parametrize("name", ALL)
def test_every_kind_of_finding_is_valid(name: str) -> None:
    """One result: a rule with help, a place, a fingerprint, and the history as a flow."""
    run = run_of(Account(results=[campaign(name)], places=Places(inside="services/shop")))
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"] == ALL[name].code
    assert rule["shortDescription"]["text"] == CODES[rule["id"]]
    assert rule["help"]["markdown"].startswith(f"# {rule['id']} ")
    assert rule["fullDescription"]["text"]
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert place["artifactLocation"]["uri"] in (
        "services/shop/shop/agent.py",
        "services/shop/tests/test_shop.py",
    )
    assert place["region"]["startLine"] >= 1
    (flow,) = result["codeFlows"]
    (thread,) = flow["threadFlows"]
    assert any(step.get("importance") == "essential" for step in thread["locations"])
    assert f"Replay: pytest --agentfuzz-replay {ALL[name].id}" in result["message"]["text"]


def test_a_cause_is_one_result_and_its_places_are_related() -> None:
    """Two laws in one test and the same in another: one result."""
    cx = ALL["double_charge"]
    other = replace(cx, id="AF-1", violation=replace(cx.violation, code="AF106"))
    elsewhere = replace(cx, id="AF-2", nodeid="tests/test_b.py::test_other")
    run = run_of(Account(results=[campaign(findings=(cx, other, elsewhere))]))
    (result,) = run["results"]
    assert result["properties"]["agentfuzz/breaks"] == ["AF101", "AF106"]
    related = [one["message"]["text"] for one in result["relatedLocations"]]
    assert related == [
        "the test tests/test_shop.py::test_billing_agent",
        "the test tests/test_b.py::test_other",
        "AF101 under charge_card#1:once/timeout",
    ]


def test_the_fingerprint_changes_neither_with_lines_nor_with_values() -> None:
    """Another line, other numbers in the words, another id: the same fingerprint. Another law or
    another file: another one."""
    cx = ALL["double_charge"]
    moved = replace(
        cx,
        id="AF-9",
        location="shop/agent.py:77 charge_order",
        violation=replace(cx.violation, title="ran 9x", sentence="9 times", says="9"),
    )

    def mark(one: Any) -> str:
        (result,) = run_of(Account(results=[campaign(findings=(one,))]))["results"]
        return str(result["partialFingerprints"][sarif.FINGERPRINT])

    assert mark(cx) == mark(moved)
    assert mark(cx) != mark(replace(cx, violation=replace(cx.violation, code="AF102")))
    assert mark(cx) != mark(replace(cx, location="shop/other.py:31 charge_order"))


def test_no_two_causes_have_one_fingerprint() -> None:
    """Also where nothing tells them apart but the session."""
    session = many(30)
    same = [
        replace(one, violation=replace(one.violation, code="AF900"))
        for one in session.results[0].findings
    ]
    run = run_of(Account(results=[campaign(findings=tuple(same))]))
    marks = {one["partialFingerprints"][sarif.FINGERPRINT] for one in run["results"]}
    assert len(marks) == len(run["results"]) == 30


def test_what_was_not_tested_and_an_interruption_are_said() -> None:
    run = run_of(TOLD)
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["toolExecutionNotifications"][0] == {
        "level": "warning",
        "message": {"text": "AF803 lookup was never called"},
    }
    (invocation,) = run_of(replace(TOLD, exit_code=2))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)


def test_a_session_without_findings_has_no_results() -> None:
    """An empty list, by which a CI knows that what was there is fixed."""
    assert run_of(Account(results=[campaign()]))["results"] == []


def test_help_leads_to_the_documentation_where_it_has_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one that the installed package names; without one there is no link."""
    for home, found in (
        ("https://docs.example/a", "https://docs.example/a/codes.html#af1xx-effects-and-keys"),
        ("https://docs.example/a/", "https://docs.example/a/codes.html#af1xx-effects-and-keys"),
        ("", None),
    ):
        monkeypatch.setattr(packages, "documentation", lambda home=home: home)
        (rule,) = run_of(Account(results=[campaign("double_charge")]))["tool"]["driver"]["rules"]
        assert rule.get("helpUri") == found
    page = (Path(__file__).parents[2] / "docs/codes.md").read_text(encoding="utf-8")
    assert "\n## AF1xx: Effects and keys\n" in page


def test_the_address_is_the_one_in_the_packages_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run from its source it has none."""
    told = Message()
    told["Project-URL"] = "Source, https://code.example/"
    told["Project-URL"] = "Documentation, https://docs.example/"
    monkeypatch.setattr(packages.metadata, "metadata", lambda name: told)
    assert packages.documentation() == "https://docs.example/"

    def none(name: str) -> Message:
        raise packages.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packages.metadata, "metadata", none)
    assert packages.documentation() == ""


# What is too much ------------------------------------------------------------------------


def notes(run: Mapping[str, Any]) -> list[str]:
    (invocation,) = run["invocations"]
    told = invocation["toolExecutionNotifications"]
    return [one["message"]["text"] for one in told if one["level"] == "note"]


def test_more_causes_than_github_keeps_are_left_out_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sarif, "RESULTS", 20)
    run = run_of(many(30))
    assert len(run["results"]) == 20
    assert notes(run) == ["10 more causes: see the other reports"]


def test_a_long_history_is_cut_and_says_so() -> None:
    """1,000 steps of one flow are shown; the last one counts the others."""
    long = campaign(findings=(cut_off(900),))
    (result,) = run_of(Account(results=[long]))["results"]
    steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert len(steps) == sarif.STEPS == 1_000
    assert steps[-1]["location"]["message"]["text"].endswith(" more steps")


@pytest.mark.parametrize(("share", "all_there"), [(0.9, True), (0.2, False)])
def test_a_file_that_would_be_too_large_loses_flows_first_and_causes_last(
    share: float, all_there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = size(run_of(many(60)))
    monkeypatch.setattr(sarif, "BYTES", int(share * whole))
    run = run_of(many(60))
    assert size(run) < 1.05 * share * whole
    said = notes(run)
    assert any("without the sequence, for which there was no room" in one for one in said)
    assert (len(run["results"]) == 60) == all_there
    assert any("more causes: see the other reports" in one for one in said) != all_there


def size(run: Mapping[str, Any]) -> int:
    return len(json.dumps(run["results"], separators=(",", ":")))


def test_three_hundred_causes_are_within_all_limits() -> None:
    """Of GitHub: one of 20 runs, 5,000 results, 10 MB gzipped; 20 tags, 100 places."""
    text = sarif.report(many(300))
    run = json.loads(text)["runs"][0]
    assert len(run["results"]) == 300
    assert len(gzip.compress(text.encode())) < 10_000_000
    assert sarif.BYTES < 10_000_000
    assert all(len(rule["properties"]["tags"]) <= 10 for rule in run["tool"]["driver"]["rules"]
               if "properties" in rule)  # fmt: skip


# Hostile text ----------------------------------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stays_text(payload: str) -> None:
    """Valid; no message is a link; an address is a path that leads nowhere else."""
    run = run_of(Account(results=results(payload)))
    for text in strings({key: run[key] for key in run if key != "tool"}):
        check_text(text)
    for text in messages(run):
        assert "](" not in text
    for uri in uris(run):
        assert not uri.startswith("/")
        assert ".." not in uri.split("/")
        assert uri.isascii()
        assert ":" not in uri.partition("/")[0]


def strings(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [text for pair in tree.items() for one in pair for text in strings(one)]
    if isinstance(tree, list):
        return [text for one in tree for text in strings(one)]
    return [tree] if isinstance(tree, str) else []


def messages(tree: Any) -> list[str]:
    return found(tree, "text")


def uris(tree: Any) -> list[str]:
    return found({key: one for key, one in tree.items() if key != "tool"}, "uri")


def found(tree: Any, name: str) -> list[str]:
    """The values of a key, wherever it is but in the help of a rule."""
    out = []
    if isinstance(tree, dict):
        for key, one in tree.items():
            out += [one] if key == name and isinstance(one, str) else []
            out += found(one, name) if key != "help" else []
    elif isinstance(tree, list):
        out += [text for one in tree for text in found(one, name)]
    return out
