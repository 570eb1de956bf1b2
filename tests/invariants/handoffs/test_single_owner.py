"""`single_owner`: a task has one owner, and nobody else acts for it."""

import time

import pytest

from agentfuzz import Completion, World, single_owner
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    replay,
    restarts,
    tell,
    timeout,
)
from invariants.histories import refund as undo
from invariants.loops.teams import DONE, UNKNOWN, fits, payload, pays, refunds, works
from invariants.teams import accepts, acts, gets, rejects, sends, spawns

LAW = single_owner()
SENT = (acts("a"), sends("b"), acts("b"))
OWNED = (*SENT, gets(), accepts())
A, B = acts("a"), acts("b")
UNDO = (undo(), commit(), ok())
BACK = (sends("a"), A, gets(), accepts())


@pytest.mark.parametrize(
    "steps",
    [
        (*OWNED, charged(), done()),
        (A, charged(), *OWNED, charged(), done()),
        (*OWNED, charged(), A, charged("B18"), done()),
        (*OWNED, A, charged(), done()),
        (*OWNED, *BACK, charged(), done()),
        (*OWNED, charged(), *BACK, charged(), done()),
        (*SENT, gets(), rejects(), A, charged(), done()),
        (*SENT, A, charged(), B, gets(), rejects(), done()),
        (*SENT, A, charged(), B, gets(), accepts(), charge(), replay(), ok(), done()),
        (*SENT, gets(), charged(), accepts(), done()),
        (*SENT, gets(), looked_up(), rejects(), A, charged(), done()),
        (has_undos(), *SENT, A, charged(), B, gets(), accepts(), A, *UNDO, B, charged(), done()),
        (has_undos(), *SENT, gets(), charged(), *UNDO, rejects(), done()),
        (acts("b"), charged("B18"), *SENT, gets(), charged(), done()),
        (*SENT, gets(), restarts(), acts("b"), charged(), done()),
        (A, spawns("b"), *SENT, gets(), charged(), done()),
        (A, charge(), timeout(), *OWNED, A, charge(), commit(), ok(), B, charge(), replay(), ok()),
    ],
    ids=[
        *("accepted", "done before it was handed over", "something else", "nobody else does it"),
        *("handed back", "done again when it came back", "rejected", "kept", "with one key"),
        *("accepted afterwards", "read", "undone", "undone and rejected", "work of its own"),
        *("died since", "a child", "began as the owner",),
    ],
)  # fmt: skip
def test_held(steps):
    """One at a time, or not the same thing."""
    assert judge(LAW, tell(*steps)) == "HELD"


def test_broken():
    """AF602: without accepting; after another one accepted; two, each on its own."""
    history = tell(*SENT, gets(), charged(), done())
    assert judge(LAW, history) == ["AF602 b: HandoffSent#1 HandoffReceived#1 Committed#1"]
    (told,) = LAW(history).violations
    assert told.sentence == (
        "a handed version 1 of t to b at 1.0 s; b did charge(order_id='A17') at 6.0 s; however, b "
        "had not accepted it."
    )
    late = tell(*SENT, A, charged(), B, gets(), accepts(), charged(), done())
    events = "HandoffSent#1 Committed#1 HandoffAccepted#1 Committed#2"
    assert judge(LAW, late) == [f"AF602 b: {events}"]
    (told,) = LAW(late).violations
    assert told.sentence == (
        "a handed version 1 of t to b at 1.0 s; b accepted it at 10.0 s and did "
        "charge(order_id='A17'); however, a had done the same at 6.0 s."
    )
    after = tell(*OWNED, charged(), A, charged(), done())
    events = "HandoffSent#1 HandoffAccepted#1 Committed#1 Committed#2"
    assert judge(LAW, after) == [f"AF602 a: {events}"]
    between = tell(*OWNED, A, charged(), B, charged(), done())
    assert judge(LAW, between) == [f"AF602 a: {events}"]


def test_two_receivers():
    """AF602: what two were handed, and both have accepted, both do."""
    two = (*SENT, A, sends("c"), acts("c"), gets(), accepts(), charged(), B, gets(of=1))
    history = tell(*two, accepts(of=1), charged(), done())
    events = "HandoffSent#1 Committed#1 HandoffAccepted#2 Committed#2"
    assert judge(LAW, history) == [f"AF602 b: {events}"]
    assert judge(LAW, tell(*two, rejects(of=1), done())) == "HELD"
    apart = (*SENT, A, sends("c", "u"), acts("c"), gets(), accepts(), charged(), B, gets(of=1))
    assert judge(LAW, tell(*apart, accepts(of=1), charged(), done())) == "HELD"


