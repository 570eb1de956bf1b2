"""`at_most_once`: one effect for each intent, however often it is asked for."""

import pytest

from agentfuzz import at_most_once
from invariants.conversations import asks, under
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    ok,
    refund,
    reply,
    ship,
    strikes,
    tell,
    timeout,
)
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


def test_done_again_after_it_was_taken_back():
    """Book, cancel, rebook is one effect at any time; a double that is undone later was one
    (AF101), and an undo that found nothing makes no room."""
    gone = (refund(), commit(), ok())
    assert judge(at_most_once(), tell(has_undos(), charged(), *gone, charged())) == "HELD"
    again = tell(has_undos(), charged(), *gone, charged(), *gone, charged())
    assert judge(at_most_once(), again) == ["AF101 refund: Committed#2 Committed#4"]
    double = tell(has_undos(), charged(), charged(), *gone)
    assert judge(at_most_once(), double) == ["AF101 charge: Committed#1 Committed#2"]
    third = tell(has_undos(), charged(), *gone, charged(), charged())
    assert judge(at_most_once(), third) == ["AF101 charge: Committed#3 Committed#4"]
    lost = tell(has_undos(), charged(), refund(), ok(), charged())
    assert judge(at_most_once(), lost) == ["AF101 charge: Committed#1 Committed#2"]
    early = tell(has_undos(), charge(), timeout(), *gone, commit(1), charged())
    assert judge(at_most_once(), early) == ["AF101 charge: Committed#2 Committed#3"]


@pytest.mark.parametrize("delivery", ["once", "late"])
def test_after_a_429(delivery):
    """AF101: a 429 says that nothing was done, and where it was, it is there twice."""
    limited = reply("failed", raised="RateLimited")
    early, late = ((commit(1),), ()) if delivery == "once" else ((), (commit(1),))
    history = tell(charge(), *early, limited, charged(), *late)
    assert judge(at_most_once(), history) == ["AF101 charge: Committed#1 Committed#2"]


def asks_twice(*between):
    return (
        asks("tc_1"),
        under("tc_1", charged()),
        *between,
        asks("tc_2"),
        under("tc_2", charged()),
    )


def test_what_only_the_model_did():
    """AF101: the model asked again under a fresh id; that is said, and what would mend it."""
    history = tell(*asks_twice(strikes("model#2:repeat")), done())
    (violation,) = at_most_once()(history).violations
    assert violation.code == "AF101"
    assert "the model asked for it 2 times, under fresh ids (tc_1, tc_2)" in violation.sentence
    assert "one key for each intent" in violation.hint
    assert "done event" in violation.hint


@pytest.mark.parametrize(
    "steps",
    [
        asks_twice(),
        asks_twice(strikes("model#2:repeat"), strikes("lookup#1:once/timeout")),
        (strikes("model#2:repeat"), asks("tc_1"), under("tc_1", charged()), charged()),
        (strikes("model#2:reword"), *asks_twice()),
    ],
    ids=["no fault", "another fault", "asked once", "another kind"],
)
def test_what_not_only_the_model_did(steps):
    """AF101: the loop called again."""
    (violation,) = at_most_once()(tell(*steps)).violations
    assert violation.sentence.endswith("the agent called charge_card again.")


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
