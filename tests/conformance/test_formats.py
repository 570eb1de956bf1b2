"""The table as text, JSON, Markdown, HTML and a badge: what it says, and that no text acts."""

import json
import re
import shlex
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from agentfuzz.conformance import badge, formats
from agentfuzz.conformance.formats import html, markdown, terminal
from agentfuzz.conformance.formats import json as as_json
from agentfuzz.conformance.table import Cell, Row, Table, headline
from agentfuzz.core.findings import LawCount, Level
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED
from tests.report.hostile import PAYLOADS
from tests.report.test_hostile import check_lines, check_page, check_text

KEPT = Row("saga", (Cell("at_most_once", HELD, runs=LawCount(9, 0, 1)),), 10, "exhausted", "all 9")
BROKEN = Row(
    "charge_order",
    (
        Cell("survives", HELD, runs=LawCount(7)),
        Cell(
            "exactly_once('charge')",
            VIOLATED,
            "AF101",
            "charge ran twice",
            "charge_card#1:once/timeout",
            LawCount(3, 4, 0),
        ),
        Cell("no_lost_update", NOT_EXERCISED, runs=LawCount(0, 0, 7)),
        Cell("bounded", VIOLATED, runs=LawCount(6, 1)),
    ),
    7,
    "max_runs",
    "7 of 9 plans with one fault",
    (Level("plans with one fault", 7, 9),),
    ("2 of 9 plans with one fault: stopped by max_runs",),
)
LEFT = Row("half_open_stream", why="without faults its effects are to be deploy")
TABLE = Table("mine:run", (BROKEN, LEFT, KEPT))


def hostile(payload):
    """A table in which every text is hostile."""
    cells = tuple(Cell(payload, one, payload, payload, payload) for one in (VIOLATED, HELD))
    return Table(
        payload,
        (
            Row(payload, cells, 3, payload, payload, (Level(payload, 1, 2),), (payload,)),
            Row(payload, why=payload),
        ),
    )


def check(page):
    """Harmless as every page; beside what others have, it links within itself and names cells."""
    soup = BeautifulSoup(page, "html.parser")
    for tag in soup.find_all(True):
        if re.fullmatch(r"#[A-Za-z0-9][A-Za-z0-9._-]*", str(tag.get("href", ""))):
            del tag["href"]
        if tag.name == "td" and tag.get("title"):
            check_text(tag["title"])
            del tag["title"]
    check_page(str(soup))
    check_text(page, "\n\t")


def test_headline():
    assert headline(TABLE) == (
        "broke no law in 1 of 2 stories (17 runs): 2 VIOLATED, 2 HELD, 1 NOT_EXERCISED"
    )


def test_terminal():
    """Each broken law with its plan, the others of a story together, what was not tried, what does
    not apply, the headline last."""
    assert terminal.told(TABLE) == [
        "story         runs  verdict         laws, and the smallest plan",
        "charge_order     7  VIOLATED AF101  exactly_once('charge')",
        "                                      charge_card#1:once/timeout",
        "                    VIOLATED        bounded",
        "                                      not confirmed",
        "                    HELD            survives",
        "                    NOT_EXERCISED   no_lost_update",
        "saga            10  HELD            at_most_once",
        "",
        "not applicable    why",
        "half_open_stream  without faults its effects are to be deploy",
        "",
        "charge_order: not tried: 2 of 9 plans with one fault: stopped by max_runs",
        "tried: plans with one fault, bursts and outages; plans with more faults were not",
        "mine:run: broke no law in 1 of 2 stories (17 runs): 2 VIOLATED, 2 HELD, 1",
        "NOT_EXERCISED",
    ]
    assert terminal.replay(TABLE) == [
        "replay: pytest --agentfuzz-loop mine:run --agentfuzz-replay "
        "'charge_order:charge_card#1:once/timeout'"
    ]


