"""`at_most_once`: one effect for each intent, however often it is asked for."""

import pytest

from agentfuzz import at_most_once
from invariants.histories import charge, charged, commit, done, judge, ok, ship, tell, timeout
from invariants.loops.billing import billing, honest, retries, with_key
from invariants.support import EVERY_SEED


def test_held():
    """One effect for each intent; two orders are two intents."""
    assert judge(at_most_once(), tell(charged("A17"), charged("B2"))) == "HELD"


def test_broken():
    """AF101: a second call of the same intent took effect again."""
    history = tell(charge(), commit(), timeout(), charged())
    assert judge(at_most_once(), history) == ["AF101 charge: Committed#1 Committed#2"]
    violation = at_most_once()(history).violations[0]
    assert violation.title == "charge_card ran 2x, expected 1"
    assert violation.says == "no completion after 2 calls"
    assert violation.world == "charge(order_id='A17') happened 2 times"


def test_when_one_request_arrives_twice():
    """AF102: one call, two deliveries, two effects: nobody recognised the repeat."""
    history = tell(charge(), commit(), commit(), ok())
    assert judge(at_most_once(), history) == ["AF102 charge: Committed#1 Committed#2"]
    assert at_most_once()(history).violations[0].says == "no completion after 1 call"
    history = tell(charge(), commit(), commit(), ok(), done())
    assert at_most_once()(history).violations[0].says == "success after 1 call"


def test_blames_the_call_that_doubled():
    """AF102 also when the agent called twice and only one of the calls took effect, twice."""
    history = tell(charge(), timeout(), charge(), commit(), commit(), ok())
    assert judge(at_most_once(), history) == ["AF102 charge: Committed#1 Committed#2"]


def test_counts_each_effect_apart():
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


def test_not_exercised():
    """Nothing of that effect was committed."""
    assert judge(at_most_once(), tell(charge(), timeout())) == "NOT_EXERCISED"
    assert judge(at_most_once("shipment"), tell(charged())) == "NOT_EXERCISED"


# on whole loops


ONCE, TWICE = "AF101 charge: charge#1:once/timeout", "AF102 charge: charge#1:twice"


def test_victim(found):
    """Calls again after a timeout, as if nothing had happened; and no loop is careful enough for a
    backend that recognises no repeat."""
    assert found(at_most_once("charge"), billing(), retries, **EVERY_SEED) == [ONCE, TWICE]
    assert found(at_most_once(), billing(), honest, **EVERY_SEED) == [TWICE]


def test_survivor(held):
    """One key for every attempt; or one attempt, at a backend that knows the order."""
    assert held(at_most_once("charge"), billing("key"), with_key, **EVERY_SEED) > 0
    assert held(at_most_once(), billing("scope"), honest, **EVERY_SEED) > 0
