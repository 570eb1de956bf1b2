"""`handoffs_valid`: what is not of its type is rejected before anything is done."""

import time

import pytest

from agentfuzz import Completion, World, handoffs_valid
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    tell,
)
from invariants.histories import refund as undo
from invariants.loops.teams import DONE, payload, pays, refunds, works
from invariants.teams import accepts, acts, gets, rejects, sends

LAW = handoffs_valid()
SENT = (acts("a"), sends("b"), acts("b"))
BAD = gets(problem="carry: missing")


@pytest.mark.parametrize(
    "steps",
    [
        (BAD, rejects(), done()),
        (BAD, looked_up(), rejects(), done()),
        (BAD, rejects(), charged(), done()),
        (BAD, rejects(), acts("a"), sends("b", version=2), acts("b"), gets(), accepts(), charged()),
        (BAD, acts("a"), charged(), done()),
        (gets(), accepts(), BAD, charged(), rejects(), done()),
        (gets(), BAD, charged(), done()),
        (acts("b"), has_undos(), BAD, charged(), undo(), commit(), ok(), rejects(), done()),
    ],
    ids=[
        *("rejected", "looked up", "acts later", "sent again", "another acts"),
        *("acts on the first", "acts on either", "taken back"),
    ],
)
def test_held(steps):
    """It is rejected, or nothing rests on it alone."""
    assert judge(LAW, tell(*SENT, *steps)) == "HELD"


def test_broken():
    """AF601: accepted; or not, and acted on all the same."""
    history = tell(*SENT, BAD, accepts(), charged(), done())
    assert judge(LAW, history) == ["AF601 b: HandoffSent#1 HandoffReceived#1 HandoffAccepted#1"]
    (told,) = LAW(history).violations
    assert told.sentence == (
        "a handed version 1 of t to b at 1.0 s; b accepted it, received at 3.0 s; however, what "
        "arrived is invalid (carry: missing)."
    )
    acted = ["AF601 b: HandoffSent#1 HandoffReceived#1 Committed#1"]
    for steps in ((charged(), rejects()), (charged(),), (charge(), commit(), rejects())):
        assert judge(LAW, tell(*SENT, BAD, *steps, done())) == acted
    again = (BAD, rejects(), acts("a"), sends("b"), acts("b"), BAD, charged())
    second = ["AF601 b: HandoffSent#2 HandoffReceived#2 Committed#1"]
    assert judge(LAW, tell(*SENT, *again)) == second


def test_what_the_fault_free_run_does_not_do():
    """A report of what is wrong is no act on the task; what is done without faults is (AF601)."""
    planned = tell(*SENT, gets(), accepts(), charged(), done())
    report = tell(*SENT, BAD, charged("incident"), rejects(), done())
    assert judge(LAW, report, planned) == "HELD"
    assert judge(LAW, tell(*SENT, BAD, charged(), rejects(), done()), planned) != "HELD"


def test_what_is_done_with_whatever_arrives():
    """It is no act on the task, if that begins with the acceptance; AF601 if there is no other."""
    both = tell(*SENT, gets(), charged("audit"), accepts(), charged(), done())
    audited = tell(*SENT, BAD, charged("audit"), rejects(), done())
    assert judge(LAW, audited, both) == "HELD"
    first = tell(*SENT, gets(), charged(), accepts(), done())
    assert judge(LAW, tell(*SENT, BAD, charged(), rejects(), done()), first) != "HELD"


def test_an_agent_with_work_of_its_own():
    """What was at work before anything reached it goes on with that; AF601 needs an acceptance."""
    busy = (acts("b"), charged("B18"), *SENT, BAD)
    assert judge(LAW, tell(*busy, charged(), done())) == "HELD"
    assert judge(LAW, tell(*busy, accepts(), done())) != "HELD"


def test_not_exercised():
    """Nothing arrived, or all of it was as it should be."""
    for steps in ((), SENT, (*SENT, gets()), (*SENT, gets(), accepts(), charged())):
        assert judge(LAW, tell(*steps, done())) == "NOT_EXERCISED"


# on whole teams


def takes_anything(world: World) -> Completion:
    """Victim: accepts whatever has an order in it."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if "A17" in str(handed.payload) and world.store.claim("refund"):
                handed.accept()
                pays(world)
    return DONE


def acts_first(world: World) -> Completion:
    """Victim: pays, and reads it afterwards."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            paid = pays(world)
            try:
                handed.read()
            except ValueError:
                handed.reject("invalid")
            else:
                handed.accept() if paid else handed.reject("not paid")
    return DONE


def by_call(world: World) -> Completion:
    """Victim: a function that pays for whatever it is called with."""

    def billing(order: object) -> str:
        return "refunded" if pays(world) else "unknown"

    with world.acting("lead"):
        world.handoff_of(billing)({"task": "refund", "order_id": "A17"})
    return DONE


def careful(world: World) -> Completion:
    """Survivor: rejects what does not fit, and it is sent again."""
    seen: dict[str, int] = {}
    for version in (1, 2, 3):
        with world.acting("lead"):
            receipt = world.handoff("billing", payload(version))
        time.sleep(100)
        works(world, seen)
        if receipt.status == "accepted":
            return DONE
    return Completion.blocked()


@pytest.mark.parametrize("victim", [takes_anything, acts_first, by_call])
def test_victim(victim, found):
    """A handoff arrives with a field missing."""
    told = found(LAW, refunds(), victim, only=("invalid",), alone=True)
    assert told == ["AF601 billing: handoff:billing#1:once/invalid"]


def test_survivor(held):
    """Rejects it; when it has come again, accepts it."""
    assert held(LAW, refunds(), careful, depth=1) > 0