def test_what_the_new_owner_asks_for_then():
    """AF602: who handed it over does it after it was accepted, before the owner asks for it. Where
    both do so without faults, they are meant to."""
    asked = (charge(), replay(), ok(), done())
    history = tell(*OWNED, A, charged(), B, *asked)
    alone = tell(*OWNED, charged(), done())
    events = "HandoffSent#1 HandoffAccepted#1 Committed#1 Called#2"
    assert judge(LAW, history, alone) == [f"AF602 a: {events}"]
    assert "b had accepted it at 4.0 s and asked for the same at 11.0 s" in (
        LAW(history, alone).violations[0].sentence
    )
    assert judge(LAW, history, history) == "HELD"
    anew = (A, sends("b", "u"), B, gets(), accepts())
    assert judge(LAW, tell(*OWNED, A, charged(), *anew, *asked), alone) == "HELD"
    own = (A, sends("b", "u"), A, charged(), B, *asked)
    assert judge(LAW, tell(*OWNED, *own), alone) == "HELD"
    began = (A, charge(), timeout(), *OWNED, A, charge(), commit(), ok(), B, *asked)
    assert judge(LAW, tell(*began), alone) == "HELD"


def test_who_acknowledges_when_the_work_is_done():
    """AF602 is not for who accepts afterwards, and has not come to it; accepting first is another
    habit. What follows on a rejection may be a report."""
    cut_short = tell(*SENT, gets(), charge(), commit(), timeout(), done("blocked"))
    first = tell(*SENT, gets(), charged(), accepts(), done())
    events = "HandoffSent#1 HandoffReceived#1 Committed#1"
    assert judge(LAW, cut_short, first) == "HELD"
    assert judge(LAW, cut_short, tell(*OWNED, charged(), done())) == [f"AF602 b: {events}"]
    report = tell(*SENT, gets(), rejects(), charged(), done())
    assert judge(LAW, report, first) == judge(LAW, report) == "HELD"


def test_handoffs_without_a_task():
    """Each is a task of its own; AF602 takes none for another."""
    steps = (A, sends("b", ""), B, gets(), accepts(), charged("1"), sends("c", ""))
    inner = (*steps, acts("c"), gets(), accepts(), charged("2"), B, charged("3"), done())
    assert judge(LAW, tell(*inner)) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (charged(),),
        (A, charged()),
        (*SENT, charged()),
        (*OWNED, looked_up()),
        (*OWNED, acts("c"), charged()),
        (*OWNED, acts(""), charged()),
        (*OWNED, call("lookup"), timeout()),
    ],
    ids=["alone", "a name", "nothing arrived", "read", "others", "nobody's", "no answer"],
)
def test_not_exercised(steps):
    """Nothing was handed over, or nobody who takes part has acted."""
    assert judge(LAW, tell(*steps, done())) == "NOT_EXERCISED"


# on whole teams


def impatient(world: World) -> Completion:
    """Victim: waits half a minute, then does it itself; the handoff arrives all the same."""
    seen: dict[str, int] = {}
    with world.acting("lead"):
        receipt = world.handoff("billing", payload())
    works(world, seen)
    with world.acting("lead"):
        if not world.answered(receipt, 30):
            world.tools.refund(order_id="A17", idempotency_key="by-the-lead")
    time.sleep(100)
    works(world, seen)
    return DONE


def claims_first(world: World) -> Completion:
    """Survivor: whoever does it says so first, where all agents see it."""

    def bills() -> None:
        with world.acting("billing"):
            for handed in world.inbox_of("billing"):
                if fits(handed, {}) or not world.store.claim("refund-A17"):
                    handed.reject("not like this")
                else:
                    handed.accept()
                    pays(world)

    with world.acting("lead"):
        receipt = world.handoff("billing", payload())
    bills()
    with world.acting("lead"):
        if not world.answered(receipt, 30) and world.store.claim("refund-A17"):
            pays(world)
    time.sleep(100)
    bills()
    return DONE if receipt.status == "accepted" else UNKNOWN


def remembers(world: World) -> Completion:
    """Victim: where it finds no order in what arrives, it pays for the one that it remembers."""
    with world.acting("lead"):
        world.handoff("billing", payload())
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if world.store.claim("refund"):
                if not fits(handed, {}):
                    handed.accept()
                pays(world)
    return DONE


def test_victim(found):
    """It comes later; or what it must carry stands in its text alone."""
    told = found(LAW, refunds(), impatient, only=("reordered",), alone=True)
    assert told == ["AF602 billing: handoff:billing#1:reordered"]
    told = found(LAW, refunds(), remembers, only=("buried",), alone=True)
    assert told == ["AF602 billing: handoff:billing#1:once/buried"]


def test_survivor(held):
    """Asks first who does it."""
    assert held(LAW, refunds(), claims_first, depth=1) > 0
