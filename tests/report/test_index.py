"""The index of a session: causes first, the verdict, and what was tried, with nothing lost."""

import re
from dataclasses import replace
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from agentfuzz.core.faults import Slot
from agentfuzz.core.findings import CampaignResult, LawCount
from agentfuzz.core.matrix import Cell, Matrix, Row
from agentfuzz.report.details import details
from agentfuzz.report.formats import html, markdown
from agentfuzz.report.grid import LARGE, WIDE, grids
from agentfuzz.report.index import tell

from .samples import ALL, MATRIX, RESULTS, campaign

NODEID = "tests/test_shop.py::test_billing_agent"


def page(*results: CampaignResult) -> BeautifulSoup:
    return BeautifulSoup(html.index(results), "html.parser")


def cells(table: Tag) -> dict[tuple[str, str], Tag]:
    """Slot and kind of a grid to what stands there."""
    kinds = [head.get_text() for head in table.select("thead th")][1:]
    found = {}
    for row in table.select("tbody tr"):
        name = row.select_one("th")
        assert name is not None
        for kind, cell in zip(kinds, row.select("td"), strict=True):
            found[name.get_text(), kind] = cell
    return found


def many(names: int, calls: int) -> Matrix:
    """So many tools, each called so often."""
    kinds = {"write": ("once/timeout", "twice")}
    rows = [
        Row(Slot("tool", f"tool_{n}", nth), "write", {"twice": Cell(alone=1, beside=nth)})
        for n in range(names)
        for nth in range(1, calls + 1)
    ]
    return Matrix(kinds, tuple(rows))


# Causes and the verdict -------------------------------------------------------------------


def test_causes_come_first_and_both_are_counted() -> None:
    """One card for each cause, with the laws that it breaks; what was not tested comes after."""
    cx = ALL["double_charge"]
    also = replace(cx, id="AF-0106", violation=replace(cx.violation, code="AF106"))
    elsewhere = replace(cx, id="AF-0b", nodeid="tests/test_shop.py::test_b")
    one = campaign(findings=(cx, also))
    shown = page(one, campaign(nodeid=elsewhere.nodeid, findings=(elsewhere,)))
    assert shown.h1 is not None
    assert shown.h1.get_text() == "1 cause, 3 findings"
    titles = [head.get_text() for head in shown.select("h2")]
    assert titles == ["Causes", "Verdict", "What was tried", "Replay"]
    (card,) = shown.select("ol.cards > li")
    text = card.get_text(" ", strip=True)
    assert "Breaks 2 laws: AF101, AF106." in text
    assert "Call 1 of charge_card: delivered once, reply lost in a timeout" in text
    assert "1 other place" in text
    assert elsewhere.nodeid in text
    assert card.a is not None
    assert card.a["href"] == "AF-a78d.html"


@pytest.mark.parametrize(
    ("results", "headline", "said"),
    [
        ([], "No campaign was run", []),
        (
            [campaign(untested=("AF801 nothing was tested: no fault could strike",))],
            "Nothing was tested",
            ["The test tested nothing: that is no pass."],
        ),
        ([campaign()], "No finding", ["The test kept every law that came into play."]),
        (
            [campaign("double_charge"), campaign(nodeid="b"), campaign(nodeid="c")],
            "1 finding",
            ["1 of 3 tests broke a law.", "2 of 3 tests kept every law that came into play."],
        ),
        (
            [campaign(stopped="max_time"), campaign(nodeid="b", stopped="max_time")],
            "No finding",
            [
                "All 2 tests kept every law so far.",
                "max_time ended 2 campaigns before everything was run.",
            ],
        ),
    ],
)
def test_the_verdict(results: list[CampaignResult], headline: str, said: list[str]) -> None:
    """A pass that tested nothing is none, and one that was cut short says so."""
    told = tell(results)
    assert told.headline == headline
    assert list(told.verdict)[: len(said)] == said
    text = markdown.index(results)
    assert text.startswith(f"# agentfuzz: {headline}\n")
    shown = page(*results)
    assert shown.h1 is not None
    assert shown.h1.get_text() == headline
    assert all(line in shown.get_text() for line in said)


def test_what_is_fixed_comes_first() -> None:
    """Before any cause, and not once more among the notes."""
    fixed = "replayed saved finding AF-0123: fixed"
    results = [campaign("double_charge"), campaign(nodeid="b", notes=(fixed, "another note"))]
    told = tell(results)
    assert [one.text for one in told.fixed] == [fixed]
    assert [one.text for one in told.notes] == ["another note"]
    text = markdown.index(results)
    assert text.index("## Fixed") < text.index("## Causes")
    shown = page(*results)
    titles = [head.get_text() for head in shown.select("h2")]
    assert titles[:2] == ["Fixed", "Causes"]
    assert shown.get_text().count(fixed) == 1


