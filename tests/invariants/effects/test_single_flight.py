"""`single_flight`: one request at a time for one intent."""

import pytest

from agentfuzz import single_flight
from agentfuzz.core.events import Delivered
from agentfuzz.scenarios import webhook_twice
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    happens,
    judge,
    lookup,
    ok,
    refuse,
    replay,
    reply,
    restarts,
    resumes,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.webhook import HOOK, ON_THE_WAY

LAW = single_flight()
WITHIN, BACK = resumes("duplicate", after="running"), resumes("back", 1)
FIRST = "AF112 charge: Called#1"


@pytest.mark.parametrize(
    "steps",
    [
        (charge(), timeout(), charged()),
        (charge(), refuse("tool_raised"), charged()),
        (charge(), commit(), restarts(), charged()),
        (charged(), charged("B18"), resumes("follow_up"), charged()),
        (charge(), charge("B18"), commit(1), reply("applied", of=1), charged()),
        (charge(), lookup(), ok(), ship(), commit(), ok(), reply("unknown", of=1), charged()),
    ],
    ids=["timed out", "refused", "process died", "another leg", "another intent", "other tools"],
)
def test_held(steps):
    """Whatever came of the first request, it is not open any more."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


def test_broken():
    """AF112: the trigger was delivered again in the middle, and both legs send the request."""
    history = tell(charge(), WITHIN, charged(), done(), BACK, commit(1), ok(), done())
    assert judge(LAW, history) == [f"{FIRST} Called#2"]
    assert LAW(history).violations[0].title == "charge_card: two requests open"


def test_children():
    """AF112: two children of one turn, said once for each effect."""
    both = tell(charge(), charge(), charge(), commit(1), commit(2), done())
    assert judge(LAW, both) == [f"{FIRST} Called#2"]
    assert judge(single_flight("shipment"), both) == "NOT_EXERCISED"


@pytest.mark.parametrize("dedup", ["key", "scope"])
def test_a_repeat_that_is_recognised(dedup):
    """A second worker with the same key may send; it may not arrive in the middle."""
    late = tell(
        charge(key="k"), WITHIN, charged(key="k"), BACK, commit(1), ok(), done(), dedup=dedup
    )
    assert judge(LAW, late) == "HELD"
    first = (charge(key="k"), happens(Delivered, "c1", 1))
    arrives = (*first, charge(key="k"), happens(Delivered, "c2", 1))
    conflict = tell(*arrives, refuse("key_conflict"), done("blocked"), dedup=dedup)
    assert judge(LAW, conflict) == [f"{FIRST} Delivered#2"]


def test_other_keys():
    """AF112: two keys for one intent are not recognised."""
    history = tell(charge(key="k1"), WITHIN, charged(key="k2"), BACK, done(), dedup="key")
    assert judge(LAW, history) == [f"{FIRST} Called#2"]
    none = tell(charge(), WITHIN, charged(), BACK, done(), dedup="key")
    assert judge(LAW, none) == [f"{FIRST} Called#2"]


def test_the_network():
    """A second arrival of one call, and one that comes after its reply, are no second request."""
    twice = (strikes("charge_card#1:twice"), charge(), commit(), commit(), ok(), charged())
    assert judge(LAW, tell(*twice, done())) == "HELD"
    late = tell(
        charge(key="k"),
        timeout(),
        charge(key="k"),
        happens(Delivered, "c2", 1),
        commit(1),
        reply("replayed"),
        done(),
        dedup="key",
    )
    assert judge(LAW, late) == "HELD"


def test_not_exercised():
    """No intent was called twice; a leg that is over has left nothing open."""
    assert judge(LAW, tell(charged(), charged("B18"), done())) == "NOT_EXERCISED"
    history = tell(charge(), resumes("follow_up"), charge(), replay(), done())
    assert judge(LAW, history) == "HELD"


# on whole loops


def test_victim(found):
    """The second delivery comes while the first one's request is under way."""
    for victim in webhook_twice.VICTIMS:
        assert found(LAW, HOOK, victim) == [
            f"AF112 mail: {ON_THE_WAY}",
            "AF112 shipment: process:ship#1:duplicate_trigger",
        ]


def test_survivor(held):
    """Whoever has claimed the trigger is alone."""
    assert held(LAW, HOOK, webhook_twice.claims_it_first, one_in=1) > 500


def test_untested(untested):
    """No second delivery gets as far as a call, and no reply is lost."""
    agent, only = webhook_twice.claims_it_first, ("duplicate_trigger",)
    assert untested(LAW, HOOK, agent, only=only) == ["AF802 single_flight was never exercised"]
