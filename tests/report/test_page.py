"""The page of a cause: what leads where, what each step tells, and what else it breaks."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup, Tag

from agentfuzz.core.plan import FaultPlan
from agentfuzz.report.formats import html
from agentfuzz.report.steps import steps
from agentfuzz.telling.causes import Cause
from agentfuzz.telling.story import tell

from .samples import ALL
from .test_agents import told

ONE = ALL["double_charge"]


def page(*findings: object) -> BeautifulSoup:
    return BeautifulSoup(html.cause(Cause(findings)), "html.parser")  # type: ignore[arg-type]


def step(soup: BeautifulSoup, number: int) -> dict[str, str]:
    """What a step tells, by name."""
    found = soup.select_one(f"#step-{number}")
    assert isinstance(found, Tag)
    return {
        one.find("dt").get_text(): one.find("dd").get_text().strip()  # type: ignore[union-attr]
        for one in found.find_all("div")
    }


@pytest.mark.parametrize("name", ALL)
def test_every_link_leads_somewhere(name: str) -> None:
    """From the sentence, the picture and the steps; every step has its anchor."""
    soup = page(ALL[name])
    ids = {tag["id"] for tag in soup.find_all(id=True)}
    links = {str(tag["href"]) for tag in soup.find_all("a") if str(tag["href"]).startswith("#")}
    assert {link[1:] for link in links} <= ids
    assert {f"step-{row.step}" for row in tell(ALL[name]).rows} <= ids
    proof = [f"#step-{row.step}" for row in tell(ALL[name]).rows if row.witness]
    assert [tag["href"] for tag in soup.select(".lead a")] == proof


def test_a_step_tells_where_what_and_what_came_of_it() -> None:
    """Source, arguments, reply and ledger; a call names its reply's step and a reply its call's."""
    soup = page(replace(ONE, called={"call_2": "shop/agent.py:31 charge"}))
    call, reply = step(soup, 4), step(soup, 5)
    assert call["called from"] == reply["called from"] == "shop/agent.py:31 charge"
    assert '"amount": 4200' in call["arguments"]
    assert "ch_2" in call["reply"]
    assert "ch_2" in reply["reply"]
    assert call["reply"].endswith("step 5")
    assert reply["answers"] == "charge_card#2step 4"
    assert call["same intent as"] == "step 1"
    assert call["ledger before"] == "charge-1  charge(order_id='A17')"
    assert len(call["ledger after"].split("\n")) == 2
    assert "called from" not in step(soup, 1)


def test_a_step_between_agents_tells_what_was_handed_over() -> None:
    """Who to whom, and what it carried."""
    history = told()
    opened = {one.row.step: dict(field[:2] for field in one.fields) for one in _steps(history)}
    assert opened[1]["from, to"] == "triage, billing"
    assert opened[2]["handoff"] == "handoff_1, arrival 1, version 1"


def _steps(history):  # type: ignore[no-untyped-def]
    return steps(history, tell(replace(ONE, history=history)).rows)


def test_the_laws_of_a_cause_are_told_with_their_sentences() -> None:
    """Named under the headline, each a link to what it says."""
    other = replace(
        ONE,
        id="AF-2",
        law="no_blind_repeat",
        violation=replace(ONE.violation, code="AF104", sentence="It called again <blindly>."),
    )
    soup = page(ONE, other)
    line = soup.select_one(".breaks")
    assert isinstance(line, Tag)
    assert line.get_text() == "Breaks 2 laws: AF101, AF104."
    told = [soup.select_one(str(link["href"])) for link in line.find_all("a")]
    assert ["It called again <blindly>." in one.get_text() for one in told if one] == [False, True]
    assert not page(ONE).select(".breaks")


def test_the_places_of_a_cause_bring_each_back() -> None:
    """Test, plan, laws and the line to type."""
    other = replace(ONE, id="AF-2", nodeid="t.py::test_b", plan=FaultPlan.parse("ship#1:twice"))
    places = [place.get_text() for place in page(ONE, other).select(".places > li")]
    assert len(places) == 2
    for part in ("t.py::test_b", "ship#1:twice", "AF101", "pytest --agentfuzz-replay AF-2"):
        assert part in places[1]
    assert not page(ONE).select(".places")


def test_the_source_is_told_without_its_margin() -> None:
    """What all lines begin with is left out; the numbers stay."""
    source = ("  29              try:", "> 30                  pay()", "  31")
    (shown,) = page(replace(ONE, source=source)).select(".source")
    assert shown.get_text() == "  29  try:\n> 30      pay()\n  31"


def test_a_filter_only_where_there_is_something_to_hide() -> None:
    """Turns of a model; no saves, no switch for them."""
    assert [tag["id"] for tag in page(ALL["reworded"]).select("input")] == ["turns", "open"]
    assert [tag["id"] for tag in page(ONE).select("input")] == ["open"]