def test_json():
    """Every cell with what it came to, the plan and the command; what was not tried, what does not
    apply; the bytes are the same each time."""
    read = json.loads(as_json.text(TABLE))
    assert read["schema"] == "agentfuzz.conformance/1"
    assert read["verdicts"] == {"VIOLATED": 2, "HELD": 2, "NOT_EXERCISED": 1}
    first = read["stories"][0]
    assert (first["runs"], first["not_tried"]) == (7, list(BROKEN.untried))
    assert first["levels"] == [
        {"name": "plans with one fault", "done": 7, "total": 9, "skipped": 0}
    ]
    assert first["laws"][1] == {
        "law": "exactly_once('charge')",
        "verdict": "VIOLATED",
        "code": "AF101",
        "title": "charge ran twice",
        "plan": "charge_card#1:once/timeout",
        "replay": TABLE.command(BROKEN, BROKEN.cells[1]),
        "runs": {"held": 3, "violated": 4, "not_exercised": 0},
    }
    assert read["not_applicable"] == [{"story": "half_open_stream", "why": LEFT.why}]
    assert as_json.text(TABLE) == as_json.text(TABLE)


def test_markdown():
    page = markdown.page(TABLE)
    row = "| `charge_order` | 7 | `exactly_once('charge')` | **VIOLATED** AF101 |"
    assert f"{row} `charge_card#1:once/timeout` |\n" in page
    assert "|  |  | `no_lost_update` | NOT_EXERCISED |  |\n" in page
    assert "| `half_open_stream` | without faults its effects are to be deploy |" in page
    assert TABLE.command(BROKEN, BROKEN.cells[1]) in page


def test_html():
    """A grid of stories by laws, and the cells with plans and commands."""
    page = html.page(TABLE)
    assert 'title="exactly_once: VIOLATED" class="red"' in page
    assert 'title="at_most_once: HELD"' in page
    assert 'title="bounded: not asked"' in page
    assert "charge ran twice: <code>charge_card#1:once/timeout</code>" in page
    assert "Not tried: 2 of 9 plans with one fault: stopped by max_runs" in page
    check(page)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_acts(payload):
    """Names of loops, laws, stories and plans are shown, and nothing more."""
    table = hostile(payload)
    check(html.page(table))
    for width in (40, 80, 200):
        for line in [*terminal.told(table, width=width), *terminal.replay(table)]:
            check_text(line, "")
            check_lines(line)
    page = markdown.page(table)
    check_text(page)
    check_lines(page)
    shown = MarkdownIt("commonmark").enable("table").render(page)
    tags = {tag.name for tag in BeautifulSoup(shown, "html.parser").find_all(True)}
    assert not tags & {"a", "img", "script", "iframe", "b"}
    assert len(BeautifulSoup(shown, "html.parser").find_all("tr")) == 3 + 2
    assert json.loads(as_json.text(table))["stories"][0]["laws"]
    ElementTree.fromstring(badge.svg(table))
    json.dumps(badge.endpoint(table))


@pytest.mark.parametrize("payload", ["my tool#1:once/timeout", "a'b#1:twice", '"x y: z"#1:twice'])
def test_a_command_is_read_by_a_shell_as_it_was_meant(payload):
    """Whatever a tool is called, the shell hands on one word."""
    command = Table("m n:run").command(BROKEN, Cell("x", VIOLATED, plan=payload))
    assert shlex.split(command) == [
        "pytest",
        "--agentfuzz-loop",
        "m n:run",
        "--agentfuzz-replay",
        f"charge_order:{payload}",
    ]


@pytest.mark.parametrize(
    ("table", "message", "colour"),
    [
        (Table("x", (KEPT,)), "1/1 stories", "brightgreen"),
        (Table("x", (BROKEN, KEPT)), "1/2 stories (part)", "orange"),
        (Table("x", (BROKEN,)), "0/1 stories (part)", "red"),
        (Table("x", (LEFT,)), "nothing tested", "lightgrey"),
        (Table("x", (KEPT,), interrupted=True), "1/1 stories (part)", "lightgrey"),
    ],
)
def test_a_badge_says_no_more_than_the_table(table, message, colour):
    """Green is only what held as a whole; nothing is claimed where nothing was tested."""
    assert badge.endpoint(table) == {
        "schemaVersion": 1,
        "label": "agentfuzz",
        "message": message,
        "color": colour,
    }
    picture = ElementTree.fromstring(badge.svg(table))
    assert picture.get("aria-label") == f"agentfuzz: {message}"


def test_what_is_written(tmp_path):
    """Five files, whole, the page first."""
    written = formats.write(tmp_path / "reports", TABLE)
    assert [path.name for path in written] == [
        "conformance.html",
        "conformance.md",
        "conformance.json",
        "badge.svg",
        "badge.json",
    ]
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(
        path.name for path in written
    )
