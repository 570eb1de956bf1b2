"""The laws about effects bite, hold, and say when they had nothing to judge."""

import pytest

from agentfuzz.core.events import Committed, Done, Ended, Intent
from agentfuzz.core.history import History
from agentfuzz.invariants import (
    at_most_once,
    exactly_once,
    no_lost_intent,
)
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

CLEAN = tell(charged(), done())


# at_most_once


def test_at_most_once_held():
    """One effect for each intent; two orders are two intents."""
    assert judge(at_most_once(), tell(charged("A17"), charged("B2"))) == "HELD"


def test_at_most_once_when_the_agent_calls_again():
    """AF101: a second call of the same intent took effect again."""
    history = tell(charge(), commit(), timeout(), charged())
    assert judge(at_most_once(), history) == ["AF101 charge: Committed#1 Committed#2"]
    violation = at_most_once()(history).violations[0]
    assert violation.title == "charge_card ran 2x, expected 1"
    assert violation.says == "no completion after 2 calls"
    assert violation.world == "charge(order_id='A17') happened 2 times"


def test_at_most_once_when_one_request_arrives_twice():
    """AF102: one call, two deliveries, two effects: nobody recognised the repeat."""
    history = tell(charge(), commit(), commit(), ok())
    assert judge(at_most_once(), history) == ["AF102 charge: Committed#1 Committed#2"]
    assert at_most_once()(history).violations[0].says == "no completion after 1 call"
    history = tell(charge(), commit(), commit(), ok(), done())
    assert at_most_once()(history).violations[0].says == "success after 1 call"


def test_at_most_once_blames_the_call_that_doubled():
    """AF102 also when the agent called twice and only one of the calls took effect, twice."""
    history = tell(charge(), timeout(), charge(), commit(), commit(), ok())
    assert judge(at_most_once(), history) == ["AF102 charge: Committed#1 Committed#2"]


def test_at_most_once_counts_each_effect_apart():
    """`effect` limits the law to one effect; without it every effect counts."""
    history = tell(charged(), charged(), ship(), commit(), ok())
    assert judge(at_most_once("shipment"), history) == "HELD"
    assert len(judge(at_most_once(), history)) == 1


@pytest.mark.parametrize(
    ("dedup", "keys", "hint"),
    [
        ("none", (None, None), "look up before calling again"),
        ("key", (None, "k"), "send one idempotency key per intent"),
        ("key", ("k1", "k2"), "mint the key once per intent"),
        ("key", ("k", "k"), "outlived its dedup window"),
    ],
)
def test_the_hint_of_a_repeat_follows_its_keys(dedup, keys, hint):
    """The advice fits what the backend could have recognised."""
    history = tell(*(charged(key=key) for key in keys), dedup=dedup)
    assert hint in at_most_once()(history).violations[0].hint


def test_at_most_once_not_exercised():
    """Nothing of that effect was committed."""
    assert judge(at_most_once(), tell(charge(), timeout())) == "NOT_EXERCISED"
    assert judge(at_most_once("shipment"), tell(charged())) == "NOT_EXERCISED"


# exactly_once


def test_exactly_once_held():
    """Happened once, and success is claimed."""
    assert judge(exactly_once("charge"), CLEAN, CLEAN) == "HELD"
    assert judge(exactly_once("charge", intents=[{"order_id": "A17"}]), CLEAN) == "HELD"


def test_exactly_once_is_relative_to_the_claim():
    """After a lost reply the honest `blocked` keeps the law, whatever the world holds."""
    blocked = done("blocked", "outcome_unknown")
    assert judge(exactly_once("charge"), tell(charge(), commit(), timeout(), blocked)) == "HELD"
    both = tell(charged("A17"), charge("B2"), timeout(), done("partial"))
    assert judge(exactly_once("charge"), both, tell(charged("A17"), charged("B2"))) == "HELD"


def test_exactly_once_twice():
    """Never more than once, whatever is claimed."""
    history = tell(charged(), charged(), done("failed"))
    assert judge(exactly_once("charge"), history) == ["AF101 charge: Committed#1 Committed#2"]


def test_exactly_once_missing():
    """AF103: success is claimed and the effect never happened."""
    history = tell(charge(), timeout(), done())
    assert judge(exactly_once("charge"), history) == ["AF103 charge: Done#1"]
    assert judge(exactly_once("charge"), history, CLEAN) == ["AF103 charge: Done#1"]
    violation = exactly_once("charge")(history, CLEAN).violations[0]
    assert violation.title == "charge 0x, claimed success"
    assert violation.world == "charge(order_id='A17') did not happen"