def test_warnings_are_a_line_each_that_opens() -> None:
    """The same of several tests is said once, with their names; nothing is lost."""
    lost = "AF804 refund was never called"
    results = [
        campaign(nodeid=f"tests/test_shop.py::test_{n}", untested=(lost, f"AF803 {n}"))
        for n in range(5)
    ]
    results[0] = replace(results[0], escapes=("AF905 escapes control: a thread",))
    shown = page(*results)
    summaries = [one.get_text() for one in shown.select(".warnings summary")]
    assert summaries == ["Not tested: 6 things", "Escapes control: 1 thing"]
    first, *_ = shown.select(".warnings li")
    assert " ".join(first.get_text(" ").split()) == f"{lost} test_0 test_1 test_2 test_3 test_4"
    text = markdown.index(results)
    assert text.count(lost) == 1
    assert "- AF803 4 (`test_4`)" in text


def test_laws_are_a_bar_and_a_table() -> None:
    """Held, broken and not exercised are counted, and each law stands by its name."""
    laws = {
        "a": LawCount(5, 0, 1),
        "b": LawCount(5, 1, 0),
        "c": LawCount(0, 0, 6),
        "d": LawCount(6, 0, 0),
    }
    shown = page(campaign(laws=laws))
    (bar,) = shown.select("svg.bar")
    assert bar["aria-label"] == "2 laws held, 1 broken, 1 not exercised"
    assert [rect["width"] for rect in bar.select("rect")] == ["2", "1", "1"]
    assert "2 laws held, 1 broken, 1 not exercised" in markdown.index([campaign(laws=laws)])
    for name, count in laws.items():
        row = next(r for r in shown.select("tr") if r.td is not None and r.td.get_text() == name)
        numbers = [cell.get_text() for cell in row.select("td.num")]
        assert numbers == [str(count.held), str(count.violated), str(count.not_exercised)]


def test_commands_can_be_copied() -> None:
    """Each in a block of its own, as it is typed."""
    lines = [one.get_text() for one in page(*RESULTS).select(".commands pre")]
    assert "pytest --agentfuzz-replay all" in lines
    assert "pytest --agentfuzz-export AF-a78d" in lines
    assert "pytest --agentfuzz --agentfuzz-seed 7" in lines


# The matrix -------------------------------------------------------------------------------


def test_every_cell_says_what_came_of_it() -> None:
    """In words as well as by a sign; what broke is a link to its page."""
    tools, model = page(campaign("double_charge", "reworded")).select("table.grid")
    found = cells(tools)
    said = {key: cell.get_text(" ", strip=True) for key, cell in found.items()}
    assert said["charge_card#1", "once/timeout"] == (
        "AF101 AF106 breaks AF101 in 2 runs, AF106 in 1 run, of 2 runs alone; with others in 9 runs"
    )
    assert said["charge_card#1", "twice"] == (
        "\u2713 every law held in 1 run; with others in 20 runs"
    )
    assert said["charge_card#1", "late/timeout"].startswith("+ AF301 breaks AF301 in 1 run with")
    assert said["charge_card#2", "twice"].endswith("struck only with others, in 3 runs")
    assert said["charge_card#2", "once/timeout"].endswith("only other faults lead here")
    assert said["lookup#1", "once/timeout"].startswith("= no difference in 1 run")
    assert said["lookup#1", "once/hostile"].endswith("can do nothing here")
    assert said["ship#1", "twice"] == "? not tried"
    assert said["lookup#1", "twice"] == ""  # nothing that may strike there
    links = [a["href"] for a in found["charge_card#1", "once/timeout"].select("a")]
    assert links == ["AF-a78d.html"] * 2  # the second law breaks under the same plan
    (link,) = cells(model)["model#2", "reword"].select("a")
    assert link["href"] == "AF-f204.html"


def test_a_law_without_a_page_is_no_link() -> None:
    """What another test tells is linked there; what nobody tells, nowhere."""
    alone = page(campaign(nodeid="tests/test_b.py::test_b"))
    assert not alone.select("table.grid a")
    told = campaign(nodeid="tests/test_b.py::test_b", told={"AF101 charge": NODEID})
    both = page(campaign("double_charge"), told)
    grid = both.select("table.grid")[2]
    assert [a["href"] for a in grid.select("a")] == ["AF-a78d.html"]


