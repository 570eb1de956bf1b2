"""The page of a finding in which words decided shows how often words mislead; no other does."""

import re
from collections import Counter
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

import agentfuzz
from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.closings import LANGUAGES, Closing, corpus
from agentfuzz.report import confusion
from agentfuzz.report.account import Account
from agentfuzz.report.formats import html, markdown
from agentfuzz.report.write import write
from agentfuzz.scenarios import resolve_ticket
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space
from agentfuzz.telling.causes import causes

from .hostile import PAYLOADS
from .samples import ALL
from .test_hostile import check_lines, check_markdown, check_page, check_text

SECTION = "How often the words mislead"


@pytest.fixture(scope="module")
def result():
    """What is found when the only fault is a reworded closing."""
    with Simulation() as simulation:
        campaign = Campaign(
            resolve_ticket.resolve_ticket,
            resolve_ticket.reads_prose,
            simulation,
            space=Space(only=("reword",)),
            budget=Budget(max_seconds=60, depth=1, deep_runs=0),
        )
        campaign.search()
        return campaign.result()


@pytest.fixture(scope="module")
def counted():
    """An independent count, by language, by feature and of all: what was said and what is true."""
    found: dict[str, Counter[tuple[bool, bool]]] = {}
    for one in corpus():
        words = re.split(r"\W+", one.text.lower())
        said = any(word in ("done", "complete", "completed", "finished") for word in words)
        language = f"{one.language} {LANGUAGES[one.language]}"
        for row in (language, "all", *(one.features or ("(none)",))):
            found.setdefault(row, Counter())[said, one.done] += 1
    return found


def row_of(count: Counter[tuple[bool, bool]]) -> list[str]:
    """A row of the table as it must be shown."""
    seen, missed = count[True, True], count[False, True]
    kept, taken = count[False, False], count[True, False]
    total = seen + missed + kept + taken
    numbers = [f"{number:,}" for number in (total, seen, missed, kept, taken)]
    return [*numbers, f"{100 * (missed + taken) / total:.0f} %"]


def test_the_page_of_the_regex_victim(result, counted, tmp_path: Path) -> None:
    """The law about words is broken; its page holds every row of the table, and no other."""
    finding = next(cx for cx in result.findings if cx.code == "AF304")
    assert str(finding.plan) == "model#3:reword"
    write(tmp_path, Account(results=[result]))
    told = next(one for one in causes(result.findings) if finding in one.findings)
    source = (tmp_path / f"{told.id}.html").read_text(encoding="utf-8")
    page = BeautifulSoup(source, "html.parser")
    (heading,) = [h2 for h2 in page.find_all("h2") if h2.get_text() == SECTION]
    section = heading.parent
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in section.select("tbody tr")]
    rows = [row for row in rows if len(row) > 2]  # the others are examples
    assert {row[0]: row[1:] for row in rows} == {name: row_of(n) for name, n in counted.items()}
    assert len(rows) == len(counted) > len(LANGUAGES)
    text = (tmp_path / f"{told.id}.md").read_text(encoding="utf-8")
    assert f"\n## {SECTION}\n" in text
    for name, count in counted.items():
        assert f"| {' | '.join([markdown.markdown(name), *row_of(count)])} |" in text


def test_the_corpus_is_large(counted) -> None:
    """At least 2,000 different closings, in eight languages."""
    assert len({one.text for one in corpus()}) >= 2_000
    assert len(LANGUAGES) == 8
    assert sum(counted["all"].values()) == len(list(corpus()))


def test_examples_are_wrong_both_ways(result) -> None:
    """Each example on the page is one that the detector misreads, one of each language and way."""
    truth = {one.text: one for one in corpus()}
    page = BeautifulSoup(html.finding(result.findings[0]), "html.parser")
    (heading,) = [h2 for h2 in page.find_all("h2") if h2.get_text() == SECTION]
    for title, done in (("Done, and missed", True), ("Not done, and taken for done", False)):
        (head,) = [one for one in heading.parent.find_all("caption") if one.get_text() == title]
        shown = [code.get_text() for code in head.parent.find_all("code")]
        assert [truth[text].language for text in shown] == list(LANGUAGES)
        assert all(truth[text].done is done for text in shown)
        assert all(bool(resolve_ticket.DETECTOR.search(text)) is not done for text in shown)


def test_every_finding_with_a_reworded_closing_has_it(result) -> None:
    """Whatever law it broke."""
    assert {cx.code for cx in result.findings} == {"AF101", "AF304"}
    for cx in (*result.findings, ALL["reworded"]):
        assert SECTION in html.finding(cx)
        assert SECTION in markdown.finding(cx)


@pytest.mark.parametrize("name", sorted(set(ALL) - {"reworded"}))
def test_no_other_finding_has_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is counted for a finding that words did not decide."""
    monkeypatch.setattr(confusion, "classic", lambda: pytest.fail("counted for nothing"))
    assert SECTION not in html.finding(ALL[name])
    assert SECTION not in markdown.finding(ALL[name])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_closings(payload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text, a language, a feature and the name of a detector are data on the page."""
    closings = [Closing(payload, payload, done, (payload,)) for done in (True, False)]
    for answer in (True, False):
        detector = lambda text, answer=answer: answer  # noqa: E731
        detector.__name__ = payload.replace("\0", "").encode("utf-8", "replace").decode()
        found = agentfuzz.confusion(detector, closings)
        assert found.premature or found.missed
        monkeypatch.setattr(confusion, "classic", lambda found=found: found)
        check_page(html.finding(ALL["reworded"]))
        text = markdown.finding(ALL["reworded"])
        check_text(text)
        check_lines(text)
        check_markdown(text)
        check_text(str(found))
        check_lines(str(found))


def test_a_detector_of_ones_own() -> None:
    """Public: a function of a text is asked about the whole corpus, and printed as a table."""

    def never(text: str) -> bool:
        return False

    found = agentfuzz.confusion(never)
    assert found.overall.total == found.overall.true_negatives + found.overall.false_negatives
    assert str(found) == confusion.table(found)
    assert str(found).startswith(f"never is wrong about {found.overall.false_negatives:,} of ")
