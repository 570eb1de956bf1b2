"""`key_saved_before_use`: a key is saved before it is used, so that a restart finds it."""

import json
from uuid import uuid4

import pytest

from agentfuzz import Completion, World, key_saved_before_use
from agentfuzz.scenarios import resume_after_crash
from invariants.histories import charge, charged, done, judge, restarts, saves, ship, tell, timeout
from invariants.loops.order import DONE, UNKNOWN, charge_once, order

LAW = key_saved_before_use()


@pytest.mark.parametrize(
    "saved",
    [
        saves("k1"),
        saves({"charge A17": {"key": "k1", "tries": 0}}),
        saves([1, None, {"k1": "pending"}]),
        saves(json.dumps({"keys": ["k1"]})),
        saves(True, name="claim:k1"),
    ],
    ids=["alone", "inside", "as a name", "inside a text", "as the store's name"],
)
def test_held(saved):
    """The key stands somewhere in what was saved before the call; once for all its calls."""
    history = tell(saved, charge(key="k1"), timeout(), restarts(), charged(key="k1"), dedup="key")
    assert judge(LAW, history) == "HELD"


def test_broken():
    """AF109: saved after the call, or another one, or never."""
    broken = ["AF109 charge: Called#1"]
    never = tell(charged(key="k1"), done(), dedup="key")
    assert judge(LAW, never) == broken
    assert LAW(never).violations[0].title == "charge_card: key not saved before"
    after = tell(charged(key="k1"), saves("k1"), done(), dedup="key")
    assert judge(LAW, after) == broken
    assert LAW(after).violations[0].world == "saved at 4s, sent at 0s"
    assert judge(LAW, tell(saves("k2"), charged(key="k1"), dedup="key")) == broken
    second = tell(saves("k1"), charged(key="k1"), ship(key="k2"), dedup="key")
    assert judge(LAW, second) == ["AF109 shipment: Called#2"]


def test_what_cannot_be_seen():
    """A store that shows no value, or a value that was cut, may hold the key."""
    cut = ["<1200 bytes gASVIw==>", "a long text<77 more characters>", ["<12 more>"]]
    for value in [None, *cut]:
        history = tell(saves(value), charged(key="k1"), done(), dedup="key")
        assert judge(LAW, history) == "NOT_EXERCISED"
    late = tell(charged(key="k1"), saves(None), done(), dedup="key")
    assert judge(LAW, late) == ["AF109 charge: Called#1"]


def test_not_exercised():
    """No write carried a key."""
    assert judge(LAW, tell(charged(), done(), dedup="key")) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(key="k1"), done())) == "NOT_EXERCISED"


# on whole loops


def saves_the_first_key(world: World) -> Completion:
    """Victim: the first key is saved; the one of a repeat is minted on the spot."""
    world.store.setdefault("key", str(uuid4()))
    done = charge_once(world, world.store["key"]) or charge_once(world, str(uuid4()))
    return DONE if done else UNKNOWN


def saves_the_key_behind(world: World) -> Completion:
    """Victim: the key is saved with the receipt."""
    key = world.store.get("key") or str(uuid4())
    done = charge_once(world, key)
    world.store["key"] = key
    return DONE if done else UNKNOWN


def saves_each_key(world: World) -> Completion:
    """Survivor: one key, saved before it is used."""
    world.store.setdefault("key", str(uuid4()))
    done = charge_once(world, world.store["key"]) or charge_once(world, world.store["key"])
    return DONE if done else UNKNOWN


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (saves_the_first_key, "charge_card#1:once/timeout"),
        (saves_the_key_behind, "no faults"),
    ],
)
def test_victim(found, victim, plan):
    """Not at all, or too late."""
    assert found(LAW, order, victim) == [f"AF109 charge: {plan}"]


def test_survivor(held):
    """Wherever the process dies."""
    assert held(LAW, order, saves_each_key, one_in=1) > 500


def test_a_checkpoint_that_knows_no_keys(found, held):
    """The position of four is saved, before or behind: its keys die with the process."""
    story = resume_after_crash.resume_after_crash
    for victim in resume_after_crash.VICTIMS:
        assert found(LAW, story, victim) == ["AF109 salary: no faults"]
    assert held(LAW, story, resume_after_crash.saves_the_key_ahead, depth=1) > 300


def test_untested(untested):
    """A loop that never sends a key."""

    def sends_no_key(world: World) -> Completion:
        return DONE if charge_once(world, None) else UNKNOWN

    never = ["AF802 key_saved_before_use was never exercised"]
    assert untested(LAW, order, sends_no_key) == never
