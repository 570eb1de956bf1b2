"""`evidence_resolves`: what is acted on rests on a source, and the source says so."""

import time
from types import MappingProxyType

import pytest

from agentfuzz import Completion, World, evidence_resolves
from invariants.histories import (
    call,
    charge,
    charged,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    reply,
    tell,
    timeout,
)
from invariants.histories import refund as undo
from invariants.loops.teams import DONE, FAULTS, UNKNOWN, claim, fits, payload, pays, refunds
from invariants.teams import accepts, acts, gets, rejects, sends, writes
from invariants.teams import payload as body

LAW = evidence_resolves()
A, B = acts("a"), acts("b")
FOUND = (A, looked_up(body={"id": "A17", "amount": 42}))


def says(value=42, source="c1", item="amount"):
    return {"item": item, "value": value, "source": source}


HALF = {"amount": 4}
CHARGED = (charged(),)


def handed(*claims, then=CHARGED, before=FOUND, **how):
    sent = sends("b", claims=[*claims])
    return tell(*before, sent, B, gets(**how), accepts(), *then, done())


@pytest.mark.parametrize(
    "story",
    [
        handed(says()),
        handed(says(source="lookup#1"), says(source="A17", item="order")),
        handed(says(source="looked it up in A17", item="order"), then=(looked_up(), charged())),
        handed(says(0.42)),
        handed(says(7, "e1"), before=(A, charged())),
        handed(says(7, "rate"), before=(A, writes("rate", 0, 1, 7))),
        handed(says(3, item="refunds")),
        handed(says(1, ""), then=(looked_up(),)),
        handed(says(1, ""), then=(looked_up("A17", "42"), charged())),
        handed(says(1, ""), then=(call("ship"), ok({"amount": 42}), charged())),
        handed(says(1, ""), then=(A, charged())),
        handed(says(1, ""), then=(has_undos(), undo(), ok())),
        handed(says(3), before=(A, looked_up(body=[{"amount": 1}, {"amount": 2}]))),
        handed(says(1), before=(A, call("lookup"), reply("applied", HALF, complete=False))),
        handed(says(), before=(A, looked_up(body={"amount": 4}), *FOUND), then=()),
    ],
    ids=[
        *("an answer", "a slot, and a word of an answer", "nowhere, and read", "in hundredths"),
        *("an effect", "shared", "another field", "nothing done", "read again"),
        "an effect says it",
        *("done by another", "an undo", "a sum", "half an answer", "an old answer, not acted on"),
    ],
)  # fmt: skip
def test_held(story):
    """The source says so, or nothing rests on it."""
    assert judge(LAW, story) == "HELD"


def test_broken():
    """AF604: no source, one that does not exist or comes later, one that says otherwise, a value
    that was another one when it was sent."""
    acted = "HandoffSent#1 HandoffReceived#1 HandoffAccepted#1 Committed#1"
    for one in (says(source=""), says(source="c9"), {"item": "amount", "value": 42}):
        assert judge(LAW, handed(one)) == [f"AF604 b: {acted}"]
    later = handed(says(source="c2"), then=(charged(),))
    assert judge(LAW, later) == [f"AF604 b: {acted}"]
    history = handed(says(420))
    assert judge(LAW, history) == [f"AF604 b: Replied#1 {acted}"]
    (told,) = LAW(history).violations
    assert told.sentence == (
        "a handed version 1 of t to b at 3.0 s, and b accepted it with amount = 420; b did "
        "charge(order_id='A17') without reading it again; however, c1 says 42."
    )
    changed = handed(says(source="A17"), body=body(claims=[says(7, "A17")]))
    assert judge(LAW, changed) == [f"AF604 b: {acted}"]
    assert LAW(changed).violations[0].world == "a had said 42"
    unread = (charge(), timeout(), looked_up("A17"), charged())
    assert judge(LAW, handed(says(1, ""), then=unread)) == "HELD"  # read after a timeout


def test_what_the_agent_accepted_last():
    """AF604 is about the task that it works on."""
    other = (A, sends("b", "u"), B, gets(), accepts(), charged())
    assert judge(LAW, handed(says(source=""), then=other)) == "HELD"
    back = (sends("a"), A, gets(), accepts(), B, charged())
    assert judge(LAW, handed(says(source=""), then=back)) == "HELD"


def test_the_data_of_the_run():
    """What the scenario was given is a source; AF604 without it."""
    history = handed(says(source="policy 7"))
    assert judge(LAW, history) != "HELD"
    history = handed(says(source="policy 7"))
    history.data = MappingProxyType({"rules": ["see policy 7"]})
    assert judge(LAW, history) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (A, sends("b"), B, gets(), accepts(), charged()),
        (A, sends("b", claims=[says(1, "")]), B, gets(), rejects(), charged()),
        (
            A,
            sends("b", claims=[says(1, "")]),
            B,
            gets(problem="task: missing"),
            accepts(),
            charged(),
        ),
        (A, sends("b", claims=["amount"]), B, gets(), accepts(), charged()),
        (A, sends("b"), B, gets(body="a text"), accepts(), charged()),
    ],
    ids=["nothing", "no claims", "rejected", "invalid", "claims of another kind", "a text"],
)
def test_not_exercised(steps):
    """Nothing with claims was accepted."""
    assert judge(LAW, tell(*steps, done())) == "NOT_EXERCISED"


# on whole teams


def team(world: World, *, looks: bool) -> Completion:
    """The lead finds the amount and hands it over; billing pays it, or looks first."""
    with world.acting("lead"):
        try:
            world.handoff("billing", payload(carry={}, claims=(claim(world),)))
        except (*FAULTS, KeyError, TypeError):
            return UNKNOWN
    time.sleep(100)
    with world.acting("billing"):
        for handed in world.inbox_of("billing"):
            if fits(handed, {}) not in ("", "which order?") or not world.store.claim(handed.id):
                handed.reject("not like this")
                continue
            handed.accept()
            amounts = [one["value"] for one in handed.payload["claims"]]
            try:
                amount = world.tools.find(order_id="A17")["amount"] if looks else amounts[0]
            except (*FAULTS, KeyError, TypeError, IndexError):
                return UNKNOWN
            pays(world, amount=amount)
    return DONE


def believes(world: World) -> Completion:
    """Victim: pays what it is told."""
    return team(world, looks=False)


def reads(world: World) -> Completion:
    """Survivor: reads it again."""
    return team(world, looks=True)


def test_victim(found):
    """A claim arrives with another value."""
    told = found(LAW, refunds(), believes, only=("poisoned",))
    assert told == ["AF604 billing: handoff:billing#1:once/poisoned"]


def test_survivor(held):
    """Reads before it pays."""
    assert held(LAW, refunds(), reads, depth=1, alone=True) > 0
