"""A tool without deduplication is told once in a session, whatever number of tests use it."""

import json

import pytest

from .conftest import Project

TOOLS = """
from agentfuzz import Completion, fuzz, invariant, scenario


def declare(world, **how):
    @world.tool(effect="charge", scope=("order_id",), **how)
    def charge_card(order_id: str) -> dict:
        return {"charge_id": "ch_1"}


@scenario(task="Charge A17.")
def charge_order(world):
    declare(world)


@scenario(task="Charge B18.")
def charge_another(world):
    declare(world)


def careful(world):
    try:
        receipt = world.tools.charge_card(order_id="A17")
        return Completion.success(handle=receipt["charge_id"])
    except Exception:
        return Completion.blocked(reason="outcome_unknown")
"""
FIRST = """
from shop import *

@fuzz(charge_order)
def test_first(world):
    return careful(world)
"""
OTHERS = """
from shop import *

@fuzz(charge_order)
def test_second(world):
    return careful(world)

@fuzz(charge_another)
def test_third(world):
    return careful(world)
"""
WORSE = """
from shop import *

@fuzz(charge_order, only=("once/timeout", "twice"))
def test_worse(world):
    for _ in range(3):
        try:
            return Completion.success(handle=world.tools.charge_card(order_id="A17")["charge_id"])
        except Exception:
            continue
"""
OWN = """
from shop import *

@scenario(task="Charge C19.")
def charge_by_another_tool(world):
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str) -> dict:
        return {"charge_id": "ch_1"}

@fuzz(charge_by_another_tool)
def test_own(world):
    return careful(world)
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.file("shop.py", TOOLS)
    project.pytester.syspathinsert()
    return project


def report(project: Project) -> dict:
    return json.loads((project.path / "reports/agentfuzz/report.json").read_text())


def test_the_first_test_tells_it_and_the_others_are_counted(shop: Project) -> None:
    """One page, with all that the ledger's laws say; a line and a count for the others, in every
    report; nothing of theirs is saved."""
    shop.file("test_a.py", FIRST)
    shop.file("test_b.py", OTHERS)
    result = shop.run("--agentfuzz")
    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(
        [
            "AF102 charge_card ran 2x, expected 1",
            "note: AF102 charge_card: also met in 2 other tests (told once, in test_first)",
        ]
    )
    campaigns = {one["nodeid"]: one for one in report(shop)["campaigns"]}
    told = {"AF102 charge_card": "test_a.py::test_first"}
    assert campaigns["test_b.py::test_second"]["told"] == told
    assert campaigns["test_b.py::test_third"]["findings"] == []
    assert "told" not in campaigns["test_a.py::test_first"]
    line = "also met in 2 other tests"
    assert line in (shop.path / "reports/agentfuzz/index.html").read_text()
    assert line in (shop.path / "reports/agentfuzz/index.md").read_text()
    saved = [json.loads(p.read_text()) for p in (shop.path / ".agentfuzz").glob("AF-*.json")]
    assert {one["nodeid"] for one in saved} == {"test_a.py::test_first"}
    shop.run().assert_outcomes(failed=1, passed=2)


def test_what_else_a_test_finds_is_told(shop: Project) -> None:
    """A loop that charges again is found out in its own test, with a line that points there."""
    shop.file("test_a.py", FIRST)
    shop.file("test_b.py", WORSE)
    result = shop.run("--agentfuzz")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["AF101 charge_card ran 2x*", "*AF102 charge_card: as told in test_a.py::test_first"]
    )
    [other] = [one for one in report(shop)["campaigns"] if one["nodeid"].startswith("test_b")]
    codes = {json.loads((shop.path / f"reports/agentfuzz/{name}.json").read_text())["code"]
             for name in other["findings"]}  # fmt: skip
    assert codes == {"AF101"}


def test_the_line_that_points_there_is_wrapped(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a narrow terminal no line of it is longer than the terminal."""
    monkeypatch.setenv("COLUMNS", "60")
    name = "test_that_charges_the_card_of_an_order_once"
    shop.file("test_a.py", FIRST.replace("test_first", name))
    shop.file("test_b.py", WORSE)
    lines = shop.run("--agentfuzz").outlines
    (at,) = [n for n, line in enumerate(lines) if line == "  AF102 charge_card: as told in"]
    assert lines[at + 1] == f"  test_a.py::{name}"


