"""GitLab: what its code quality widget reads."""

import json
from dataclasses import replace
from typing import Any

import pytest

from agentfuzz.report.account import Account
from agentfuzz.report.formats.gitlab import report, severity
from agentfuzz.report.places import Places

from .hostile import PAYLOADS, results
from .samples import ALL, TOLD, campaign
from .test_github import many
from .test_hostile import check_text


def issues(session: Account) -> list[dict[str, Any]]:
    """The issues of a report, each with what GitLab asks for."""
    told: list[dict[str, Any]] = json.loads(report(session))
    for one in told:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert isinstance(one["location"]["lines"]["begin"], int)
        assert one["location"]["lines"]["begin"] >= 1
        assert not one["location"]["path"].startswith(("./", "/", "../"))
        assert len(one["fingerprint"]) == 64
    assert len({one["fingerprint"] for one in told}) == len(told)
    return told


def test_an_issue_for_each_cause() -> None:
    """What GitLab shows of it: law, what happened, where, and how bad it is."""
    first, second = issues(replace(TOLD, places=Places(inside="services/shop")))
    assert first == {
        "check_name": "AF101",
        "description": "AF101 charge_card ran 2x, expected 1: charge(order_id='A17') took effect "
        "2 times: the agent called charge_card again.",
        "fingerprint": first["fingerprint"],
        "severity": "critical",
        "location": {"path": "services/shop/shop/agent.py", "lines": {"begin": 31}},
    }
    assert second["check_name"] == "AF204"


def test_what_another_agent_does_is_an_issue_of_its_own() -> None:
    """Of one cause, told once: a merge request that brings it to another file, or to another
    subject, is seen."""
    cx = ALL["double_charge"]
    again = replace(cx, id="AF-1", nodeid="tests/test_b.py::test_other")
    other = replace(cx, id="AF-2", violation=replace(cx.violation, subject="mail"))
    file = replace(cx, id="AF-3", location="shop/mail.py:3 send")

    def marks(*findings: Any) -> set[str]:
        return {
            one["fingerprint"] for one in issues(Account(results=[campaign(findings=findings)]))
        }

    before = marks(cx)
    assert marks(cx, again) == before
    assert len(marks(cx, replace(other, nodeid="tests/test_b.py::test_other")) - before) == 1
    assert len(marks(cx, replace(file, nodeid="tests/test_b.py::test_other")) - before) == 1


def test_a_session_without_findings_is_an_empty_list() -> None:
    assert report(Account(results=[campaign()])) == "[]\n"


def test_the_fingerprint_is_the_same_where_a_line_moves() -> None:
    cx = ALL["double_charge"]
    moved = replace(cx, location="shop/agent.py:99 charge_order", id="AF-1")
    one, two = (issues(Account(results=[campaign(findings=(each,))])) for each in (cx, moved))
    assert one[0]["fingerprint"] == two[0]["fingerprint"]
    assert one[0]["location"] != two[0]["location"]


def test_many_causes_are_all_there() -> None:
    assert len(issues(many(300))) == 300


def test_effects_and_claims_are_critical_and_the_harness_is_minor() -> None:
    assert [severity(code) for code in ("AF101", "AF301", "AF204", "AF904")] == [
        "critical",
        "critical",
        "major",
        "minor",
    ]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_stays_text(payload: str) -> None:
    for one in issues(Account(results=results(payload))):
        check_text(one["description"], "")
        check_text(one["location"]["path"], "")
