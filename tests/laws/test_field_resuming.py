"""The laws about conversations that go on bite, hold, and say when none did."""

import pytest

from agentfuzz.core.events import Decided, Interrupted, Resumed, Struck
from agentfuzz.core.faults import Slot
from agentfuzz.invariants import continuable, one_decision_one_interrupt

from .histories import (
    asks,
    charge,
    charged,
    commit,
    cut_off,
    died,
    done,
    gets,
    happens,
    judge,
    looked_up,
    ok,
    raised,
    returned,
    says,
    shows,
    tell,
    timeout,
    under,
    user,
    wants,
)

# continuable

FIRST = (shows(user()), asks("tc_1"), under("tc_1", charge()), timeout())
AGAIN = happens(Resumed, "follow_up")
WHOLE = shows(user(), wants("tc_1"), gets("tc_1", "timed out"), user("And now?"))
OPEN = shows(user(), wants("tc_1"), user("And now?"))


def test_continuable_held():
    """The next leg of the conversation shows no open call, and gets to a turn of the model."""
    assert (
        judge(continuable(), tell(*FIRST, AGAIN, WHOLE, says("Sorry."), done("failed"))) == "HELD"
    )
    then_raised = (says("Sorry."), raised("ValueError"))
    assert judge(continuable(), tell(*FIRST, AGAIN, WHOLE, *then_raised)) == "HELD"
    assert judge(continuable(), tell(*FIRST, AGAIN, returned("Nothing to do."))) == "HELD"


def test_continuable_a_dangling_call():
    """AF213: the kept conversation ends with a call that has no result."""
    history = tell(*FIRST, AGAIN, OPEN, says("Sorry."), done("failed"))
    assert judge(continuable(), history) == ["AF213 conversation: Resumed#1 ModelInput#2"]
    assert continuable()(history).violations[0].title == "cannot be continued"
    twice = tell(*FIRST, AGAIN, WHOLE, says("Sorry."), AGAIN, OPEN, says("Sorry."))
    assert judge(continuable(), twice) == ["AF213 conversation: Resumed#2 ModelInput#3"]


@pytest.mark.parametrize("end", [raised("BadRequest"), died("SystemExit"), cut_off("hung")])
def test_continuable_fails_at_once(end):
    """AF213: the new leg fails before the model has taken a turn."""
    broken = ["AF213 conversation: Resumed#1 Ended#1"]
    assert judge(continuable(), tell(*FIRST, AGAIN, end)) == broken
    refused = (WHOLE, says("400 tool call without result", "error"))
    assert judge(continuable(), tell(*FIRST, AGAIN, *refused, end)) == broken


def test_continuable_a_leg_that_a_fault_struck():
    """A fault in the new leg may end it."""
    fault = happens(Struck, Slot("model", "", 2), "error")
    history = tell(*FIRST, AGAIN, WHOLE, fault, says("529", "error"), raised("ModelError"))
    assert judge(continuable(), history) == "HELD"


def test_continuable_not_exercised():
    """Nothing was resumed."""
    assert judge(continuable(), tell(*FIRST, raised("ValueError"))) == "NOT_EXERCISED"


# one_decision_one_interrupt

LAW = one_decision_one_interrupt()
TWO = asks("tc_1", ("tc_2", "charge_card", {"order_id": "B18"}))
A17, B18 = under("tc_1", charged()), under("tc_2", charged("B18"))
IN_DOUBT = under("tc_1", lambda story: [step(story) for step in (charge(), timeout())] and None)


def interrupted(interrupt, call):
    return happens(Interrupted, interrupt, call)


def decided(interrupt, call, value=True):
    return happens(Decided, interrupt, call, value)


WAIT = (TWO, interrupted("i1", "tc_1"), interrupted("i2", "tc_2"))


@pytest.mark.parametrize(
    "steps",
    [
        (decided("i1", "tc_1"), A17, decided("i2", "tc_2"), B18),
        (decided("i2", "tc_2"), decided("i1", "tc_1"), A17, B18),
        (decided("i1", "tc_1", "edit: 41 EUR"), A17, decided("i2", "tc_2", False)),
        (decided("i1", "tc_1"), decided("i1", "tc_1"), A17),
        (decided("i1", "tc_1"), A17, interrupted("i3", "tc_1"), decided("i3", "tc_1"), A17),
        (decided("i2", "tc_2", None), looked_up()),
        (decided("i1", "tc_1"), A17, asks("tc_1"), A17),
        (decided("i1", "tc_1"), IN_DOUBT, A17, decided("i2", "tc_2", False)),
        (),
    ],
)
def test_one_decision_held(steps):
    """Each decision reaches the call that it was made for, and allows it once."""
    assert judge(LAW, tell(*WAIT, *steps, done("partial"))) == "HELD"


def test_one_decision_for_another_call():
    """AF408: the decision of one interrupt was given to another call."""
    history = tell(*WAIT, decided("i2", "tc_1"), A17, done())
    assert judge(LAW, history) == ["AF408 decision: Interrupted#2 Decided#1"]
    assert LAW(history).violations[0].title == "decision for another interrupt"
    nobody = tell(*WAIT, decided("i9", "tc_1"), A17, done())
    assert judge(LAW, nobody) == ["AF408 decision: Decided#1"]


def test_one_decision_two_calls_under_one_interrupt():
    """AF408: whoever asks first gets the answer, because both wait under one id."""
    wait = (TWO, interrupted("i1", "tc_1"), interrupted("i1", "tc_2"))
    history = tell(*wait, decided("i1", "tc_1"), A17, done())
    assert judge(LAW, history) == ["AF408 decision: Interrupted#1 Interrupted#2"]


def test_one_decision_executed_without_one():
    """AF408: executed undecided, against a refusal, or twice for one decision."""
    ran = "AF408 charge_card: Interrupted#1"
    assert judge(LAW, tell(*WAIT, A17, done())) == [f"{ran} Called#1"]
    refused = tell(*WAIT, decided("i1", "tc_1", False), A17, done())
    assert judge(LAW, refused) == [f"{ran} Called#1"]
    twice = tell(*WAIT, decided("i1", "tc_1"), A17, A17, done())
    assert judge(LAW, twice) == [f"{ran} Decided#1 Called#2"]
    assert LAW(twice).violations[0].title == "charge_card ran undecided"
    approved_twice = tell(*WAIT, *[decided("i1", "tc_1"), A17] * 2, done())
    assert judge(LAW, approved_twice) == [f"{ran} Decided#2 Called#2"]
    in_doubt = tell(*WAIT, *[decided("i1", "tc_1"), IN_DOUBT] * 2, done("blocked"))
    assert judge(LAW, in_doubt) == [f"{ran} Decided#2 Called#2"]
    undecided = tell(*WAIT, IN_DOUBT, A17, done())
    assert judge(LAW, undecided) == [f"{ran} Called#1"]


def test_one_decision_not_exercised():
    """Nothing was interrupted, and nothing decided."""
    assert judge(LAW, tell(TWO, A17, commit(), ok(), done())) == "NOT_EXERCISED"
