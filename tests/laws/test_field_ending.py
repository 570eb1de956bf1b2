"""The laws about what an ending is worth bite, hold, and say when there was nothing to judge."""

import pytest

from agentfuzz.core.errors import ScenarioError
from agentfuzz.invariants import limits_hold, no_effect_after_reported_failure, returns_control

from .histories import (
    asks,
    charge,
    charged,
    commit,
    cut_off,
    died,
    done,
    gets,
    judge,
    looked_up,
    lookup,
    ok,
    prefix,
    raised,
    reply,
    returned,
    says,
    ship,
    shows,
    struck,
    tell,
    timeout,
    under,
    user,
    wants,
)

# no_effect_after_reported_failure

LAW = no_effect_after_reported_failure()
REFUSED = reply("failed", raised="ToolError")
TOLD = shows(user(), wants("tc_1"), gets("tc_1", "Error: charge_card timed out"))


@pytest.mark.parametrize("failed", [timeout(), REFUSED, reply("unknown", "?")])
def test_no_effect_after_reported_failure_held(failed):
    """A call failed, and no effect of it came later; a new call is another matter."""
    assert judge(LAW, tell(charge(), commit(), failed, done("blocked"))) == "HELD"
    assert judge(LAW, tell(charge(), failed, charged(), done())) == "HELD"


def test_no_effect_after_reported_failure_after_its_own_failure():
    """AF210: the effect came after the reply that reported the call as failed."""
    for failed in (timeout(), REFUSED):
        history = tell(charge(), failed, lookup(), ok(), commit(of=1), done("blocked"))
        assert judge(LAW, history) == ["AF210 charge: Replied#1 Committed#1"]
        assert LAW(history).violations[0].title == "charge_card ran after its failure"


def test_no_effect_after_reported_failure_after_the_model_was_told():
    """AF210: the model was told that the call failed, and it was executed, or went on, later."""
    running = (asks("tc_1"), under("tc_1", charge()), TOLD, commit(), ok())
    assert judge(LAW, tell(*running, done())) == ["AF210 charge: ModelInput#1 Committed#1"]
    queued = (asks("tc_1"), under("tc_1", charge()), timeout(), TOLD, under("tc_1", charged()))
    assert judge(LAW, tell(*queued, done())) == ["AF210 charge: ModelInput#1 Committed#1"]
    anew = (asks("tc_1"), under("tc_1", charge()), timeout(), TOLD, asks("tc_1"))
    assert judge(LAW, tell(*anew, under("tc_1", charged()), done())) == "HELD"
    told = shows(user(), wants("tc_1"), gets("tc_1", "started as job 7"))
    background = (asks("tc_1"), under("tc_1", charge()), told, commit(), ok())
    assert judge(LAW, tell(*background, done())) == "NOT_EXERCISED"


@pytest.mark.parametrize("fault", ["late/timeout", "late/timeout@90", "lost/error"])
def test_no_effect_after_reported_failure_leaves_the_network_alone(fault):
    """A request that the network delivered late is not the loop's doing."""
    story = [charge(), struck("charge_card", 1, fault), timeout(), done("blocked"), commit()]
    assert judge(LAW, tell(*story)) == "HELD"
    story[1] = struck("charge_card", 2, fault)
    found = ["AF210 charge: Replied#1 Committed#1"]
    assert judge(LAW, tell(*story)) == found
    story[1] = struck("charge_card", 1, "twice/timeout")
    assert judge(LAW, tell(*story)) == found


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (done(), "Done"),
        (done("failed"), "Done"),
        (raised("ValueError"), "Ended"),
        (cut_off("budget"), "Ended"),
    ],
)
def test_no_effect_after_reported_failure_of_the_run(end, kind):
    """AF210: a stray task acts after the answer, or what it had begun goes on."""
    found = [f"AF210 charge: {kind}#1 Committed#1"]
    assert judge(LAW, tell(looked_up(), end, charged(), returned())) == found
    assert judge(LAW, tell(charge(), end, commit(), ok(), returned())) == found


def test_no_effect_after_reported_failure_not_exercised():
    """Nothing failed; only a look-up failed; or the done tool ended it."""
    for history in (
        tell(charged(), done()),
        tell(lookup(), timeout(), charged(), done()),
        tell(done("blocked", via="tool"), charged()),
    ):
        assert judge(LAW, history) == "NOT_EXERCISED"


# limits_hold

MORE = asks("tc_9")


@pytest.mark.parametrize("limit", [{"calls": 2}, {"turns": 2}, {"tokens": 20}, {"seconds": 60}])
def test_limits_hold_held(limit):
    """Within the limits; and in the last allowed call or turn the model closes by itself."""
    work = (asks("tc_1", tokens=10), under("tc_1", charged()), looked_up())
    assert judge(limits_hold(**limit), tell(*work, says("Done.", tokens=10), done())) == "HELD"


def test_limits_hold_exceeded():
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


def test_limits_hold_what_was_begun_in_time():
    """The turn that uses up the tokens is allowed, and so is a call that ends too late."""
    history = tell(asks("tc_1", tokens=30), under("tc_1", charged()), done("partial"))
    assert judge(limits_hold(tokens=20), history) == "HELD"
    assert judge(limits_hold(seconds=1), tell(lookup(), charge(), timeout(), done("failed"))) == (
        "HELD"
    )


@pytest.mark.parametrize(
    "limit", [{"calls": 1}, {"turns": 2}, {"tokens": 20}, {"seconds": 4}, {"calls": 1, "turns": 9}]
)
def test_limits_hold_reached_and_not_said(limit):
    """AF212: the limit stopped the run with the model still asking, and nothing says so."""
    work = (asks("tc_1", tokens=10), under("tc_1", charged()), asks("tc_9", tokens=10))
    for ending in ([returned("Sorry, need more steps.")], [returned()], [done()]):
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


def test_limits_hold_stopped_in_the_middle():
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


def test_limits_hold_closed_by_the_done_tool():
    """The model's last turn asks for the done tool, and that is the end."""
    history = tell(asks(("tc_1", "done", {"status": "success"})), done(via="tool"))
    assert judge(limits_hold(turns=1), history) == "HELD"


def test_limits_hold_not_exercised():
    """Nothing was called and no model asked."""
    assert judge(limits_hold(calls=1), tell(done())) == "NOT_EXERCISED"


@pytest.mark.parametrize("limits", [{}, {"calls": 0}, {"turns": 3, "seconds": -1.0}])
def test_limits_hold_needs_a_limit(limits):
    """A law without a limit, or with one that nothing can keep, is a mistake."""
    with pytest.raises(ScenarioError, match=r"declares no limit .* limits_hold\(turns=10\)"):
        limits_hold(**limits)


# returns_control


def test_returns_control_held():
    """The run returned, or raised, whatever it raised."""
    for end in (returned("Charged."), raised("ValueError"), died("SystemExit")):
        assert judge(returns_control(), tell(charged(), end)) == "HELD"


@pytest.mark.parametrize("why", ["hung", "spinning"])
def test_returns_control_broken(why):
    """AF214: the run had to be cut off, and not because it had used up its budget."""
    history = tell(charged(), cut_off(why))
    assert judge(returns_control(), history) == ["AF214 run: Ended#1"]
    assert returns_control()(history).violations[0].title == f"control not returned: {why}"


def test_returns_control_not_exercised():
    """A run that ran into its budget is `bounded`'s; a prefix has no ending."""
    assert judge(returns_control(), tell(cut_off("budget"))) == "NOT_EXERCISED"
    assert judge(returns_control(), prefix(charged())) == "NOT_EXERCISED"
