"""`cancel_report`: who stops because he is told to says what he has done."""

import pytest

from agentfuzz import cancel_report
from agentfuzz.scenarios import cancel_campaign
from invariants.conversations import asks, says
from invariants.histories import (
    cancels,
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    ok,
    raised,
    refund,
    reply,
    resumes,
    returned,
    ship,
    tell,
    timeout,
)

REPORT = cancel_report()
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
def test_held(answer):
    """The effect is named, or the status owns up to it."""
    assert judge(REPORT, tell(*STOPPED, *answer)) == "HELD"


def test_nothing_to_name():
    """Nothing happened, or it was undone, or it came after the answer, or is known since long."""
    quiet = completion()
    assert judge(REPORT, tell(charge(), cancels("task"), timeout(), *quiet)) == "HELD"
    undone = tell(has_undos(), *STOPPED, refund(), commit(), ok(), *quiet)
    assert judge(REPORT, undone) == "HELD"
    late = tell(charge(), cancels("task"), timeout(), done("cancelled"), commit(1), returned())
    assert judge(REPORT, late) == "HELD"
    known = (charged(), done(), resumes("follow_up"), ship(), cancels(), timeout(), *quiet)
    assert judge(REPORT, tell(*known)) == "HELD"


def test_what_was_refused_is_not_known():
    """A 429 says that nothing was done: nobody can name what happened all the same."""
    limited = (charge(), commit(), cancels(), reply("failed", raised="RateLimited"))
    assert judge(REPORT, tell(*limited, *completion())) == "HELD"


def test_by_a_name_in_the_reply():
    """The receipt's own number names the effect."""
    receipt = (charge(), commit(), reply("applied", {"id": "ch_77", "amount": 42}), cancels())
    assert judge(REPORT, tell(*receipt, *completion(handle="ch_77"))) == "HELD"
    assert judge(REPORT, tell(*receipt, *completion(handle="ch_7")))[0].startswith("AF311")


@pytest.mark.parametrize("status", ["cancelled", "failed"])
def test_broken(status):
    """AF311: the charge went through, and the answer says nothing of it."""
    history = tell(*STOPPED, *completion(status, detail="Stopped by the user (A170)."))
    assert judge(REPORT, history) == ["AF311 charge: Committed#1 Cancelled#1 Done#1"]
    arrived = tell(charge(), cancels(), commit(), ok(), *completion(status))
    assert judge(REPORT, arrived) == ["AF311 charge: Cancelled#1 Committed#1 Done#1"]
    two = tell(charged("B18"), *STOPPED, *completion(status, handle="A17"))
    assert judge(REPORT, two) == ["AF311 charge: Committed#1 Cancelled#1 Done#1"]


def test_the_done_tool():
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


def test_not_exercised():
    """Nobody stopped it, or it ended without a report, or it claims success."""
    assert judge(REPORT, tell(charged(), *completion())) == "NOT_EXERCISED"
    assert judge(REPORT, tell(*STOPPED, raised("CancelledError"))) == "NOT_EXERCISED"
    assert judge(REPORT, tell(*STOPPED, says("Done."), done())) == "NOT_EXERCISED"


# on whole loops


MAILING = cancel_campaign.cancel_campaign


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (cancel_campaign.says_nothing_was_sent, "process:send_mail#2:cancel"),
        (cancel_campaign.counts_receipts_only, "process:send_mail#1:cancel/after"),
    ],
)
def test_victim(found, victim, plan):
    """All of it is kept back; or the one mail that was under way."""
    assert found(REPORT, MAILING, victim) == [f"AF311 mail: {plan}"]


def test_survivor(held):
    """With what is in doubt."""
    assert held(REPORT, MAILING, cancel_campaign.stops_and_reports, one_in=1) > 50


def test_untested(untested):
    """The same loop, and nobody presses Stop."""
    victim = cancel_campaign.says_nothing_was_sent
    assert untested(REPORT, MAILING, victim, exclude=("cancel",)) == [
        "AF802 cancel_report was never exercised"
    ]
