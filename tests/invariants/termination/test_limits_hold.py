"""`limits_hold`: a declared limit is kept, and what it stopped is said to be stopped."""

import pytest

from agentfuzz import limits_hold
from agentfuzz.core.errors import ScenarioError
from invariants.conversations import asks, says, under
from invariants.histories import (
    charge,
    charged,
    cut_off,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    raised,
    returned,
    ship,
    tell,
    timeout,
)
from invariants.loops.field import LIMITS, CountsTurns, Loop, plain, shop


@pytest.mark.parametrize("limit", [{"calls": 2}, {"turns": 2}, {"tokens": 20}, {"seconds": 60}])
def test_held(limit):
    """Within the limits; and in the last allowed call or turn the model closes by itself."""
    work = (asks("tc_1", tokens=10), under("tc_1", charged()), looked_up())
    assert judge(limits_hold(**limit), tell(*work, says("Done.", tokens=10), done())) == "HELD"


def test_broken():
    """AF211: the witness is the first call or turn beyond the limit."""
    work = (asks("tc_1", tokens=10), charged(), says("..."), charged(), says("Done."), done())
    history = tell(*work)
    seconds = limits_hold(seconds=4)
    assert judge(limits_hold(calls=1), history) == ["AF211 calls: Called#2"]
    assert judge(limits_hold(turns=2), history) == ["AF211 turns: ModelTurn#3"]
    assert judge(limits_hold(tokens=10), history) == ["AF211 tokens: ModelTurn#2"]
    assert judge(seconds, history) == ["AF211 seconds: Called#2"]
    assert judge(limits_hold(calls=1, turns=2), history) == [
        "AF211 calls: Called#2",
        "AF211 turns: ModelTurn#3",
    ]
    titles = [limits_hold(calls=1)(history), seconds(history)]
    assert [verdict.violations[0].title for verdict in titles] == [
        "2 calls, limit 1",
        "11 seconds, limit 4",
    ]


def test_what_was_begun_in_time():
    """The turn that uses up the tokens is allowed, and so is a call that ends too late."""
    history = tell(asks("tc_1", tokens=30), under("tc_1", charged()), done("partial"))
    assert judge(limits_hold(tokens=20), history) == "HELD"
    assert judge(limits_hold(seconds=1), tell(lookup(), charge(), timeout(), done("failed"))) == (
        "HELD"
    )


@pytest.mark.parametrize(
    "limit", [{"calls": 1}, {"turns": 2}, {"tokens": 20}, {"seconds": 4}, {"calls": 1, "turns": 9}]
)
def test_reached_and_not_said(limit):
    """AF212: the limit stopped the run with the model still asking, and nothing says so."""
    work = (asks("tc_1", tokens=10), under("tc_1", charged()), asks("tc_9", tokens=10))
    for ending in ([returned("Sorry, need more steps.")], [returned()]):
        found = judge(limits_hold(**limit), tell(*work, *ending))
        assert found == ["AF212 limit: ModelTurn#2 Ended#1"]
    for ending in (
        [done("partial", "budget_exhausted")],
        [done("failed", "budget_exhausted")],
        [done("blocked")],
        [raised("MaxTurnsExceeded")],
        [cut_off("budget")],
    ):
        assert judge(limits_hold(**limit), tell(*work, *ending)) == "HELD"


def test_stopped_in_the_middle():
    """AF212: the last turn was cut off; without a model, the last call failed."""
    history = tell(asks("tc_1"), under("tc_1", charged()), says("I", "length"), returned("I"))
    assert judge(limits_hold(turns=2), history) == ["AF212 limit: ModelTurn#2 Ended#1"]
    tries = (charge(), timeout(), charge(), timeout(), done())
    assert judge(limits_hold(calls=2), tell(*tries)) == ["AF212 limit: Called#2 Ended#1"]
    title = "stopped by a limit, does not say so"
    assert limits_hold(calls=2)(tell(*tries)).violations[0].title == title
    assert judge(limits_hold(calls=2), tell(charge(), timeout(), charged(), done())) == "HELD"
    assert judge(limits_hold(calls=2), tell(ship(), ok(), charge(), done())) == [
        "AF212 limit: Called#2 Ended#1"
    ]


def test_closed_by_the_done_tool():
    """The model's last turn asks for the done tool, and that is the end."""
    history = tell(asks(("tc_1", "done", {"status": "success"})), done(via="tool"))
    assert judge(limits_hold(turns=1), history) == "HELD"


def test_not_exercised():
    """Nothing was called and no model asked."""
    assert judge(limits_hold(calls=1), tell(done())) == "NOT_EXERCISED"


@pytest.mark.parametrize("limits", [{}, {"calls": 0}, {"turns": 3, "seconds": -1.0}])
def test_needs_a_limit(limits):
    """A law without a limit, or with one that nothing can keep, is a mistake."""
    with pytest.raises(ScenarioError, match=r"declares no limit .* limits_hold\(turns=10\)"):
        limits_hold(**limits)


# on whole loops


class Sorry(Loop):
    """P8: the limit is a sentence."""

    def out_of_budget(self):
        return "Sorry, need more steps to process this request."


LAW = limits_hold(**LIMITS)


@pytest.mark.parametrize(
    ("victim", "expected"),
    [(CountsTurns, "AF211 calls: model#1:fan_out"), (Sorry, "AF212 limit: model#1:loop")],
)
def test_victim(found, victim, expected):
    """The limit of calls is looked at once a turn; or the limit is a sentence."""
    assert found(LAW, shop(), plain(victim)) == [expected]


def test_survivor(held):
    """Looks at its limit before each call, and says what stopped it."""
    assert held(LAW, shop(), plain(Loop), depth=1) > 10


def test_what_is_asked_for_again_is_no_open_work():
    """The model never stops asking for what was done: success by receipts is true all the same."""
    work = (asks("tc_1"), under("tc_1", charged()), asks("tc_9"))
    assert judge(limits_hold(turns=2), tell(*work, done())) == "HELD"
    assert judge(limits_hold(turns=2), tell(*work, returned("Charged."))) == [
        "AF212 limit: ModelTurn#2 Ended#1"
    ]
    lost = (asks("tc_1"), under("tc_1", charge()), timeout(), asks("tc_9"))
    assert judge(limits_hold(turns=2), tell(*lost, done())) == ["AF212 limit: ModelTurn#2 Ended#1"]