def test_the_legend_explains_the_signs_that_are_there() -> None:
    """Each once, and no other."""
    shown = page(campaign())
    signs = [one.get_text() for one in shown.select(".legend b")]
    assert signs == ["AF101", "+AF101", "?", "\u00b7", "\u2713", "(\u2713)", "=", "\u2013"]
    held = Matrix({}, (Row(Slot("tool", "a", 1), "write", {"twice": Cell(alone=1)}),))
    assert [one.get_text() for one in page(campaign(matrix=held)).select(".legend b")] == ["\u2713"]


def test_slots_of_which_the_same_is_said_are_one_line() -> None:
    """As long as they follow each other; another call of the same tool is another line."""
    rows = [
        Row(Slot("tool", "a", nth), "write", {} if nth != 3 else {"twice": Cell(beside=1)}, True)
        for nth in (1, 2, 3, 4, 5, 7)
    ]
    (grid,) = grids(campaign(matrix=Matrix({"write": ("twice",)}, tuple(rows))))
    assert [line.name for line in grid.lines] == ["a#1 to #2", "a#3", "a#4 to #5", "a#7"]


def test_a_large_matrix_is_told_by_name_and_opens() -> None:
    """Every slot is there, once."""
    small = campaign(matrix=many(2, LARGE // 2))
    assert len(page(small).select("table.grid")) == 1
    large = campaign(matrix=many(3, LARGE // 2))
    whole, *parts = page(large).select("table.grid")
    assert {name for name, _ in cells(whole)} == {"tool_0", "tool_1", "tool_2"}
    assert "held: 20 slots" in cells(whole)["tool_1", "twice"].get_text()
    assert "not tried: 20 slots" in cells(whole)["tool_1", "once/timeout"].get_text()
    assert all(part.find_parent("details") is not None for part in parts)
    slots = [name for part in parts for name, kind in cells(part) if kind == "twice"]
    assert slots == [f"tool_{n}#{nth}" for n in range(3) for nth in range(1, 21)]


def test_many_names_are_folded() -> None:
    """A thousand agents, each handed to once: a line to open, and each of them once."""
    shown = page(campaign(matrix=many(LARGE + 1, 1)))
    (grid,) = shown.select("table.grid")
    fold = grid.find_parent("details")
    assert fold is not None
    assert fold.summary is not None
    assert fold.summary.get_text() == "Tool calls: 41 names"
    assert "every law held in 1 run; with others" in cells(grid)["tool_7", "twice"].get_text()
    assert len({name for name, _ in cells(grid)}) == LARGE + 1


def test_many_kinds_are_several_tables() -> None:
    """As many at a time as a table holds."""
    kinds = tuple(f"kind_{n}" for n in range(WIDE + 3))
    matrix = Matrix({"g": kinds}, (Row(Slot("tool", "a", 1), "g", {}),))
    first, second = page(campaign(matrix=matrix)).select("table.grid")
    shown = [kind for table in (first, second) for _, kind in cells(table)]
    assert sorted(shown) == sorted(kinds)
    assert len(cells(second)) == 3


def test_the_process_is_one_table() -> None:
    """Wherever it dies."""
    cell = {"crash": Cell(alone=1)}
    rows = [
        Row(Slot(boundary, name, 1), "process write", cell)
        for boundary, name in (("process", "pay"), ("store", "cursor"), ("turn", ""), ("end", ""))
    ]
    (grid,) = grids(campaign(matrix=Matrix({}, tuple(rows))))
    assert grid.title == "The agent's process"
    assert [line.name for line in grid.lines] == [
        "process:pay#1", "store:cursor#1", "turn#1", "end#1",
    ]  # fmt: skip


def test_markdown_says_the_same_shorter() -> None:
    """Name by name: what broke by its kinds, all else counted."""
    text = markdown.index([campaign()])
    assert "- `lookup`: no difference: 1; can do nothing: 1" in text
    assert "- `charge_card`: `AF101` under `once/timeout`; `AF106` under `once/timeout`" in text
    assert "`AF301` with another fault under `late/timeout`; held: 1" in text
    assert "- `ship`: not tried: 3" in text


def test_the_terminal_says_it_by_name() -> None:
    """With -vv: kinds down, names across."""
    lines = [re.split(r"  +", line) for line in details(campaign())]
    assert ["Tool calls", "charge_card", "lookup", "ship"] in [sorted_names(one) for one in lines]
    assert any(one[:2] == ["twice", "held"] for one in lines)
    assert any(one[0] == "once/timeout" and "AF101 AF106" in one for one in lines)


def sorted_names(line: list[str]) -> list[str]:
    return [line[0], *sorted(line[1:])]


@pytest.mark.parametrize("outcome", ["broken", "together", "held", "beside", "same", "idle"])
def test_the_samples_show_every_outcome(outcome: Any) -> None:
    """So that the golden pages do."""
    assert outcome in {cell.outcome for _, _, cell in MATRIX.cells()}
