"""GitHub: annotations that a runner reads as they were meant, and a summary that is inert."""

from dataclasses import replace

import pytest

from agentfuzz.core.escaping import terminal
from agentfuzz.report.account import Account
from agentfuzz.report.formats.github import FORMAT, annotations
from agentfuzz.report.places import Places
from agentfuzz.report.step_summary import summary
from agentfuzz.report.write import ROOM

from .github_runner import Command, command, commands
from .hostile import PAYLOADS, results
from .samples import ALL, RESULTS, TOLD, campaign
from .test_hostile import check_lines, check_markdown, check_text


def many(number: int) -> Account:
    """As many causes: each has a law, a test and a plan of its own."""
    cx = ALL["double_charge"]
    found = tuple(
        replace(
            cx,
            id=f"AF-{nth:04}",
            nodeid=f"tests/test_a.py::test_{nth}",
            violation=replace(cx.violation, code=f"AF{nth + 1000}"),
        )
        for nth in range(number)
    )
    return Account(results=[campaign(findings=found)])


def test_the_runner_reads_what_was_meant() -> None:
    """File, line, title and message of a cause, from the one line that tells it."""
    first, second = map(command, annotations(TOLD))
    assert first == Command(
        "error",
        {
            "file": "shop/agent.py",
            "line": "31",
            "title": "agentfuzz AF101: charge_card ran 2x, expected 1",
        },
        "charge(order_id='A17') took effect 2 times: the agent called charge_card again.\n"
        "fault: call 1 of charge_card: delivered once, reply lost in a timeout\n"
        "hint: look up before calling again, or give charge_card an idempotency key\n"
        "test: tests/test_shop.py::test_billing_agent\n"
        "pytest --agentfuzz-replay AF-a78d",
    )
    assert second is not None
    assert second.properties["title"] == "agentfuzz AF204: ended without a completion event"


def test_a_cause_says_what_else_it_breaks_and_where_else_it_was_met() -> None:
    """It is told once: the laws, and how many places more."""
    cx = ALL["double_charge"]
    other = replace(cx, id="AF-1", violation=replace(cx.violation, code="AF106"))
    elsewhere = replace(cx, id="AF-2", nodeid="tests/test_b.py::test_other")
    (line,) = annotations(Account(results=[campaign(findings=(cx, other, elsewhere))]))
    told = command(line)
    assert told is not None
    assert "it breaks 2 laws: AF101, AF106\n" in told.data
    assert "and at 1 other place\n" in told.data


def test_a_finding_without_a_place_is_shown_at_its_test() -> None:
    """At the line where the test begins, if it is known."""
    nodeid = ALL["delivered_twice"].nodeid
    session = Account(
        results=[campaign("delivered_twice")],
        places=Places(inside="services/shop", lines={nodeid: 12}),
    )
    told = command(annotations(session)[0])
    assert told is not None
    assert told.properties["file"] == "services/shop/tests/test_shop.py"
    assert told.properties["line"] == "12"


def test_a_campaign_that_tested_nothing_is_an_error_at_its_test() -> None:
    """Its test fails, so it has an annotation; what else was not tested has none."""
    untested = ("AF801 no fault struck", "AF803 lookup was never called")
    (line,) = annotations(Account(results=[campaign(untested=untested)]))
    told = command(line)
    assert told is not None
    assert told.properties["title"] == "agentfuzz AF801"
    assert told.data == "AF801 no fault struck\ntests/test_shop.py::test_billing_agent"


@pytest.mark.parametrize(("number", "lines"), [(0, 0), (1, 1), (9, 9), (10, 10), (25, 10)])
def test_at_most_nine_and_one_that_counts_the_others(number: int, lines: int) -> None:
    """A runner takes ten errors of a step, and drops the rest in silence."""
    told = annotations(many(number))
    assert len(told) == lines
    if number > 9:
        last = command(told[-1])
        assert last is not None
        assert last.properties == {"title": f"agentfuzz: {number - 9} more"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_is_text_of_the_annotation(payload: str) -> None:
    """In every field: one command a line, with our properties alone, and the text is in it."""
    lines = annotations(Account(results=results(payload)))
    for line in lines:
        assert commands(line) == [command(line)]
        told = command(line)
        assert told is not None
        assert told.name == "error"
        assert set(told.properties) <= {"file", "line", "title"}
        assert told.properties.get("line", "1").isdigit()
        assert len(told.data) <= 4_096
        check_text(line, "")
        assert line.isprintable()
    shown = terminal(payload, multiline=True)[:100]
    assert any(shown in found.data for line in lines if (found := command(line)) is not None)


def test_percent_signs_come_through() -> None:
    """What looks like an escape of the runner's is one of ours."""
    cx = ALL["double_charge"]
    odd = "100%25 of 50%, %0A::error::x: a, b"
    hostile = replace(
        cx,
        violation=replace(cx.violation, title=odd, sentence=odd),
        location=f"a,b:%3A {odd.replace(':', '')}.py:7 f",
    )
    told = command(annotations(Account(results=[campaign(findings=(hostile,))]))[0])
    assert told is not None
    assert told.properties["title"] == f"agentfuzz AF101: {odd}"
    assert told.properties["file"].startswith("a,b:%3A 100%25")
    assert told.data.startswith(f"{odd}\n")


# The summary of a step -------------------------------------------------------------------


def test_the_summary_tells_what_the_session_found() -> None:
    """A verdict, what was not tested, a table, and for each cause its sequence and its replay."""
    page = summary(TOLD, ROOM)
    assert page.startswith("\n## agentfuzz: 2 findings in 2 campaigns, 9,645 runs\n")
    assert "- AF803 lookup was never called (`tests/test_shop.py::test_billing_agent`)" in page
    assert "| `AF101` | charge\\_card ran 2x, expected 1 |" in page
    assert "effect 2 = same intent" in page
    assert "```sh\npytest --agentfuzz-replay AF-a78d\n```" in page


def test_a_session_without_findings_has_a_summary_too() -> None:
    page = summary(Account(results=RESULTS[1:]), ROOM)
    assert page == "\n## agentfuzz: 0 findings in 1 campaign, 9,431 runs\n"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_in_the_summary_is_inert(payload: str) -> None:
    """No link, no image, no tag, no command."""
    page = summary(Account(results=results(payload)), ROOM)
    check_text(page)
    check_lines(page)
    check_markdown(page, ("h2", "h3"))


@pytest.mark.parametrize("room", [0, 100, 2_000, 20_000, 100_000])
def test_a_summary_is_never_longer_than_there_is_room_for(room: int) -> None:
    """Whole causes are left out, and counted; a page is not cut in the middle of a block."""
    session = many(300)
    page = summary(session, room)
    assert len(page.encode()) <= room
    if page:
        told = page.count("\n### ")
        assert page.endswith(f"\n{300 - told} more causes: see the reports.\n")
        assert page.count("```") == 4 * told
    assert bool(page) == (room >= 20_000)


@pytest.mark.parametrize("field", ["title", "sentence", "hint", "says", "world"])
def test_text_of_two_megabytes_hides_no_other_cause(field: str) -> None:
    """It is cut."""
    cx = ALL["double_charge"]
    huge = replace(cx, id="AF-1", violation=replace(cx.violation, **{field: "é|" * 1_000_000}))
    told = replace(TOLD, results=[campaign(findings=(huge, ALL["reworded"]))])
    page = summary(told, ROOM)
    assert len(page.encode()) < 50_000
    assert page.count("\n### ") == 2


def test_it_is_written_where_a_runner_of_github_is() -> None:
    assert (FORMAT.where, FORMAT.to, FORMAT.default) == (
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        False,
    )