def test_another_tool_of_that_name_is_another_tool(shop: Project) -> None:
    """Another body, another page; and each of two sessions tells it anew."""
    shop.file("test_a.py", FIRST)
    shop.file("test_c.py", OWN)
    shop.run("--agentfuzz").assert_outcomes(failed=2)
    shop.run("--agentfuzz", "test_c.py").assert_outcomes(failed=1)
    shop.run("--agentfuzz", "test_a.py").assert_outcomes(failed=1)


def test_a_loop_without_its_key_is_told_each_time(shop: Project) -> None:
    """Where the backend would recognise a repeat, the missing key is the bug of the loop."""
    shop.file("shop.py", TOOLS.replace("declare(world)\n", "declare(world, dedup='key')\n"))
    shop.file("test_a.py", FIRST)
    shop.file("test_b.py", OTHERS)
    shop.run("--agentfuzz").assert_outcomes(failed=3)


def test_what_is_replayed_is_judged(shop: Project) -> None:
    """A replay and a regression test fail for what they were made for, whoever has told it."""
    shop.file("test_b.py", OTHERS)
    shop.run("--agentfuzz", "test_b.py::test_third").assert_outcomes(failed=1)
    shop.file("test_a.py", FIRST)
    shop.file(
        "test_c.py",
        "from agentfuzz import regression\nfrom test_b import test_third as _it\n"
        "test_again = regression(_it, plan='charge_card#1:twice', code='AF102')\n",
    )
    shop.run().assert_outcomes(failed=2, passed=2)
    replayed = shop.run("--agentfuzz-replay=all")
    replayed.assert_outcomes(failed=1)
    result = shop.run("--agentfuzz")
    result.assert_outcomes(failed=2, passed=2)
    result.stdout.fnmatch_lines(["FAILED test_a.py::test_first*", "FAILED test_c.py::test_again*"])
    shop.run("test_a.py", "test_b.py").assert_outcomes(failed=1, passed=2)


@pytest.mark.slow
def test_under_xdist_it_is_told_once_too(shop: Project) -> None:
    """One failure and one line for all, whichever worker came first; and that test alone has
    something to replay."""
    many = "".join(OTHERS[OTHERS.index("@fuzz") :].replace("(world):", f"_{n}(world):")
                   for n in range(4))  # fmt: skip
    shop.file("test_b.py", OTHERS + many)
    done = shop.spawn("--agentfuzz", "-p", "xdist.plugin", "-n", "2", "--agentfuzz-max-runs=60")
    assert done.stdout.count("FAILED ") == 1, done.stdout
    assert "1 failed, 9 passed" in done.stdout
    assert "also met in 9 other tests" in done.stdout
    assert len(report(shop)["causes"]) == 1
    saved = [json.loads(p.read_text()) for p in (shop.path / ".agentfuzz").glob("AF-*.json")]
    assert len({one["nodeid"] for one in saved}) == 1
    shop.run().assert_outcomes(failed=1, passed=9)


@pytest.mark.slow
def test_under_xdist_what_else_a_test_finds_is_told(shop: Project) -> None:
    """The one that comes second fails by that alone, and says who tells the rest."""
    shop.file("test_a.py", WORSE)
    shop.file("test_b.py", WORSE.replace("test_worse", "test_bad"))
    some = ("-n", "2", "--dist=loadfile", "--agentfuzz-max-runs=60", "--junitxml=out.xml")
    done = shop.spawn("--agentfuzz", "-p", "xdist.plugin", *some)
    assert done.stdout.count("FAILED ") == 2, done.stdout
    assert done.stdout.count(": as told in test_") == 1
    assert "also met in 1 other test " in done.stdout
    junit = (shop.path / "out.xml").read_text()
    assert junit.count('message="AF101 ') == 2
    assert junit.count(": as told in test_") == 1


def test_a_test_that_is_expected_to_fail_tells_it_for_no_other(shop: Project) -> None:
    """Nothing of it is shown, so that a session would pass in which every test has the bug; and
    with another teller before it, it fails as expected."""
    expected = FIRST.replace("@fuzz", "@pytest.mark.xfail(strict=True)\n@fuzz")
    shop.file("test_a.py", f"import pytest\n{expected}")
    shop.file("test_b.py", OTHERS)
    result = shop.run("--agentfuzz")
    result.assert_outcomes(failed=1, passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["AF102 charge_card ran 2x, expected 1"])
    shop.run("--agentfuzz", "test_b.py", "test_a.py").assert_outcomes(failed=1, passed=1, xfailed=1)