def test_exactly_once_asks_for_the_intent_not_for_the_tool():
    """Another order's charge is no substitute, by the fault-free run or by `intents`."""
    history = tell(charged("B2"), done())
    assert judge(exactly_once("charge"), history, CLEAN) == ["AF103 charge: Done#1"]
    law = exactly_once("charge", intents=[{"order_id": "A17"}, {"order_id": "B2"}])
    assert judge(law, history) == ["AF103 charge: Done#1"]


@pytest.mark.parametrize("reason", ["already_done", "nothing_to_do"])
def test_exactly_once_of_a_success_that_caused_nothing(reason):
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
def test_exactly_once_matches_a_scope_by_name(scope, met):
    """`intents` names some or all of a scope, in any order."""
    intent = Intent("charge", (("order_id", "A17"), ("part", 2)))
    commits = Committed(0, 0.0, "e1", "c1", 1, "charge_card", intent, None, {})
    success = Done(1, 0.0, "return", "success", "completed", None, "")
    history = History([commits, success, Ended(2, 0.0, "returned", None, "", "")])
    expected = "HELD" if met else ["AF103 charge: Done#1"]
    assert judge(exactly_once("charge", intents=[scope]), history) == expected


def test_exactly_once_not_exercised():
    """Nothing happened and success was not claimed, or only by a malformed completion."""
    assert judge(exactly_once("charge"), tell(charge(), timeout(), done("failed"))) == (
        "NOT_EXERCISED"
    )
    assert judge(exactly_once("charge"), tell(done(problem="no such reason"))) == "NOT_EXERCISED"


# no_lost_intent


def test_no_lost_intent_held():
    """Every answer has an effect of its own intent behind it, a replay too."""
    assert judge(no_lost_intent(), CLEAN, CLEAN) == "HELD"
    history = tell(
        charge(key="k"), commit(), timeout(), charge(key="k"), replay(), reply("replayed"), done()
    )
    assert judge(no_lost_intent("charge"), history) == "HELD"
    history = tell(charge(), timeout(), looked_up(), done("blocked"))
    assert judge(no_lost_intent(), history) == "HELD"


def test_no_lost_intent_missing():
    """AF103: success is claimed and an effect of the fault-free run is not there."""
    history = tell(charged(), done())
    wanted = tell(charged(), ship(), commit(), ok(), done())
    assert judge(no_lost_intent(), history, wanted) == ["AF103 shipment: Done#1"]
    assert judge(no_lost_intent("charge"), history, wanted) == "HELD"
    law = no_lost_intent("charge", intents=[{"order_id": "B2"}])
    assert judge(law, history) == ["AF103 charge: Done#1"]


def test_no_lost_intent_of_a_read_only_success():
    """Nothing is lost where the fault-free run changes nothing and no effect was called for."""
    nothing = tell(looked_up(), done())
    assert judge(no_lost_intent(), tell(looked_up(), done()), nothing) == "HELD"
    history = tell(looked_up(), charge(), timeout(), done())
    assert "AF103 charge: Done#1" in judge(no_lost_intent(), history, nothing)


def test_no_lost_intent_phantom_success():
    """AF108: the backend answered `applied` and nothing had happened."""
    history = tell(charge(), ok(), done("partial"))
    assert judge(no_lost_intent(), history) == ["AF108 charge: Called#1 Replied#1"]
    assert no_lost_intent()(history).violations[0].title == "charge_card applied, 0 effects"


def test_no_lost_intent_effect_after_its_answer():
    """AF108 also when the effect comes only after the answer that promised it."""
    history = tell(charge(), ok(), commit(), done())
    assert judge(no_lost_intent(), history) == ["AF108 charge: Called#1 Replied#1"]


def test_no_lost_intent_swallowed():
    """AF108: the second intent was answered with the first one's effect."""
    history = tell(
        charged("A17", "k"), charge("B2", "k"), replay("e1"), reply("replayed"), done("partial")
    )
    assert judge(no_lost_intent(), history) == ["AF108 charge: Called#2 Replied#2"]
    assert "two intents, one key" in no_lost_intent()(history).violations[0].sentence


def test_no_lost_intent_not_exercised():
    """No effect was asked for and none claimed."""
    assert judge(no_lost_intent(), tell(looked_up(), done("failed"))) == "NOT_EXERCISED"
    assert judge(no_lost_intent("shipment"), tell(charged())) == "NOT_EXERCISED"
