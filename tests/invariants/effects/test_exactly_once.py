"""`exactly_once`: what is claimed as done has happened, and happened once."""

import pytest

from agentfuzz import exactly_once
from agentfuzz.core.events import Committed, Done, Ended, Intent
from agentfuzz.core.history import History
from invariants.conversations import says
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    ok,
    strikes,
    tell,
    timeout,
)
from invariants.loops.billing import billing, honest, swallows
from invariants.support import EVERY_SEED

CLEAN = tell(charged(), done())


def test_held():
    """Happened once, and success is claimed."""
    assert judge(exactly_once("charge"), CLEAN, CLEAN) == "HELD"
    assert judge(exactly_once("charge", intents=[{"order_id": "A17"}]), CLEAN) == "HELD"


def test_is_relative_to_the_claim():
    """After a lost reply the honest `blocked` keeps the law, whatever the world holds."""
    blocked = done("blocked", "outcome_unknown")
    assert judge(exactly_once("charge"), tell(charge(), commit(), timeout(), blocked)) == "HELD"
    both = tell(charged("A17"), charge("B2"), timeout(), done("partial"))
    assert judge(exactly_once("charge"), both, tell(charged("A17"), charged("B2"))) == "HELD"


def test_twice():
    """Never more than once, whatever is claimed."""
    history = tell(charged(), charged(), done("failed"))
    assert judge(exactly_once("charge"), history) == ["AF101 charge: Committed#1 Committed#2"]


def test_when_one_request_arrives_twice():
    """AF102: one call, two deliveries, two effects, whatever is claimed."""
    history = tell(charge(), commit(), commit(), ok(), done())
    assert judge(exactly_once("charge"), history) == ["AF102 charge: Committed#1 Committed#2"]


def test_broken():
    """AF103: success is claimed and the effect never happened."""
    history = tell(charge(), timeout(), done())
    assert judge(exactly_once("charge"), history) == ["AF103 charge: Done#1"]
    assert judge(exactly_once("charge"), history, CLEAN) == ["AF103 charge: Done#1"]
    violation = exactly_once("charge")(history, CLEAN).violations[0]
    assert violation.title == "charge 0x, claimed success"
    assert violation.world == "charge(order_id='A17') did not happen"


def test_asks_for_the_intent_not_for_the_tool():
    """Another order's charge is no substitute, by the fault-free run or by `intents`."""
    history = tell(charged("B2"), done())
    assert judge(exactly_once("charge"), history, CLEAN) == ["AF103 charge: Done#1"]
    law = exactly_once("charge", intents=[{"order_id": "A17"}, {"order_id": "B2"}])
    assert judge(law, history) == ["AF103 charge: Done#1"]


@pytest.mark.parametrize("reason", ["already_done", "nothing_to_do"])
def test_of_a_success_that_caused_nothing(reason):
    """AF103 only where the fault-free run has the effect: by that alone it is refuted."""
    history = tell(done("success", reason))
    assert judge(exactly_once("charge"), history) == "HELD"
    assert judge(exactly_once("charge", intents=[{"order_id": "A17"}]), history) == "HELD"
    assert judge(exactly_once("charge"), history, tell(looked_up(), done())) == "HELD"
    assert judge(exactly_once("charge"), history, CLEAN) == ["AF103 charge: Done#1"]


@pytest.mark.parametrize(
    ("scope", "met"),
    [
        ({"order_id": "A17", "part": 2}, True),
        ({"part": 2, "order_id": "A17"}, True),
        ({"part": 2}, True),
        ({}, True),
        ({"part": 1}, False),
        ({"order_id": "A17", "line": 2}, False),
    ],
    ids=["all", "another order", "some", "none", "another value", "another name"],
)
def test_matches_a_scope_by_name(scope, met):
    """`intents` names some or all of a scope, in any order."""
    intent = Intent("charge", (("order_id", "A17"), ("part", 2)))
    commits = Committed(0, 0.0, "e1", "c1", 1, "charge_card", intent, None, {})
    success = Done(1, 0.0, "return", "success", "completed", None, "")
    history = History([commits, success, Ended(2, 0.0, "returned", None, "", "")])
    expected = "HELD" if met else ["AF103 charge: Done#1"]
    assert judge(exactly_once("charge", intents=[scope]), history) == expected


def test_not_exercised():
    """Nothing happened and success was not claimed, or only by a malformed completion."""
    assert judge(exactly_once("charge"), tell(charge(), timeout(), done("failed"))) == (
        "NOT_EXERCISED"
    )
    assert judge(exactly_once("charge"), tell(done(problem="no such reason"))) == "NOT_EXERCISED"


def test_a_step_that_only_the_model_left_out():
    """AF103: the page says so, and what would mend it; not where the loop had called."""
    closes = (strikes("model#1:skip"), says("Done."), done())
    (violation,) = exactly_once("charge")(tell(*closes), CLEAN).violations
    assert violation.sentence.endswith(
        "never happened: the model closed without asking for it, and the answer does not say so."
    )
    assert "done event" in violation.hint
    (violation,) = exactly_once("charge")(tell(charge(), timeout(), *closes), CLEAN).violations
    assert violation.sentence.endswith("never happened.")


# on whole loops


def test_victim(found):
    """Whatever happens, all is well."""
    law = exactly_once("charge")
    assert found(law, billing("scope"), swallows, **EVERY_SEED) == [
        "AF103 charge: charge#1:lost/timeout"
    ]


def test_survivor(held):
    """Says what it knows."""
    assert held(exactly_once("charge"), billing("scope"), honest, **EVERY_SEED) > 0
