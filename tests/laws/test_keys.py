"""The laws about idempotency keys bite, hold, and say when they had nothing to judge."""

import pytest

from agentfuzz.invariants import one_intent_per_key, same_key_on_retry
from invariants.histories import charge, charged, commit, done, judge, ok, ship, tell, timeout


def test_key_stability_held():
    """One intent, one key, over all its calls."""
    history = tell(charge(key="k"), timeout(), charged(key="k"), dedup="key")
    assert judge(same_key_on_retry(), history) == "HELD"


@pytest.mark.parametrize(
    ("first", "second", "title"),
    [
        ("k1", "k2", "charge_card changed its key"),
        (None, "k2", "charge_card changed its key"),
        ("k1", None, "charge_card changed its key"),
        (None, None, "charge_card repeated without a key"),
    ],
)
def test_key_stability_broken(first, second, title):
    """AF106: the second call of an intent has another key, or neither has one."""
    history = tell(charge(key=first), timeout(), charged(key=second), dedup="key")
    assert judge(same_key_on_retry(), history) == ["AF106 charge: Called#1 Called#2"]
    assert same_key_on_retry()(history).violations[0].title == title


@pytest.mark.parametrize("dedup", ["none", "scope"])
def test_key_stability_asks_only_tools_that_take_keys(dedup):
    """A backend that does not deduplicate by key has no key to keep."""
    assert judge(same_key_on_retry(), tell(charged(), charged(), dedup=dedup)) == "NOT_EXERCISED"


def test_key_stability_not_exercised():
    """No intent was called twice; two orders are two intents."""
    history = tell(charged("A17", "k1"), charged("B2", "k2"), dedup="key")
    assert judge(same_key_on_retry(), history) == "NOT_EXERCISED"


def test_key_injectivity_held():
    """Two intents, two keys; a repeat of one intent may share its own."""
    history = tell(charged("A17", "k1"), charged("A17", "k1"), charged("B2", "k2"), dedup="key")
    assert judge(one_intent_per_key(), history) == "HELD"


def test_key_injectivity_broken():
    """AF107: the key of one order came with another order."""
    history = tell(charged("A17", "k"), charge("B2", "k"), done(), dedup="key")
    assert judge(one_intent_per_key(), history) == ["AF107 charge: Called#1 Called#2"]
    violation = one_intent_per_key()(history).violations[0]
    assert violation.title == "charge_card: one key, two intents"
    assert violation.world == "key 'k' belongs to charge(order_id='A17')"


def test_key_injectivity_looks_across_tools():
    """AF107: one key for the charge and the parcel of an order."""
    history = tell(charged("A17", "k"), ship("A17", "k"), commit(), ok(), dedup="key")
    assert judge(one_intent_per_key(), history) == ["AF107 shipment: Called#1 Called#2"]


def test_key_injectivity_not_exercised():
    """Fewer than two intents carried a key, or the backend takes none."""
    history = tell(charged("A17", "k"), charged("B2"), dedup="key")
    assert judge(one_intent_per_key(), history) == "NOT_EXERCISED"
    history = tell(charged("A17", "k"), ship("B2", "k"), commit(), ok())
    assert judge(one_intent_per_key(), history) == "NOT_EXERCISED"
