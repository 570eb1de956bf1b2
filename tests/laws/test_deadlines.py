"""The laws about the time and the budget of an ending bite, hold, and say when none was reached."""

import pytest

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Slot
from agentfuzz.invariants import budget_is_not_success, ends_within

from .histories import (
    asks,
    cancels,
    charge,
    charged,
    commit,
    cut_off,
    done,
    gets,
    happens,
    judge,
    looked_up,
    lookup,
    ok,
    passes,
    prefix,
    raised,
    reply,
    restarts,
    resumes,
    returned,
    says,
    ship,
    shows,
    tell,
    timeout,
    turn,
    under,
    user,
    wants,
)

# ends_within

IN_TIME = ends_within(seconds=60)
IN_TURNS = ends_within(turns=2)
WITHIN = (
    resumes("duplicate", 2, "running"),
    *(passes(50), charged()) * 2,
    done(),
    resumes("back", 1),
)
JUMP = happens(Struck, Slot("process", "charge_card", 1), "clock_jump")


def test_a_wait_without_end():
    """AF215: nothing happens for longer than the time declared."""
    history = tell(charged(), passes(90), lookup(), timeout(), done("blocked"))
    assert judge(IN_TIME, history) == ["AF215 seconds: Replied#1 Called#2"]
    assert IN_TIME(history).violations[0].title == "no ending within 60 s"
    slow = tell(passes(61), charged(), done())
    assert judge(IN_TIME, slow) == ["AF215 seconds: Called#1 Called#1"]
    before_done = tell(charged(), passes(61), done())
    assert judge(IN_TIME, before_done) == ["AF215 seconds: Replied#1 Done#1"]
    before_the_end = tell(charged(), passes(61), returned("Charged."))
    assert judge(IN_TIME, before_the_end) == ["AF215 seconds: Replied#1 Ended#1"]
    slow_tool = tell(charge(), passes(61), commit(), ok(), done())
    assert judge(IN_TIME, slow_tool) == ["AF215 seconds: Called#1 Delivered#1"]


def test_asking_for_ever():
    """AF215: the model is asked again and again, and nothing comes of it; the same answer to the
    same question is no progress."""
    assert judge(IN_TURNS, tell(turn(), turn(), turn(), done())) == [
        "AF215 turns: ModelTurn#1 ModelTurn#3"
    ]
    assert IN_TURNS(tell(*[turn()] * 3)).violations[0].title == "no ending within 2 turns"
    poll = (turn(), looked_up(body="running"))
    assert judge(IN_TURNS, tell(*poll * 5, done("blocked"))) == [
        "AF215 turns: Replied#1 ModelTurn#4"
    ]


@pytest.mark.parametrize("seconds", [60, 10_000])
def test_a_run_that_hangs(seconds):
    """AF215: there is no ending at all, whatever the time."""
    history = tell(charge(), cut_off("hung"))
    assert judge(ends_within(seconds=seconds), history) == ["AF215 run: Ended#1"]
    assert judge(IN_TURNS, history) == ["AF215 run: Ended#1"]
    assert IN_TURNS(history).violations[0].title == "waits for ever"


@pytest.mark.parametrize(
    "steps",
    [
        (passes(50), charged(), passes(50), looked_up(), passes(50), done()),
        (charged(), done(), passes(500), lookup(), timeout()),
        (charge(), timeout(), done("blocked"), passes(500), commit(of=1)),  # arrives late
        (charge(), timeout(), passes(500), commit(of=1), returned()),
        (charged(), restarts(), passes(50), charged(), passes(50), done()),
        (charged(), done("blocked"), passes(500), resumes("decision"), charged(), done()),
        (JUMP, passes(90_000), charged(), done()),
        (charge(), passes(90_000), JUMP, commit(), ok(), done()),
        (charge(), JUMP, commit(), passes(90_000), ok(), done()),
        (lookup(), *WITHIN, passes(40), ok(), done()),
        (charged(), raised("ValueError")),
        (turn(), turn(), charged(), turn(), turn(), done()),
        (turn(), turn(), looked_up(), turn(), looked_up(body="another"), turn(), turn(), done()),
    ],
)
def test_in_time(steps):
    """Progress begins the time anew, and so does a leg; what a fault skipped, what another leg
    took, and what arrives after the answer does not count."""
    assert judge(ends_within(seconds=60, turns=2), tell(*steps)) == "HELD"


