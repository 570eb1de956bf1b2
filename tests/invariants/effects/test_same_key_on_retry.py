"""`same_key_on_retry`: all attempts at one intent carry one key."""

import pytest

from agentfuzz import Completion, World, same_key_on_retry
from invariants.histories import (
    charge,
    charged,
    commit,
    has_undos,
    judge,
    ok,
    refund,
    refuse,
    tell,
    timeout,
)
from invariants.loops.billing import BLOCKED, DONE, FAULTS, billing, with_key
from invariants.support import EVERY_SEED


def test_held():
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
def test_broken(first, second, title):
    """AF106: the second call of an intent has another key, or neither has one."""
    history = tell(charge(key=first), timeout(), charged(key=second), dedup="key")
    assert judge(same_key_on_retry(), history) == ["AF106 charge: Called#1 Called#2"]
    assert same_key_on_retry()(history).violations[0].title == title


def test_done_anew_after_it_was_taken_back():
    """What was taken back for good is another booking with another key; an undo that found nothing
    changes nothing (AF106)."""
    undone = (has_undos("key"), charged(key="k1"), refund(key="u"), commit(), ok())
    anew = tell(*undone, charge(key="k2"), timeout(), charged(key="k2"), dedup="key")
    assert judge(same_key_on_retry(), anew) == "HELD"
    again = tell(*undone, charge(key="k2"), timeout(), charged(key="k3"), dedup="key")
    assert judge(same_key_on_retry(), again) == ["AF106 charge: Called#3 Called#4"]
    lost = (has_undos("key"), charged(key="k1"), refund(key="u"), timeout(), charge(key="k2"))
    assert judge(same_key_on_retry(), tell(*lost, dedup="key")) == [
        "AF106 charge: Called#1 Called#3"
    ]


def test_begun_anew_after_refusals():
    """Of what was refused each time nothing came: a new key makes no double (AF106). One attempt
    in doubt among them, and the key has to stay."""
    refusals = (charge(key="k1"), refuse("rate_limited"), charge(key="k1"), refuse("rate_limited"))
    assert judge(same_key_on_retry(), tell(*refusals, charged(key="k2"), dedup="key")) == "HELD"
    doubt = (*refusals[:2], charge(key="k1"), timeout(), charged(key="k2"))
    assert judge(same_key_on_retry(), tell(*doubt, dedup="key")) == [
        "AF106 charge: Called#1 Called#3"
    ]


@pytest.mark.parametrize("dedup", ["none", "scope"])
def test_asks_only_tools_that_take_keys(dedup):
    """A backend that does not deduplicate by key has no key to keep."""
    assert judge(same_key_on_retry(), tell(charged(), charged(), dedup=dedup)) == "NOT_EXERCISED"


def test_not_exercised():
    """No intent was called twice; two orders are two intents."""
    history = tell(charged("A17", "k1"), charged("B2", "k2"), dedup="key")
    assert judge(same_key_on_retry(), history) == "NOT_EXERCISED"


# on whole loops


def fresh_key(world: World) -> Completion:
    """Victim: a key an attempt."""
    for attempt in range(2):
        try:
            world.tools.charge(order_id="A17", idempotency_key=f"attempt-{attempt}")
        except FAULTS:
            continue
        return DONE
    return BLOCKED


def test_victim(found):
    """A key an attempt."""
    assert found(same_key_on_retry(), billing("key"), fresh_key, **EVERY_SEED) == [
        "AF106 charge: charge#1:once/timeout"
    ]


def test_survivor(held):
    """One key, minted before the first attempt."""
    assert held(same_key_on_retry(), billing("key"), with_key, **EVERY_SEED) > 0
