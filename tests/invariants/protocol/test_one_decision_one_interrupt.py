"""`one_decision_one_interrupt`: a decision moves the call that it was made for, once."""

import pytest

from agentfuzz import Completion, World, one_decision_one_interrupt, scenario
from agentfuzz.core.events import Decided, Interrupted
from invariants.conversations import asks, under
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    happens,
    judge,
    looked_up,
    ok,
    restarts,
    strikes,
    tell,
    timeout,
)
from invariants.support import judged_by
from search.support import hunt

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
def test_held(steps):
    """Each decision reaches the call that it was made for, and allows it once."""
    assert judge(LAW, tell(*WAIT, *steps, done("partial"))) == "HELD"


def test_for_another_call():
    """AF408: the decision of one interrupt was given to another call."""
    history = tell(*WAIT, decided("i2", "tc_1"), A17, done())
    assert judge(LAW, history) == ["AF408 decision: Interrupted#2 Decided#1"]
    assert LAW(history).violations[0].title == "decision for another interrupt"
    nobody = tell(*WAIT, decided("i9", "tc_1"), A17, done())
    assert judge(LAW, nobody) == ["AF408 decision: Decided#1"]


def test_two_calls_under_one_interrupt():
    """AF408: whoever asks first gets the answer, because both wait under one id."""
    wait = (TWO, interrupted("i1", "tc_1"), interrupted("i1", "tc_2"))
    history = tell(*wait, decided("i1", "tc_1"), A17, done())
    assert judge(LAW, history) == ["AF408 decision: Interrupted#1 Interrupted#2"]


def test_broken():
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


def keyed(key="k1"):
    return under("tc_1", charged(key=key))


FORGED = under("tc_1", lambda story: [step(story) for step in FORGE] and None)
FORGE = (charge(), strikes("charge_card#1:once/wrong"), commit(), ok("ch_9"))
UNREAD = under("tc_1", charge())
GRANT = decided("i1", "tc_1")


@pytest.mark.parametrize(
    "steps",
    [
        (GRANT, keyed(), keyed()),
        (GRANT, keyed(), GRANT, keyed()),
        (GRANT, FORGED, A17),
        (GRANT, UNREAD, restarts(), A17),
        (GRANT, UNREAD, restarts(), GRANT, A17),
        (GRANT, restarts(), GRANT, A17),
        (GRANT, keyed(), restarts(), GRANT, keyed()),
        (GRANT, IN_DOUBT, restarts(), GRANT, A17),
    ],
    ids=[
        "with its key",
        "decided twice, one key",
        "a receipt that does not match",
        "no answer was read",
        "brought again with the restart",
        "lost before it was used",
        "its memory died",
        "in doubt, then a crash",
    ],
)
def test_leaves_repeats_alone(steps):
    """Held: the key of the call, or nothing that could be trusted, stands between the two."""
    assert judge(LAW, tell(*WAIT, *steps, done("partial"))) == "HELD"


def test_after_a_restart():
    """AF408: executed and answered, and executed again with another key or none; decided anew."""
    ran = "AF408 charge_card: Interrupted#1"
    again = tell(*WAIT, GRANT, A17, restarts(), GRANT, A17, done())
    assert judge(LAW, again) == [f"{ran} Decided#2 Called#2"]
    another = tell(*WAIT, GRANT, keyed("k1"), restarts(), keyed("k2"), done())
    assert judge(LAW, another) == [f"{ran} Decided#1 Called#2"]
    anew = tell(*WAIT, GRANT, IN_DOUBT, restarts(), GRANT, GRANT, IN_DOUBT, done("blocked"))
    assert judge(LAW, anew) == [f"{ran} Decided#3 Called#2"]


def test_not_exercised():
    """Nothing was interrupted, and nothing decided."""
    assert judge(LAW, tell(TWO, A17, commit(), ok(), done())) == "NOT_EXERCISED"


# on whole loops


@scenario(one_decision_one_interrupt(), task="Refund A17 and B18.")
def refunds(world: World) -> None:
    """Two refunds that a person has to allow, each for itself."""

    @world.tool(effect="refund", scope=("order_id",), dedup="scope")
    def refund(order_id: str) -> dict:
        return {"refund_id": f"re_{order_id}"}


WAITS = Completion.blocked(reason="needs_approval")


def asks_for_both(world: World) -> Completion:
    pending = {f"tc_{order}": order for order in ("A17", "B18")}
    for name in pending:
        world.request_approval("refund", call=name)
    world.store["pending"] = pending
    return WAITS


def by_order(world: World) -> Completion:
    """Victim: whatever decision arrives is taken for the oldest call that waits."""
    if world.decision is None:
        return asks_for_both(world)
    pending = world.store["pending"]
    if pending:
        oldest = next(iter(pending))
        order = pending.pop(oldest)
        world.store["pending"] = pending
        if world.decision.granted:
            world.call("refund", {"order_id": order}, asked=oldest)
    return WAITS if pending else Completion.success(handle="A17")


def by_id(world: World) -> Completion:
    """Survivor: a decision moves the call that it names, once."""
    if world.decision is None:
        return asks_for_both(world)
    pending, name = world.store["pending"], world.decision.call
    if name in pending:
        order = pending.pop(name)
        world.store["pending"] = pending
        if world.decision.granted:
            world.call("refund", {"order_id": order}, asked=name)
    return WAITS if pending else Completion.success(handle="A17")


def test_victim(found):
    """The first decision arrives twice, and the second call is executed without its own."""
    how = {"only": ("twice", "double_click", "refused"), "depth": 2, "deep_runs": 20}
    assert found(LAW, refunds, by_order, **how) == ["AF408 refund: approval:refund#1:twice"]


def test_survivor(held, simulation):
    """Also twice, in the middle of the first, refused, and too late."""
    assert held(LAW, refunds, by_id) > 0
    struck = hunt(judged_by(LAW, refunds), by_id, simulation, depth=1, deep_runs=0).kinds
    late = {"twice", "double_click", "refused", "late"}
    assert {kind for kind, times in struck.items() if times} >= late


def test_untested(untested):
    """A loop that asks nobody."""

    def never_asks(world: World) -> Completion:
        world.tools.refund(order_id="A17")
        return Completion.success(handle="A17")

    assert untested(LAW, refunds, never_asks) == [
        "AF802 one_decision_one_interrupt was never exercised"
    ]