def test_a_leg_of_its_own():
    """AF215: each leg has its time, whatever the others did."""
    history = tell(charged(), done("blocked"), resumes("follow_up"), passes(61), charged(), done())
    assert judge(IN_TIME, history) == ["AF215 seconds: Resumed#1 Called#2"]


def test_ends_within_not_exercised():
    """Nothing has ended, and no time is up; or the budget came first."""
    assert judge(IN_TIME, prefix(charged())) == "NOT_EXERCISED"
    assert judge(IN_TIME, tell(charged(), cut_off("budget"))) == "NOT_EXERCISED"
    assert judge(IN_TIME, tell(charged(), cut_off("spinning"))) == "NOT_EXERCISED"
    over = prefix(passes(61), charged())
    assert judge(IN_TIME, over) == ["AF215 seconds: Called#1 Called#1"]
    assert judge(IN_TURNS, prefix()) == "NOT_EXERCISED"


@pytest.mark.parametrize("wrong", [{}, {"seconds": 0.0}, {"seconds": 5.0, "turns": 0}])
def test_ends_within_needs_a_time(wrong):
    """A time that nobody declared, or that nobody could keep, is a mistake."""
    with pytest.raises(ScenarioError, match=r"declares no time .* ends_within\(seconds=60\)"):
        ends_within(**wrong)


# budget_is_not_success

LAW = budget_is_not_success()
BOTH = tell(charged(), ship(), commit(), ok(), done())
SHIP = ("tc_2", "ship", {"order_id": "A17"})
WORK = (shows(user()), asks("tc_1"), under("tc_1", charged()))
SEEN = shows(user(), wants("tc_1"), gets("tc_1"))
SHIPPED = (under("tc_2", ship()), commit(), ok())


def test_success_at_the_limit():
    """AF308: the model asked for more, the loop did not do it, and says success."""
    history = tell(*WORK, SEEN, asks(SHIP), done())
    assert judge(LAW, history) == ["AF308 limit: ModelTurn#2 Done#1"]
    found = LAW(history).violations[0]
    assert found.title == "limit: stopped, claims success"
    assert "asked for ship, which was never called" in found.sentence
    no_ids = tell(asks("tc_1"), charged(), asks(SHIP), done())
    assert judge(LAW, no_ids) == ["AF308 limit: ModelTurn#2 Done#1"]


def test_success_with_results_that_no_model_saw():
    """AF308: without faults the model is shown what came of it; here the loop stopped before."""
    whole = tell(*WORK, SEEN, asks(SHIP), *SHIPPED, SEEN, says("Done."), done())
    stopped = tell(*WORK, SEEN, asks(SHIP), *SHIPPED, done())
    assert judge(LAW, stopped, whole) == ["AF308 limit: ModelTurn#2 Done#1"]
    assert judge(LAW, stopped, stopped) == "NOT_EXERCISED"
    assert judge(LAW, stopped) == "NOT_EXERCISED"
    as_ever = tell(*WORK, done())  # a loop that ends by itself, faults or not
    assert judge(LAW, stopped, as_ever) == "NOT_EXERCISED"
    looked = tell(*WORK, SEEN, asks(SHIP), under("tc_2", ship()), timeout(), looked_up(), done())
    assert judge(LAW, looked, whole) == "NOT_EXERCISED"  # the loop took over, and looked


