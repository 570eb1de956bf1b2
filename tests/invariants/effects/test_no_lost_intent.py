"""`no_lost_intent`: what is claimed, or answered as done, has happened."""

import pytest

from agentfuzz import Completion, World, no_lost_intent
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    ok,
    replay,
    reply,
    ship,
    tell,
    timeout,
)
from invariants.loops.billing import BLOCKED, billing, honest, swallows
from invariants.support import EVERY_SEED

CLEAN = tell(charged(), done())


def test_held():
    """Every answer has an effect of its own intent behind it, a replay too."""
    assert judge(no_lost_intent(), CLEAN, CLEAN) == "HELD"
    history = tell(
        charge(key="k"), commit(), timeout(), charge(key="k"), replay(), reply("replayed"), done()
    )
    assert judge(no_lost_intent("charge"), history) == "HELD"
    history = tell(charge(), timeout(), looked_up(), done("blocked"))
    assert judge(no_lost_intent(), history) == "HELD"


def test_broken():
    """AF103: success is claimed and an effect of the fault-free run is not there."""
    history = tell(charged(), done())
    wanted = tell(charged(), ship(), commit(), ok(), done())
    assert judge(no_lost_intent(), history, wanted) == ["AF103 shipment: Done#1"]
    assert judge(no_lost_intent("charge"), history, wanted) == "HELD"
    law = no_lost_intent("charge", intents=[{"order_id": "B2"}])
    assert judge(law, history) == ["AF103 charge: Done#1"]


def test_of_a_read_only_success():
    """Nothing is lost where the fault-free run changes nothing and no effect was called for."""
    nothing = tell(looked_up(), done())
    assert judge(no_lost_intent(), tell(looked_up(), done()), nothing) == "HELD"
    history = tell(looked_up(), charge(), timeout(), done())
    assert "AF103 charge: Done#1" in judge(no_lost_intent(), history, nothing)


def test_phantom_success():
    """AF108: the backend answered `applied` and nothing had happened."""
    history = tell(charge(), ok(), done("partial"))
    assert judge(no_lost_intent(), history) == ["AF108 charge: Called#1 Replied#1"]
    assert no_lost_intent()(history).violations[0].title == "charge_card applied, 0 effects"


def test_effect_after_its_answer():
    """AF108 also when the effect comes only after the answer that promised it."""
    history = tell(charge(), ok(), commit(), done())
    assert judge(no_lost_intent(), history) == ["AF108 charge: Called#1 Replied#1"]


def test_swallowed():
    """AF108: the second intent was answered with the first one's effect."""
    history = tell(
        charged("A17", "k"), charge("B2", "k"), replay("e1"), reply("replayed"), done("partial")
    )
    assert judge(no_lost_intent(), history) == ["AF108 charge: Called#2 Replied#2"]
    assert "two intents, one key" in no_lost_intent()(history).violations[0].sentence


def test_not_exercised():
    """No effect was asked for and none claimed."""
    assert judge(no_lost_intent(), tell(looked_up(), done("failed"))) == "NOT_EXERCISED"
    assert judge(no_lost_intent("shipment"), tell(charged())) == "NOT_EXERCISED"


# on whole loops


def believes(world: World) -> Completion:
    """Victim where a reply may lie: takes its word for it, and says nothing."""
    return world.tools.charge(order_id="A17") and BLOCKED


def test_victim(found):
    """Whatever happens, all is well; or a backend that promises what it does not do."""
    assert found(no_lost_intent("charge"), billing(), swallows, **EVERY_SEED) == [
        "AF103 charge: charge#1:lost/timeout"
    ]
    assert found(no_lost_intent(), billing(), believes, faults=("lost",), **EVERY_SEED) == [
        "AF108 charge: charge#1:lost"
    ]


@pytest.mark.parametrize("law", [no_lost_intent("charge"), no_lost_intent()], ids=str)
def test_survivor(held, law):
    """Says what it knows."""
    assert held(law, billing(), honest, **EVERY_SEED) > 0
