"""`one_intent_per_key`: one key belongs to one intent."""

from agentfuzz import Completion, ToolError, World, one_intent_per_key
from invariants.histories import charge, charged, commit, done, judge, ok, ship, tell
from invariants.loops.billing import BLOCKED, FAULTS, LOST, billing
from invariants.support import EVERY_SEED


def test_held():
    """Two intents, two keys; a repeat of one intent may share its own."""
    history = tell(charged("A17", "k1"), charged("A17", "k1"), charged("B2", "k2"), dedup="key")
    assert judge(one_intent_per_key(), history) == "HELD"


def test_broken():
    """AF107: the key of one order came with another order."""
    history = tell(charged("A17", "k"), charge("B2", "k"), done(), dedup="key")
    assert judge(one_intent_per_key(), history) == ["AF107 charge: Called#1 Called#2"]
    violation = one_intent_per_key()(history).violations[0]
    assert violation.title == "charge_card: one key, two intents"
    assert violation.world == "key 'k' belongs to charge(order_id='A17')"


def test_looks_across_tools():
    """AF107: one key for the charge and the parcel of an order."""
    history = tell(charged("A17", "k"), ship("A17", "k"), commit(), ok(), dedup="key")
    assert judge(one_intent_per_key(), history) == ["AF107 shipment: Called#1 Called#2"]


def test_not_exercised():
    """Fewer than two intents carried a key, or the backend takes none."""
    history = tell(charged("A17", "k"), charged("B2"), dedup="key")
    assert judge(one_intent_per_key(), history) == "NOT_EXERCISED"
    history = tell(charged("A17", "k"), ship("B2", "k"), commit(), ok())
    assert judge(one_intent_per_key(), history) == "NOT_EXERCISED"


# on whole loops


def numbered_keys(world: World) -> Completion:
    """Victim: counts its keys by orders and by attempts, so that two meet."""
    for number, order in enumerate(("A17", "B18")):
        for attempt in range(2):
            try:
                world.tools.charge(order_id=order, idempotency_key=f"key-{number + attempt}")
                break
            except LOST:
                continue
            except ToolError:
                break
    return BLOCKED


def scoped_keys(world: World) -> Completion:
    """Keys that say which order they belong to."""
    for order in ("A17", "B18"):
        for _ in range(2):
            try:
                world.tools.charge(order_id=order, idempotency_key=f"key-{order}")
                break
            except FAULTS:
                continue
    return BLOCKED


def test_victim(found):
    """Keys that are counted, so that two meet."""
    assert found(one_intent_per_key(), billing("key"), numbered_keys, **EVERY_SEED) == [
        "AF107 charge: charge#1:once/timeout"
    ]


def test_survivor(held):
    """Keys that say which order they belong to."""
    assert held(one_intent_per_key(), billing("key"), scoped_keys, **EVERY_SEED) > 0
