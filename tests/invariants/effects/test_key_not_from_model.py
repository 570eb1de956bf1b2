"""`key_not_from_model`: a key does not follow the words of the model."""

import json
from uuid import uuid4

import pytest

from agentfuzz import Completion, World, key_not_from_model
from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Slot
from agentfuzz.core.plan import fault_of
from invariants.histories import charged, done, happens, judge, strikes, tell
from invariants.loops.order import LIVES, intent_key, talk

DRIFT = fault_of("model", "drift")


def model(fault):
    return strikes(f"model#1:{fault}")


BASE = tell(charged(key="charge:A17"), done(), dedup="key")


def judged(*steps, baseline=BASE, dedup="key"):
    return judge(key_not_from_model(), tell(*steps, done(), dedup=dedup), baseline)


@pytest.mark.parametrize("fault", ["drift", "drift=2", "repeat", "reword=7"])
def test_held(fault):
    """The words are others, the key is the same; so is that of a call made again."""
    same = charged(key="charge:A17")
    assert judged(model(fault), same) == "HELD"
    assert judged(same, model(fault), same) == "HELD"
    assert judged(model(fault), same, charged("B18", "charge:B18")) == "HELD"


def test_broken():
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


def test_random_keys():
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
        (model("drift"), strikes("charge_card#1:once/timeout"), charged(key="x")),
        (happens(Struck, Slot("tool", "charge_card", 1), DRIFT), charged(key="x")),
        (model("drift"), charged("a17", key="x")),
    ],
    ids=["no fault", "another fault", "a tool fault too", "no fault of a model", "other intents"],
)
def test_not_exercised(steps):
    """Another fault struck, or none, or no intent was called in both runs."""
    assert judged(*steps) == "NOT_EXERCISED"


def test_tools_without_keys():
    """NOT_EXERCISED where no key is asked for, or none was sent without faults."""
    assert judged(model("drift"), charged(key="x"), dedup="none") == "NOT_EXERCISED"
    base = tell(charged(), done(), dedup="key")
    assert judged(model("drift"), charged(), baseline=base) == "NOT_EXERCISED"
    assert judge(key_not_from_model(), BASE) == "NOT_EXERCISED"


# on whole loops


def hashes_the_arguments(world: World) -> Completion:
    """Victim: the key is what the model wrote."""
    return talk(world, lambda one: json.dumps(one["arguments"]))


def takes_the_call_id(world: World) -> Completion:
    """Victim: the key is the id of the model's call."""
    return talk(world, lambda one: one["id"])


def takes_the_intent(world: World) -> Completion:
    """Survivor: run, tool, order."""
    return talk(world, intent_key)


def rolls_a_key(world: World) -> Completion:
    """Neither: its key is derived from nothing."""
    return talk(world, lambda one: str(uuid4()))


LAW = key_not_from_model()


@pytest.mark.parametrize(
    ("victim", "plan"),
    [(hashes_the_arguments, "model#1:drift"), (takes_the_call_id, "model#1:repeat")],
)
def test_victim(found, victim, plan):
    """By other words, or by asking again."""
    assert found(LAW, LIVES, victim) == [f"AF113 charge: {plan}"]


@pytest.mark.slow
def test_survivor(held):
    """Whatever it says, in one turn or in two."""
    assert held(LAW, LIVES, takes_the_intent, alone=True) > 10


def test_untested(untested):
    """The model's words are never changed; or the key hangs on none."""
    never = ["AF802 key_not_from_model was never exercised"]
    calm = {"exclude": ("drift", "repeat", "reword")}
    assert untested(LAW, LIVES, hashes_the_arguments, **calm) == never
    assert untested(LAW, LIVES, rolls_a_key) == never
