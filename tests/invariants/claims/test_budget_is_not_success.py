"""`budget_is_not_success`: a run that was stopped does not claim success."""

import pytest

from agentfuzz import Completion, World, budget_is_not_success
from agentfuzz.scenarios import cancel_campaign
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    cancels,
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    ok,
    raised,
    reply,
    restarts,
    resumes,
    returned,
    ship,
    tell,
    timeout,
)
from invariants.loops.shopping import DONE, shop, talk

LAW = budget_is_not_success()
BOTH = tell(charged(), ship(), commit(), ok(), done())
SHIP = ("tc_2", "ship", {"order_id": "A17"})
WORK = (shows(user()), asks("tc_1"), under("tc_1", charged()))
SEEN = shows(user(), wants("tc_1"), gets("tc_1"))
SHIPPED = (under("tc_2", ship()), commit(), ok())


def test_broken():
    """AF308: the model asked for more, the loop did not do it, and says success."""
    history = tell(*WORK, SEEN, asks(SHIP), done())
    assert judge(LAW, history) == ["AF308 limit: ModelTurn#2 Done#1"]
    found = LAW(history).violations[0]
    assert found.title == "limit: stopped, claims success"
    assert "asked for ship, which was never called" in found.sentence
    no_ids = tell(asks("tc_1"), charged(), asks(SHIP), done())
    assert judge(LAW, no_ids) == ["AF308 limit: ModelTurn#2 Done#1"]


def test_an_earlier_call_of_the_same_tool():
    """AF308: in a loop that hands no ids on, one charge is not the other that the model asked for
    last."""
    other = asks(("tc_2", "charge_card", {"order_id": "B18"}))
    history = tell(asks("tc_1"), charged(), other, done())
    assert judge(LAW, history) == ["AF308 limit: ModelTurn#2 Done#1"]


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


def test_a_last_turn_that_asked_for_nothing_new():
    """A model that asks for ever for what has been done leaves no work behind."""
    whole = tell(*WORK, SEEN, asks(SHIP), *SHIPPED, SEEN, says("Done."), done())
    again = (*WORK, SEEN, asks(SHIP), *SHIPPED, SEEN, asks(("tc_3", *SHIP[1:])))
    repeated = tell(*again, under("tc_3", ship()), ok(), done())
    assert judge(LAW, repeated, whole) == "NOT_EXERCISED"


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
def test_held(ending):
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
def test_not_exercised(steps):
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


# on whole loops


def done_at_the_limit(world: World) -> Completion:
    """Victim: three turns are enough, and whoever gets through them is done."""
    return talk(world, turns=3, over=DONE)


def says_it_was_the_limit(world: World) -> Completion:
    """Survivor."""
    return talk(world, turns=3)


MAILING = cancel_campaign.cancel_campaign


def test_victim(found):
    """One retry, and the last result is seen by nobody; or cancelled, and in good order: done."""
    assert found(LAW, shop, done_at_the_limit) == ["AF308 limit: charge_card#1:once/timeout"]
    assert found(LAW, MAILING, cancel_campaign.stopped_is_done) == [
        "AF308 cancelled: process:send_mail#1:cancel"
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("story", "survivor"),
    [(shop, says_it_was_the_limit), (MAILING, cancel_campaign.stops_and_reports)],
)
def test_survivor(held, story, survivor):
    """partial, or cancelled."""
    assert held(LAW, story, survivor, one_in=1) > 50


def test_untested(untested):
    """No model that asks for more, and nobody who presses Stop."""
    assert untested(LAW, MAILING, cancel_campaign.stopped_is_done, exclude=("cancel",)) == [
        "AF802 budget_is_not_success was never exercised"
    ]
