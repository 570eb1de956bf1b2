"""`approval_single_use`: an approval allows one effect, in its time."""

import pytest

from agentfuzz import Completion, World, approval_single_use
from agentfuzz.scenarios import approve_payment
from invariants.conversations import asks, under
from invariants.histories import (
    call,
    cancels,
    charge,
    charged,
    commit,
    decides,
    done,
    judge,
    looked_up,
    ok,
    reply,
    restarts,
    resumes,
    ship,
    tell,
    timeout,
    waits,
)
from invariants.loops.shopping import DONE, FAULTS, UNKNOWN

NAMED, LAW = approval_single_use("charge_card"), approval_single_use()
ASKED = asks("tc_1")
WAIT = (ASKED, waits("tc_1"), done("blocked", "needs_approval"), resumes("decision"))
A17 = under("tc_1", charged())
REPEATED = (asks("tc_2"), under("tc_2", charged()))
GRANT = decides("tc_1")
LATER = resumes("decision", 3)


def judged(*steps):
    """What both forms of the law say, which must be the same."""
    history = tell(*steps, done())
    verdict = judge(NAMED, history)
    assert judge(LAW, history) == verdict
    return verdict


@pytest.mark.parametrize(
    "steps",
    [
        (GRANT, A17),
        (decides("tc_1", "41 EUR"), under("tc_1", charged())),
        (GRANT, A17, LATER, GRANT),
        (GRANT, A17, waits("tc_1", "i2"), LATER, decides("tc_1", interrupt="i2"), A17),
        (GRANT, under("tc_1", charge()), timeout(), A17),
        (GRANT, under("tc_1", charge()), commit(), commit(), ok()),
        (GRANT, under("tc_1", charge()), commit(), ok(), restarts(3), looked_up()),
        (GRANT, restarts(3), *REPEATED),
        (GRANT, charged()),
        (GRANT, restarts(3), GRANT, A17),
        (GRANT, restarts(3), GRANT, restarts(4), GRANT, A17),
        (decides("tc_1", False), looked_up()),
        (decides("tc_1", None), LATER, GRANT, looked_up()),
    ],
    ids=[
        "granted",
        "changed by the person",
        "granted twice, done once",
        "asked anew",
        "a retry of what was lost",
        "delivered twice",
        "restarted",
        "the same words under another id",
        "a loop that hands no ids on",
        "brought again after a crash",
        "and again",
        "refused",
        "expired",
    ],
)
def test_held(steps):
    """One grant, one effect, and none without."""
    assert judged(*WAIT, *steps) == "HELD"


def test_broken():
    """AF409: the approval is delivered again, or the model repeats the call: two effects."""
    broken = ["AF409 charge_card again: Decided#1 Committed#1 Committed#2"]
    twice = (*WAIT, GRANT, A17, LATER, GRANT, A17)
    assert judged(*twice) == broken
    assert LAW(tell(*twice)).violations[0].title == "charge_card ran 2x, approved once"
    assert judged(*WAIT, GRANT, A17, *REPEATED) == broken
    within = (resumes("decision", 3, "running"), GRANT, A17, resumes("back", 2))
    double = (under("tc_1", charge()), *within, commit(1), reply("applied", of=1))
    assert judged(*WAIT, GRANT, *double) == broken


@pytest.mark.parametrize(
    ("before", "grant", "why"),
    [
        (decides("tc_1", None), "Decided#2", "the time for it was over"),
        (decides("tc_1", False), "Decided#2", "it had been refused"),
        (cancels(), "Decided#1", "the task had been cancelled"),
    ],
)
def test_too_late(before, grant, why):
    """AF409: the grant came when it could allow nothing any more."""
    steps = (*WAIT, before, LATER, GRANT, A17)
    assert judged(*steps) == [f"AF409 charge_card late: Interrupted#1 {grant} Committed#1"]
    assert LAW(tell(*steps)).violations[0].world == why


@pytest.mark.parametrize("status", ["success", "failed", "cancelled"])
def test_after_the_end(status):
    """AF409: the leg that asked had ended for good; one that ended blocked goes on."""
    history = (ASKED, waits("tc_1"), done(status), resumes("decision"), GRANT, A17)
    assert judged(*history) == ["AF409 charge_card late: Interrupted#1 Decided#1 Committed#1"]


def test_without_one():
    """AF409: it took effect before the decision, or on another call's, or unasked."""
    broken = ["AF409 charge_card: Committed#1"]
    assert judged(ASKED, waits("tc_1"), A17, resumes("decision"), GRANT) == broken
    other = asks(("tc_2", "charge_card", {"order_id": "A17", "amount": 4200}))
    more = under("tc_2", call("charge_card", order_id="A17", amount=4200))
    assert judged(*WAIT, other, GRANT, more, commit(), ok()) == broken
    unasked = tell(charged(), done())
    assert judge(NAMED, unasked) == broken
    assert NAMED(unasked).violations[0].title == "charge_card ran without approval"


