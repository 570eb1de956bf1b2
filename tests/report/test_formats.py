"""Markdown, JSON and HTML beyond their golden bytes."""

import json
import re

import pytest
from bs4 import BeautifulSoup

from agentfuzz.core import codec
from agentfuzz.report.formats import html, markdown
from agentfuzz.report.formats import json as json_format
from agentfuzz.report.steps import steps as steps_of
from agentfuzz.telling.story import tell

from .samples import ALL, RESULTS, campaign, cut_off


@pytest.mark.parametrize("name", ALL)
def test_all_formats_tell_the_same_story(name: str) -> None:
    """Title, sentence and replay line are in each of them."""
    cx = ALL[name]
    story = tell(cx)
    page = BeautifulSoup(html.finding(cx), "html.parser").get_text()
    read = json.loads(json_format.text(json_format.finding(cx)))
    assert read["title"] == story.title
    for text in (story.sentence, story.replay, story.hint):
        assert text in page
        assert text in read.values()
    assert story.replay in markdown.finding(cx)


@pytest.mark.parametrize("name", ALL)
def test_a_finding_holds_its_whole_history(name: str) -> None:
    """What was written reads back to the same events."""
    cx = ALL[name]
    read = json.loads(json_format.text(json_format.finding(cx)))
    assert codec.history_from_json(read).events == cx.history.events
    assert codec.digest(codec.history_from_json(read)) == codec.digest(cx.history)
    again = codec.history_from_json({**read, "events": read["baseline"]})
    assert again.events == cx.baseline.events


def test_effects_name_their_twin() -> None:
    """The second charge says which one it repeats."""
    effects = json_format.finding(ALL["double_charge"])["effects"]
    assert [effect.get("same_as") for effect in effects] == [None, "charge-1"]


def test_a_session_holds_no_durations() -> None:
    """Two sessions of other speed write the same bytes."""
    slow, fast = campaign("double_charge", seconds=9.1), campaign("double_charge", seconds=0.2)
    for write in (lambda r: json_format.text(json_format.run(r)), html.index, markdown.index):
        assert write([slow]) == write([fast])


def test_complete_and_exit_code() -> None:
    """A session is complete when every campaign was exhausted."""
    assert json_format.run([campaign()])["complete"] is True
    run = json_format.run(RESULTS, 1)
    assert (run["complete"], run["stopped"], run["exit_code"], run["seed"]) == (
        False,
        ["exhausted", "max_runs"],
        1,
        7,
    )
    assert json_format.run([campaign(), campaign(seed=8)])["seed"] is None


@pytest.mark.parametrize("name", ALL)
def test_a_page_is_accessible_without_its_picture(name: str) -> None:
    """Language, a named picture with a description, and a table of the same rows."""
    soup = BeautifulSoup(html.finding(ALL[name]), "html.parser")
    assert soup.html is not None
    assert soup.html["lang"] == "en"
    assert len(soup.find_all("h1")) == 1
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    pictures = soup.find_all("svg")
    assert len(pictures) == (2 if ALL[name].plan else 1)
    assert [picture["role"] for picture in pictures] == ["group", "img"][: len(pictures)]
    for picture in pictures:
        assert {picture["aria-labelledby"], picture["aria-describedby"]} <= set(ids)
    table = soup.select("figure:first-of-type table.rows > tbody > tr")
    assert len(table) == len(tell(ALL[name]).rows)
    assert len(soup.select(".steps > li")) == len(tell(ALL[name]).rows)


def test_a_page_needs_nothing_from_outside() -> None:
    """No script, no address but the pages beside it, no style from elsewhere."""
    for page in (html.finding(ALL["double_charge"]), html.index(RESULTS)):
        assert not re.search(r"(?i)<script|https?:|url\(|@import|src=", page)


def test_the_ledger_of_a_step_is_the_one_before_and_after_it() -> None:
    """Before and after differ where an effect was committed, and only there."""
    cx = ALL["double_charge"]
    steps = steps_of(cx.history, tell(cx).rows)
    assert [len(step.after) - len(step.before) for step in steps] == [1, 0, 0, 1, 0, 0]


def test_a_very_long_run_is_a_page_of_bearable_size() -> None:
    """The picture is elided, the table is whole."""
    page = html.finding(cut_off(500))
    assert len(page) < 2_000_000
    assert "rows left out, all in the table" in page
    assert page.count("<tr") > 1000