@pytest.mark.parametrize("how", ["task", "token"])
def test_success_after_a_cancellation(how):
    """AF308: somebody pressed Stop with work left, and the answer is success."""
    history = tell(charged(), cancels(how), done())
    assert judge(LAW, history, BOTH) == ["AF308 cancelled: Cancelled#1 Done#1"]
    assert LAW(history, BOTH).violations[0].title == "cancelled: stopped, claims success"
    asked = tell(*WORK, SEEN, asks(SHIP), cancels(how), done())
    assert judge(LAW, asked) == ["AF308 cancelled: Cancelled#1 Done#1"]


def test_a_cancellation_that_came_too_late():
    """All was done when it came, or done all the same; or the answer is honest."""
    late = tell(charged(), ship(), commit(), ok(), cancels(), done())
    assert judge(LAW, late, BOTH) == "HELD"
    went_on = tell(charged(), cancels(), ship(), commit(), ok(), done())
    assert judge(LAW, went_on, BOTH) == "HELD"
    for status in ("cancelled", "partial", "blocked"):
        assert judge(LAW, tell(charged(), cancels(), done(status)), BOTH) == "HELD"
    assert judge(LAW, tell(charged(), done(), cancels()), BOTH) == "NOT_EXERCISED"
    anew = (charged(), cancels("task"), resumes("follow_up", 2, "cancelled"), charged("B18"))
    assert judge(LAW, tell(*anew, done()), BOTH) == "HELD"


def test_success_of_a_run_that_was_cut_off():
    """AF308: the budget ran out, the loop swallowed that, and said success."""
    assert judge(LAW, tell(charged(), done(), cut_off("budget"))) == ["AF308 limit: Done#1 Ended#1"]
    honest = tell(charged(), done("failed", "budget_exhausted"), cut_off("budget"))
    assert judge(LAW, honest) == "HELD"
    went_on = tell(charged(), done(via="tool"), looked_up(), cut_off("budget"))
    assert judge(LAW, went_on) == "HELD"  # the claim came before the limit
    assert judge(LAW, tell(charged(), cut_off("budget"))) == "HELD"


@pytest.mark.parametrize(
    "ending",
    [
        [done("partial", "budget_exhausted")],
        [done("failed", "budget_exhausted")],
        [done("blocked")],
        [raised("MaxTurnsExceeded")],
        [returned("Sorry.")],
    ],
)
def test_a_limit_that_is_owned_up_to(ending):
    """Another status, or an exception."""
    assert judge(LAW, tell(*WORK, SEEN, asks(SHIP), *ending)) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (says("Charged."), done()),
        (SEEN, asks(("tc_2", "done", {"status": "success"})), done(via="tool")),
        (SEEN, asks(SHIP, ("tc_3", "done", {"status": "success"})), done(via="tool")),
        (SEEN, asks(("tc_2", "charge_card", {"order_id": "A17", "memo": "again"})), done()),
        (SEEN, asks(SHIP, stop="length"), done()),
        (SEEN, asks(("tc_2", "ship", "{")), done()),
        (SEEN, asks(SHIP), *SHIPPED, done()),
        (restarts(), charged(), done()),
    ],
)
def test_nothing_was_stopped(steps):
    """The model closed, or asked for what had been carried out, or for nothing that can be read;
    and a leg without a model has none to stop."""
    assert judge(LAW, tell(*WORK, *steps)) == "NOT_EXERCISED"


def test_a_loop_without_a_model():
    """Nobody stopped it, and it claims what it likes: that is for other laws."""
    history = tell(charge(), reply("failed", raised="ToolError"), done())
    assert judge(LAW, history, BOTH) == "NOT_EXERCISED"


def test_a_call_made_while_another_leg_ran():
    """Parallel calls of the outer leg may fall into an inner one; they were made all the same."""
    asked = asks("tc_1", SHIP)
    inner = (resumes("duplicate", 2, "running"), under("tc_2", ship()), commit(), ok(), done())
    history = tell(asked, under("tc_1", charge()), *inner, resumes("back", 1), done())
    assert judge(LAW, history) == "NOT_EXERCISED"
