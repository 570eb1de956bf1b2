"""The laws about where keys come from bite, hold, and say when they had nothing to judge."""

import json

import pytest

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.invariants import key_not_from_model, key_saved_before_use

from .histories import (
    charge,
    charged,
    done,
    happens,
    judge,
    restarts,
    saves,
    ship,
    struck,
    tell,
    timeout,
)

# key_not_from_model


def model(fault):
    return happens(Struck, Slot("model", "", 1), fault)


BASE = tell(charged(key="charge:A17"), done(), dedup="key")


def judged(*steps, baseline=BASE, dedup="key"):
    return judge(key_not_from_model(), tell(*steps, done(), dedup=dedup), baseline)


@pytest.mark.parametrize("fault", ["drift", "drift=2", "repeat", "reword=7"])
def test_key_independence_held(fault):
    """The words are others, the key is the same; so is that of a call made again."""
    same = charged(key="charge:A17")
    assert judged(model(fault), same) == "HELD"
    assert judged(same, model(fault), same) == "HELD"
    assert judged(model(fault), same, charged("B18", "charge:B18")) == "HELD"


def test_key_independence_follows_the_words():
    """AF113: the key is made of what the model wrote."""
    assert judged(model("drift=1"), charged(key="charge:a17 ")) == [
        "AF113 charge: Struck#1 Called#1"
    ]
    again = judged(charged(key="charge:A17"), model("repeat"), charged(key="tc_2"))
    assert again == ["AF113 charge: Struck#1 Called#2"]
    lost = tell(model("drift"), charged(), done(), dedup="key")
    assert judge(key_not_from_model(), lost, BASE) == ["AF113 charge: Struck#1 Called#1"]
    title = key_not_from_model()(lost, BASE).violations[0].title
    assert title == "charge_card: the model moved its key"


def test_key_independence_random_keys():
    """A random key is derived from nothing: another run, another key."""
    one, other = (
        "4f0c1d7e-3a52-4c11-9a55-0d6b7a2f1e90",
        "charge-9b2f6a7e11c04d0e8f3a5b6c7d8e9f01",
    )
    base = tell(charged(key=one), done(), dedup="key")
    assert judged(model("repeat"), charged(key=other), baseline=base) == "NOT_EXERCISED"
    named = "4f0c1d7e-3a52-5c11-9a55-0d6b7a2f1e90"  # version 5: made of a name
    assert judged(model("repeat"), charged(key=named))[0].startswith("AF113")


@pytest.mark.parametrize(
    "steps",
    [
        (charged(key="x"),),
        (model("skip"), charged(key="x")),
        (model("drift"), struck("charge_card", 1, "once/timeout"), charged(key="x")),
        (struck("charge_card", 1, Fault(("drift", "intact"))), charged(key="x")),
        (model("drift"), charged("a17", key="x")),
    ],
    ids=["no fault", "another fault", "a tool fault too", "no fault of a model", "other intents"],
)
def test_key_independence_not_exercised(steps):
    """Another fault struck, or none, or no intent was called in both runs."""
    assert judged(*steps) == "NOT_EXERCISED"


def test_key_independence_tools_without_keys():
    """NOT_EXERCISED where no key is asked for, or none was sent without faults."""
    assert judged(model("drift"), charged(key="x"), dedup="none") == "NOT_EXERCISED"
    base = tell(charged(), done(), dedup="key")
    assert judged(model("drift"), charged(), baseline=base) == "NOT_EXERCISED"
    assert judge(key_not_from_model(), BASE) == "NOT_EXERCISED"


# key_saved_before_use

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
def test_write_ahead_held(saved):
    """The key stands somewhere in what was saved before the call; once for all its calls."""
    history = tell(saved, charge(key="k1"), timeout(), restarts(), charged(key="k1"), dedup="key")
    assert judge(LAW, history) == "HELD"


def test_write_ahead_broken():
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


def test_write_ahead_what_cannot_be_seen():
    """A store that shows no value, or a value that was cut, may hold the key."""
    cut = ["<1200 bytes gASVIw==>", "a long text<77 more characters>", ["<12 more>"]]
    for value in [None, *cut]:
        history = tell(saves(value), charged(key="k1"), done(), dedup="key")
        assert judge(LAW, history) == "NOT_EXERCISED"
    late = tell(charged(key="k1"), saves(None), done(), dedup="key")
    assert judge(LAW, late) == ["AF109 charge: Called#1"]


def test_write_ahead_not_exercised():
    """No write carried a key."""
    assert judge(LAW, tell(charged(), done(), dedup="key")) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(key="k1"), done())) == "NOT_EXERCISED"