def test_two_calls():
    """Each call has a grant of its own; the other's is not its."""
    two = asks("tc_1", ("tc_2", "charge_card", {"order_id": "B18"}))
    wait = (two, waits("tc_1"), waits("tc_2", "i2"), done("blocked"), resumes("decision"))
    b18 = under("tc_2", charged("B18"))
    second = decides("tc_2", interrupt="i2")
    assert judged(*wait, GRANT, A17, done("partial"), LATER, second, b18) == "HELD"
    assert judged(*wait, GRANT, A17, b18) == ["AF409 charge_card: Committed#2"]


def test_two_calls_alike():
    """Each takes the grant that bears its id, whichever takes effect first."""
    wait = (asks("tc_1", "tc_2"), waits("tc_1"), waits("tc_2", "i2"), done("blocked"))
    late = (resumes("decision"), GRANT, under("tc_1", charge()), timeout(), done("partial"))
    second = (LATER, decides("tc_2", interrupt="i2"), under("tc_2", charge()), commit(2), ok())
    assert judged(*wait, *late, *second, commit(1)) == "HELD"


def test_not_exercised():
    """Nothing of these tools took effect, or nothing waited; other tools are free."""
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(NAMED, tell(ship(), commit(), ok(), done())) == "NOT_EXERCISED"
    assert judged(ASKED, waits("tc_1"), done("blocked")) == "NOT_EXERCISED"
    assert judged(*WAIT, GRANT, ship(), commit(), ok()) == "HELD"


# on whole loops


PAYING = approve_payment.approve_payment
APPROVED = approval_single_use("pay_invoice")


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (approve_payment.any_answer, ["AF409 pay_invoice: approval:pay_invoice#1:refused"]),
        (approve_payment.in_order, ["AF409 pay_invoice: approval:pay_invoice#1:twice"]),
        (approve_payment.whenever, ["AF409 pay_invoice late: approval:pay_invoice#1:late"]),
        (
            approve_payment.every_click,
            [
                "AF409 pay_invoice again: approval:pay_invoice#1:twice",
                "AF409 pay_invoice late: approval:pay_invoice#1:late",
            ],
        ),
    ],
)
def test_victim(found, victim, expected):
    """A refusal, another call's yes, an expired yes, a yes that was used up."""
    assert found(APPROVED, PAYING, victim) == expected


def test_a_call_that_never_waited(found):
    """A tool that is named needs a grant, also where nobody asks for one."""

    def at_once(world: World) -> Completion:
        for name, cents in approve_payment.INVOICES.items():
            try:
                world.tools.pay_invoice(invoice_id=name, cents=cents)
            except FAULTS:
                return UNKNOWN
        return DONE

    assert found(APPROVED, PAYING, at_once) == ["AF409 pay_invoice: no faults"]


def test_survivor(held):
    """The first answer uses it up."""
    assert held(APPROVED, PAYING, approve_payment.used_once) > 500


def test_untested(untested):
    """Nothing waits for a decision: without a tool's name, nothing needs one."""

    def never_asks(world: World) -> Completion:
        for name, cents in approve_payment.INVOICES.items():
            try:
                world.tools.pay_invoice(invoice_id=name, cents=cents)
            except FAULTS:
                return UNKNOWN
        return DONE

    assert untested(LAW, PAYING, never_asks) == ["AF802 approval_single_use was never exercised"]


def test_what_waits_without_faults():
    """AF409: without names, too, a call that waits in the run without faults and not in this one,
    or on the strength of another call's decision; what never waits is free."""
    clean = tell(*WAIT, GRANT, A17, done())
    skipped = tell(asks("tc_1"), A17, done())
    assert judge(LAW, skipped, clean) == ["AF409 charge_card: Committed#1"]
    b18 = ("tc_2", "charge_card", {"order_id": "B18"})
    other = (asks(b18), waits("tc_2"), done("blocked"), resumes("decision"), decides("tc_2"))
    assert judge(LAW, tell(*other, A17, done()), clean) == ["AF409 charge_card: Committed#1"]
    assert judge(LAW, tell(*WAIT, GRANT, A17, done()), clean) == "HELD"
    assert judge(LAW, tell(*WAIT, GRANT, A17, ship(), commit(), ok(), done()), clean) == "HELD"
    assert judge(LAW, skipped, skipped) == "NOT_EXERCISED"
