"""--agentfuzz-strict: what a campaign left open fails its test."""

import pytest

from .conftest import Project
from .sources import FIXED

IDLE = """
from agentfuzz import Completion, exactly_once, fuzz, same_key_on_retry, scenario


@scenario(exactly_once("charge"), same_key_on_retry(), task="Charge A17.")
def charge_order(world):
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str) -> str:
        return "ok"

    @world.tool
    def look_up(order_id: str) -> str:
        return "ok"


@fuzz(charge_order, only=("once/timeout", "twice"))
def test_idle(world):
    try:
        world.tools.charge_card(order_id="A17")
    except TimeoutError:
        return Completion.blocked()
    return Completion.success(handle="A17")
"""
STRICT = "--agentfuzz-strict"


def test_a_law_and_a_tool_that_never_came_into_play(project: Project) -> None:
    """AF802 of a declared law and AF804 fail, one line each, and say how to relax."""
    project.file("test_idle.py", IDLE)
    project.campaign().assert_outcomes(passed=1)
    result = project.campaign(STRICT)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "strict: not everything was tested",
            "  AF802 same_key_on_retry was never exercised; *",
            "  AF804 look_up was never called; *",
            "  to let this pass: --no-agentfuzz-strict, or agentfuzz_strict = false*",
            "FAILED test_idle.py::test_idle - AF802 same_key_on_retry was never *",
        ]
    )


OUTAGES = """
from agentfuzz import Completion, at_most_once, fuzz, scenario


@scenario(at_most_once("charge"), task="Charge A17.")
def charge_order(world):
    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str) -> str:
        return "ok"


@fuzz(charge_order, only=("timeout",), exclude=("late", "twice"))
def test_tries(world):
    for _ in range(3):
        try:
            world.tools.charge_card(order_id="A17")
            return Completion.success(handle="A17")
        except TimeoutError:
            continue
    return Completion.blocked()
"""


def test_bursts_are_plans_with_one_fault(project: Project) -> None:
    """Two plans with one fault, and four that last: with four runs for them the last are left."""
    project.file("test_outages.py", OUTAGES)
    left = project.run("--agentfuzz", "--agentfuzz-depth=1", "--agentfuzz-max-runs=6", STRICT)
    left.assert_outcomes(failed=1)
    left.stdout.fnmatch_lines(
        ["  bursts and outages: * of * were run, stopped by max_runs; raise --agentfuzz-max-runs"]
    )
    project.run("--agentfuzz", "--agentfuzz-depth=1", STRICT).assert_outcomes(passed=1)


def test_what_would_change_it_is_what_bounds_the_campaign(project: Project) -> None:
    """An option changes nothing where the test has a bound of its own, nor that of one campaign
    where all of them together have one."""
    project.file(
        "test_own.py", OUTAGES.replace("@fuzz(charge_order, ", "@fuzz(charge_order, max_runs=4, ")
    )
    result = project.run("--agentfuzz", "--agentfuzz-max-runs=1000", STRICT)
    result.stdout.fnmatch_lines(["  * stopped by max_runs; raise max_runs= of this test"])


INPUTS = """
from hypothesis import strategies as st

from agentfuzz import Completion, fuzz, scenario, at_most_once


@scenario(at_most_once("charge"), task="Charge it.", given={"order": st.integers(0, 10_000)})
def charge_order(world):
    @world.tool(effect="charge", scope=("order",), dedup="scope")
    def charge_card(order: int) -> str:
        return "ok"


@fuzz(charge_order, only=("once/timeout", "twice"))
def test_tries(world):
    try:
        world.tools.charge_card(order=world.data["order"])
    except TimeoutError:
        return Completion.blocked()
    return Completion.success(handle="ok")
"""


def test_other_inputs_that_a_budget_left_out(project: Project) -> None:
    """A budget that ended before the few other inputs were tried fails, and says of how many."""
    project.file("test_inputs.py", INPUTS)
    project.campaign(STRICT, "--agentfuzz-max-runs", "2000").assert_outcomes(passed=1)
    result = project.campaign(STRICT, "--agentfuzz-max-runs", "50")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["  * other inputs: * of 3, when the budget ended*; raise --agentfuzz-max-runs"]
    )


def test_depth_one_is_not_complete(project: Project) -> None:
    """A campaign that its budget ended before every plan with one fault, or that was told to walk
    none, fails."""
    project.file("test_shop.py", FIXED.replace(', only=("once/timeout", "twice")', ""))
    result = project.run("--agentfuzz", "--agentfuzz-max-runs=5", STRICT)
    result.stdout.fnmatch_lines(
        ["  plans with one fault: * of * were run, stopped by max_runs; raise --agentfuzz-max-runs"]
    )
    result = project.run("--agentfuzz", "--agentfuzz-depth=0", STRICT)
    result.stdout.fnmatch_lines(["  plans with one fault were not run: raise --agentfuzz-depth*"])


def test_nothing_is_left_open(project: Project) -> None:
    """A campaign that did it all passes; laws that nobody declared count for nothing; and the
    single run without --agentfuzz is never strict."""
    project.file("test_shop.py", FIXED)
    project.campaign(STRICT).assert_outcomes(passed=1)
    undeclared = IDLE.replace('exactly_once("charge"), same_key_on_retry(), ', "")
    reads = undeclared.replace('effect="charge", scope=("order_id",), dedup="scope"', "")
    reads = reads.replace(
        '    @world.tool\n    def look_up(order_id: str) -> str:\n        return "ok"\n', ""
    )
    project.file("test_reads.py", reads)
    project.campaign("test_reads.py", STRICT).assert_outcomes(passed=1)
    project.file("test_idle.py", IDLE)
    project.run("test_idle.py", STRICT).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("ci", "option", "ini", "fails"),
    [
        ("true", "", "", True),
        ("1", "", "", True),
        ("YES", "", "", True),
        ("false", "", "", False),
        ("0", "", "", False),
        ("", "", "", False),
        (None, "", "", False),
        ("true", "--no-agentfuzz-strict", "", False),
        ("true", "", "false", False),
        (None, "", "true", True),
        (None, "--no-agentfuzz-strict", "true", False),
        ("false", STRICT, "false", True),
    ],
)
def test_when_it_is_strict(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    ci: str | None,
    option: str,
    ini: str,
    fails: bool,
) -> None:
    """The option wins over the ini key, the key over CI, and CI is on where its value is true."""
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    project.file("test_idle.py", IDLE)
    if ini:
        project.file("pytest.ini", f"[pytest]\nagentfuzz_strict = {ini}\n")
    result = project.campaign(*filter(None, [option]))
    result.assert_outcomes(**{"failed" if fails else "passed": 1})


def test_a_wrong_value_is_an_error(project: Project) -> None:
    """The ini key is a truth value."""
    project.file("pytest.ini", "[pytest]\nagentfuzz_strict = perhaps\n")
    project.file("test_idle.py", IDLE)
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*pytest.ini: agentfuzz_strict must be true or false*"])
