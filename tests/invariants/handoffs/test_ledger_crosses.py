"""`ledger_crosses`: who takes a task over does nothing again that he was not told of."""

import pytest

from agentfuzz import Completion, Payload, World, ledger_crosses, scenario
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    prefix,
    refund,
    refuse,
    replay,
    saves,
    tell,
    timeout,
)
from invariants.loops.handoffs import FAULTS, UNKNOWN
from invariants.teams import accepts, acts, gets, reads, sends, writes

LAW = ledger_crosses()
DONE = (acts("lead"), charge(), commit(), ok({"order_id": "A17", "charge_id": "ch_1"}))
TAKEN = (acts("desk"), gets(), accepts())
AGAIN = (charged(), done())


def over(**fields):
    return (*DONE, sends("desk", "A17", **fields), *TAKEN)


@pytest.mark.parametrize(
    "fields",
    [
        {"effects": ["e1"]},
        {"effects": ["ch_1"]},
        {"effects": ["charge of A17"]},
        {"text": "Paid for, see ch_1."},
        {"claims": [{"item": "paid", "value": True, "source": "ch_1"}]},
    ],
    ids=["its id", "its handle", "its scope", "in prose", "a source"],
)
def test_what_was_told(fields):
    """A receiver that does again what it was told of is `at_most_once`'s to judge (not AF605)."""
    assert judge(LAW, tell(*over(**fields), *AGAIN)) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (looked_up("A17"), *AGAIN),
        (looked_up("C1", {"order": "A17"}), *AGAIN),
        (reads("ledger", 1), *AGAIN),
        (writes("ledger", 1, 2), *AGAIN),
        (saves(), *AGAIN),
        (charge(), replay(), ok(), done()),
        (charge(), refuse("answered_no"), done()),
        (charged("B18"), done()),
        (acts("other"), *AGAIN),
        (acts("lead"), *AGAIN),
        (has_undos(), refund(), commit(), ok(), *AGAIN),
        (done(),),
    ],
    ids=[
        *("looked", "found it", "read it", "wrote it", "has a store", "recognised", "refused"),
        *("another intent", "another agent", "the sender", "taken back", "nothing"),
    ],
)
def test_held(steps):
    """The receiver looked, or did nothing again."""
    assert judge(LAW, tell(*over(), *steps)) == "HELD"


def test_a_text_that_names_the_scope_names_what_was_done():
    """A payload without fields is read for the values of the scope (not AF605)."""
    said = (*DONE, sends("desk"), acts("desk"), gets(body="A17 is paid"), accepts(), *AGAIN)
    assert judge(LAW, tell(*said)) == "HELD"
    assert judge(LAW, tell(*said[:-5], *TAKEN, *AGAIN)) != "HELD"


def test_broken():
    """AF605: told of nothing, it looked nowhere, and did it again, or tried to."""
    told = "AF605 charge: Committed#1 HandoffSent#1 HandoffReceived#1 HandoffAccepted#1"
    assert judge(LAW, tell(*over(), *AGAIN)) == [f"{told} Committed#2"]
    assert judge(LAW, tell(*over(), charge(), timeout(), done())) == [f"{told} Called#2"]
    assert judge(LAW, tell(*over(), looked_up("B18"), *AGAIN)) == [f"{told} Committed#2"]
    trimmed = (*DONE, sends("desk", effects=["e1"]), acts("desk"))
    lost = (gets(body={"task": "t", "effects": []}), accepts())
    assert judge(LAW, tell(*trimmed, *lost, *AGAIN)) == [f"{told} Committed#2"]


def test_what_a_sender_was_told_of_it_tells():
    """AF605: a chain of three, the one in the middle keeps it to himself."""
    first = over(effects=["e1"])
    middle = (*first, sends("third", "A17"), acts("third"), gets(), accepts())
    assert judge(LAW, tell(*middle, *AGAIN)) == [
        "AF605 charge: Committed#1 HandoffSent#2 HandoffReceived#2 HandoffAccepted#2 Committed#2"
    ]
    other = (*first, sends("third", "B18"), acts("third"), gets(), accepts())
    assert judge(LAW, tell(*other, *AGAIN)) == "HELD"


def test_the_sentence():
    """It argues: what was done, what was told, and what was done again."""
    [told] = LAW(tell(*over(), *AGAIN)).violations
    assert told.sentence == (
        "charge(order_id='A17') took effect at 3 s (e1); lead handed version 1 of A17 to desk at "
        "5 s (handoff_1), and what arrived does not name it. desk accepted it at 8 s and looked "
        "nowhere; however it caused it again at 11 s."
    )


def test_not_exercised():
    """Nothing had been done, or nobody accepted."""
    nothing = (acts("lead"), sends("desk"), *TAKEN, *AGAIN)
    assert judge(LAW, tell(*nothing)) == "NOT_EXERCISED"
    assert judge(LAW, tell(*DONE, sends("desk"), acts("desk"), *AGAIN)) == "NOT_EXERCISED"
    assert judge(LAW, prefix(*DONE)) == "NOT_EXERCISED"


# on whole loops


@scenario(task="Charge A17, and have it shipped.")
def orders(world: World) -> None:
    world.agents("lead", "desk")
    charged = world.state.setdefault("charged", [])

    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict:
        charged.append(order_id)
        return {"charge_id": f"ch_{order_id}"}

    @world.tool
    def find(order_id: str) -> dict:
        return {"order_id": order_id, "charged": order_id in charged}


def order(desk):
    """The lead charges and hands over, with the receipt; the desk goes on."""

    def agent(world: World) -> Completion:
        with world.acting("lead"):
            try:
                receipt = world.tools.charge(order_id="A17")["charge_id"]
            except Exception:
                return UNKNOWN
            world.handoff("desk", Payload(task="A17", effects=(str(receipt),)))
        with world.acting("desk"):
            handed = world.inbox_of("desk").take()
            if handed is None:
                return UNKNOWN
            try:
                effects = handed.read().effects
            except ValueError:
                handed.reject("no payload")
                return UNKNOWN
            handed.accept()
            return Completion.success() if effects or desk(world) else UNKNOWN

    return agent


def charges(world: World) -> bool:
    """Victim: what it was not told of was not done."""
    try:
        return bool(world.tools.charge(order_id="A17"))
    except FAULTS:
        return False


def looks(world: World) -> bool:
    """Survivor: what it was not told of it looks up."""
    try:
        found = world.tools.find(order_id="A17")
    except FAULTS:
        return False
    if found == {"order_id": "A17", "charged": False}:
        return charges(world)
    return found == {"order_id": "A17", "charged": True}


def test_victim(found):
    """A summary leaves out what was done."""
    assert found(LAW, orders, order(charges)) == ["AF605 charge: handoff:desk#1:once/trimmed"]


def test_survivor(held):
    """Looks before it acts."""
    assert held(LAW, orders, order(looks), depth=1) > 0
