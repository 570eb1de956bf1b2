"""The terminal block and the summary."""

import subprocess
import sys
from dataclasses import replace

import pytest

from agentfuzz.core.lanes import layout
from agentfuzz.core.lanes.row import Row
from agentfuzz.report.formats import terminal

from .samples import ALL, RESULTS, campaign, cut_off


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_asked_for(name: str, width: int, ascii_only: bool) -> None:
    """80 columns are a law, 40 too; but what is pasted is one line."""
    lines = terminal.blocks([ALL[name]], ascii_only=ascii_only, width=width).split("\n")
    pasted = [line for line in lines if line[11:].startswith("pytest ")]
    assert len(pasted) == 3
    assert max(layout.cells(line) for line in lines if line not in pasted) <= width
    assert not any(line != line.rstrip() for line in lines)
    assert not ascii_only or all(map(str.isascii, lines))


@pytest.mark.parametrize("width", [40, 80])
def test_the_summary_fits_and_has_one_headline(width: int) -> None:
    """Campaigns, runs, faults, seconds, findings, seed."""
    lines = terminal.summary(RESULTS, report="reports/agentfuzz/index.html", width=width)
    assert max(map(layout.cells, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "2 campaigns, 9,645 runs, 1,224 faults struck, 18.2 s: 2 findings." in text
    assert "not tested: AF803 lookup was never called (test_billing_agent)" in text
    assert "clean run: 1 tool call, 1 effect, ended success (test_careful_agent)" in text
    assert "held: structured_termination (test_careful_agent)" in text
    assert text.endswith("report: reports/agentfuzz/index.html")


def test_what_is_fixed_comes_before_everything_else() -> None:
    """Also where only the headline is shown."""
    lines = terminal.summary(RESULTS, report=None)
    assert lines[0] == "note: replayed saved finding AF-77aa: fixed (test_careful_agent)"
    assert lines[1].startswith("2 campaigns, ")
    assert sum("AF-77aa" in line for line in lines) == 1


def test_what_is_true_of_several_tests_is_said_once() -> None:
    """With the tests, or how many they are; of what held, three lines are enough."""
    about = {
        "untested": ("AF802 no_overwrite never came into play",),
        "unjudged": ("charge: no law asks how often",),
        "escapes": ("AF905 a thread of its own",),
    }
    some = [campaign(nodeid=f"test_{n}", clean=f"clean run: {n} tool calls", **about) for n in "ab"]
    lines = terminal.summary(some, report=None)
    for text in (
        "not tested: AF802 no_overwrite never came into play (test_a, test_b)",
        "not judged: charge: no law asks how often (test_a, test_b)",
        "warning: AF905 a thread of its own (test_a, test_b)",
        "clean run: a tool calls (test_a)",
    ):
        assert lines.count(text) == 1
    many = [
        campaign(nodeid=f"test_{n}", clean=f"clean run: {n} tool calls", **about) for n in range(5)
    ]
    lines = terminal.summary(many, report=None)
    assert "warning: AF905 a thread of its own (5 tests)" in lines
    assert "clean run: 2 tool calls (test_2)" in lines
    assert "clean run: 2 more with -vv" in lines


def test_what_is_not_confirmed_is_one_note() -> None:
    notes = [
        f"{seen}, and not confirmed: max_time was up"
        for seen in (
            "AF204 completion: seen under model#3:no_done",
            "AF301 claim: seen under charge#1:lost/ambiguous",
        )
    ]
    lines = terminal.summary([campaign(notes=tuple(notes))], report=None, width=200)
    assert (
        "note: seen, and not confirmed, max_time was up: AF204 completion (model#3:no_done); "
        "AF301 claim (charge#1:lost/ambiguous)" in lines
    )
    assert sum("AF204 completion" in line for line in lines) == 1


def test_of_what_broke_nothing_is_said_to_have_held() -> None:
    text = "\n".join(terminal.summary([campaign("double_charge")], report=None))
    assert "held: " not in text
    assert "clean run" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_names_of_tests_are_whole_where_a_line_has_room_for_them(width: int) -> None:
    """A line of their own, if need be; nothing else is cut."""
    name = "test_that_a_hasty_agent_charges_once"
    cx = replace(ALL["double_charge"], nodeid=f"tests/test_shop.py::{name}")
    lines = terminal.summary([campaign(nodeid=cx.nodeid, findings=(cx,))], report=None, width=width)
    text = " ".join(" ".join(lines).split())
    assert text.count(name) == 2 * (width > 40)
    assert "charge_card ran 2x, expected 1" in text
    assert "300 random plans" in text
    assert max(map(layout.cells, lines)) <= width


def test_notes_of_a_sequence_have_lines_of_their_own_in_a_narrow_terminal() -> None:
    """What says that it is the same intent is the last to go."""
    lines = terminal.blocks([ALL["double_charge"]], width=60).split("\n")
    (twin,) = [n for n, line in enumerate(lines) if line.endswith("effect 2 = same intent")]
    assert lines[twin - 1].endswith("commit charge-2")
    assert max(map(layout.cells, lines)) <= 60


def test_a_session_without_findings_or_without_campaigns() -> None:
    """Nothing to report is said in one line."""
    assert terminal.summary([], report=None) == ["no campaign was run"]
    lines = terminal.summary([campaign(untested=())], report=None)
    assert "0 findings" in lines[0]
    assert lines[-1].strip()


def test_a_number_in_a_table_stays_as_written() -> None:
    """A test named 1e5 is no number."""
    assert any("1e5" in line for line in terminal.summary([campaign(nodeid="1e5")], report=None))


def test_a_long_sequence_is_elided_in_the_middle_and_keeps_what_matters() -> None:
    """At most 40 lines; the fault, the end and the witness are among them."""
    cx = cut_off(400)
    lines = terminal.blocks([cx]).split("\n")
    assert len(lines) < 40 + 25
    assert sum("rows left out" in line for line in lines) == 1
    assert any(line.startswith("  !") for line in lines)
    assert any("cut off budget" in line for line in lines)


def test_elision_counts_every_row() -> None:
    """Shown and left out add up."""
    assert layout.chosen([], 5) == []
    many = [Row(float(i), "reply", mark=i in (50, 70), seqs=[i]) for i in range(100)]
    shown = layout.chosen(many, 20)
    assert len(shown) <= 20
    left_out = sum(item for item in shown if isinstance(item, int))
    kept = [item for item in shown if isinstance(item, Row)]
    assert left_out + len(kept) == 100
    assert {50.0, 70.0} <= {row.t for row in kept}


def test_wide_letters_count_twice() -> None:
    """East Asian letters take two columns, combining marks none."""
    assert layout.cells("東京") == 4
    assert layout.cells("e\u0301") == 1
    assert layout.cells(layout.cut("東" * 50, 20)) <= 20
    assert all(layout.cells(line) <= 10 for line in layout.wrap("東" * 50, 10))


def test_reports_load_neither_pytest_nor_heavy_packages() -> None:
    """Importing the paper imports no Jinja2, no tabulate, no pytest, no Hypothesis."""
    code = (
        "import sys, agentfuzz.report.formats.terminal, agentfuzz.report.write; "
        "print([m for m in ('pytest', 'hypothesis', 'jinja2', 'tabulate') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
