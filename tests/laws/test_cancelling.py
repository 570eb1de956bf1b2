"""The laws about a task that somebody stops bite, hold, and say when nobody did."""

import pytest

from agentfuzz.invariants import cancel_report, no_effect_after_cancel
from invariants.histories import (
    asks,
    cancels,
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    raised,
    refund,
    reply,
    resumes,
    returned,
    says,
    ship,
    tell,
    timeout,
)

CALM = no_effect_after_cancel()
REPORT = cancel_report()

# no_effect_after_cancel


@pytest.mark.parametrize(
    "steps",
    [
        (charge(), cancels(), commit(), ok(), done("cancelled")),
        (charge(), cancels("task"), timeout(), looked_up(), commit(1), done("cancelled")),
        (charged(), ship(), cancels(), ok(), resumes("follow_up"), ship(), commit(), ok(), done()),
        (has_undos(), charge(), cancels(), commit(), ok(), refund(), commit(), ok(), done()),
        (charge(), cancels(), charge("B18"), commit(1), ok(), commit(2), done("cancelled")),
    ],
    ids=["under way", "arrives late", "another leg", "undoes", "begun together"],
)
def test_no_effect_after_cancel_held(steps):
    """What was under way may end, what happened may be undone, and a new wish is a new wish."""
    assert judge(CALM, tell(*steps)) == "HELD"


def test_no_effect_after_cancel_broken():
    """AF310: the loop learns of it, and goes on."""
    swallowed = tell(charge(), cancels("task"), timeout(), charge(), commit(), ok(), done())
    assert judge(CALM, swallowed) == ["AF310 charge: Cancelled#1 Called#2"]
    assert CALM(swallowed).violations[0].title == "charge_card called after the cancel"
    token = tell(charge(), commit(), cancels(), ok(), looked_up(), ship(), done())
    assert judge(CALM, token) == ["AF310 shipment: Cancelled#1 Called#3"]
    turn = tell(charged(), cancels(), asks("tc_2"), ship(), commit(), ok(), done())
    assert judge(CALM, turn) == ["AF310 shipment: Cancelled#1 Called#2"]


def test_no_effect_after_cancel_undoes_what_nobody_did():
    """AF310: an undo of what was never called is a write like any other."""
    history = tell(has_undos(), looked_up(), cancels(), ok(), refund(), commit(), ok(), done())
    assert judge(CALM, history) == ["AF310 refund: Cancelled#1 Called#2"]


def test_no_effect_after_cancel_not_exercised():
    """Nobody stopped it."""
    assert judge(CALM, tell(charged(), done())) == "NOT_EXERCISED"


# cancel_report

STOPPED = (charge(), commit(), cancels("task"), timeout())


def completion(status="cancelled", **said):
    reason = {"cancelled": "by_user", "failed": "other"}[status]
    value = {"status": status, "reason": reason, "handle": None, "detail": "", **said}
    return (done(status, reason, handle=value["handle"]), returned(value))


@pytest.mark.parametrize(
    "answer",
    [
        completion(handle="A17"),
        completion(detail="Order a17 has been charged."),
        completion("failed", detail="e1 stands"),
        (done("cancelled"), returned("Stopped; the charge of A17 had gone through.")),
        (done("partial"),),
        (done("blocked"),),
    ],
)
def test_cancel_report_held(answer):
    """The effect is named, or the status owns up to it."""
    assert judge(REPORT, tell(*STOPPED, *answer)) == "HELD"


def test_cancel_report_nothing_to_name():
    """Nothing happened, or it was undone, or it came after the answer, or is known since long."""
    quiet = completion()
    assert judge(REPORT, tell(charge(), cancels("task"), timeout(), *quiet)) == "HELD"
    undone = tell(has_undos(), *STOPPED, refund(), commit(), ok(), *quiet)
    assert judge(REPORT, undone) == "HELD"
    late = tell(charge(), cancels("task"), timeout(), done("cancelled"), commit(1), returned())
    assert judge(REPORT, late) == "HELD"
    known = (charged(), done(), resumes("follow_up"), ship(), cancels(), timeout(), *quiet)
    assert judge(REPORT, tell(*known)) == "HELD"


def test_cancel_report_by_a_name_in_the_reply():
    """The receipt's own number names the effect."""
    receipt = (charge(), commit(), reply("applied", {"id": "ch_77", "amount": 42}), cancels())
    assert judge(REPORT, tell(*receipt, *completion(handle="ch_77"))) == "HELD"
    assert judge(REPORT, tell(*receipt, *completion(handle="ch_7")))[0].startswith("AF311")


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_cancel_report_broken(status):
    """AF311: the charge went through, and the answer says nothing of it."""
    history = tell(*STOPPED, *completion(status, detail="Stopped by the user (A170)."))
    assert judge(REPORT, history) == ["AF311 charge: Committed#1 Cancelled#1 Done#1"]
    arrived = tell(charge(), cancels(), commit(), ok(), *completion(status))
    assert judge(REPORT, arrived) == ["AF311 charge: Cancelled#1 Committed#1 Done#1"]
    two = tell(charged("B18"), *STOPPED, *completion(status, handle="A17"))
    assert judge(REPORT, two) == ["AF311 charge: Committed#1 Cancelled#1 Done#1"]


def test_cancel_report_the_done_tool():
    """What a model says in the done tool's detail is read; what nobody can see is not asked."""
    tool = done("cancelled", via="tool")
    unseen = tell(*STOPPED, tool)
    assert judge(REPORT, unseen) == "NOT_EXERCISED"
    mute = asks(("tc_9", "done", {"status": "cancelled"}))
    assert judge(REPORT, tell(*STOPPED, mute, tool)) == [
        "AF311 charge: Committed#1 Cancelled#1 Done#1"
    ]
    told = asks(("tc_9", "done", {"status": "cancelled", "detail": "A17 was charged"}))
    assert judge(REPORT, tell(*STOPPED, told, tool)) == "HELD"


def test_cancel_report_not_exercised():
    """Nobody stopped it, or it ended without a report, or it claims success."""
    assert judge(REPORT, tell(charged(), *completion())) == "NOT_EXERCISED"
    assert judge(REPORT, tell(*STOPPED, raised("CancelledError"))) == "NOT_EXERCISED"
    assert judge(REPORT, tell(*STOPPED, says("Done."), done())) == "NOT_EXERCISED"
