"""The law about the doors of a loop bites, holds, and says when there was no other door."""

import pytest

from agentfuzz.invariants import same_by_every_entrypoint
from agentfuzz.invariants.claims.same_by_every_entrypoint import differences

from .histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    ok,
    prefix,
    raised,
    returned,
    ship,
    struck,
    tell,
    timeout,
)

LAW = same_by_every_entrypoint()
FAULT = struck("charge_card", 1, "once/timeout")


def test_same_by_every_entrypoint_held():
    """The same effects, in any order and by any calls, and the same ending."""
    streamed = tell(charged(), charged("B18"), done(handle="ch_1"))
    assert judge(LAW, tell(charged("B18"), charge(), commit(), ok(), done()), streamed) == "HELD"
    failed = tell(FAULT, charge(), timeout(), raised("TimeoutError"))
    assert judge(LAW, tell(FAULT, charge(), timeout(), raised("Wrapped")), failed) == "HELD"


@pytest.mark.parametrize(("times", "witness"), [(0, "Ended#1"), (2, "Committed#1 Committed#2")])
def test_same_by_every_entrypoint_other_effects(times, witness):
    """AF305: an effect happens more often, or less often, by one door than by the other."""
    other = tell(charged(), done())
    history = tell(*[charged()] * times, done())
    assert judge(LAW, history, other) == [f"AF305 charge: {witness}"]
    assert LAW(history, other).violations[0].title == f"charge_card ran {times}x, other door 1x"


def test_same_by_every_entrypoint_another_intent():
    """AF305: the count is that of an intent, not of a tool."""
    history = tell(charged("B18"), done())
    assert judge(LAW, history, tell(charged(), done())) == ["AF305 charge: Ended#1"]


@pytest.mark.parametrize(
    "ending", [done("failed"), returned("Charged."), raised("ValueError"), cut_off("hung")]
)
def test_same_by_every_entrypoint_another_ending(ending):
    """AF305: it ends in another way, or claims something else."""
    found = judge(LAW, tell(charged(), ending), tell(charged(), done()))
    assert found == ["AF305 ending: Ended#1"]


def test_differences_names_the_doors():
    """The bare comparison says which door is which, and does not ask what struck."""
    history, other = tell(charged(), FAULT, charged(), done()), tell(charged(), done())
    assert judge(LAW, history, other) == "NOT_EXERCISED"
    (violation,) = differences(history, other, door="streamed", than="sync")
    assert (violation.code, violation.says, violation.world) == (
        "AF305",
        "charge(order_id='A17') 2x by streamed",
        "charge(order_id='A17') 1x by sync",
    )


def test_same_by_every_entrypoint_not_exercised():
    """No other run; the run itself; other faults; and a prefix has no ending to compare."""
    history = tell(FAULT, charged(), done())
    assert judge(LAW, history) == "NOT_EXERCISED"
    assert judge(LAW, history, history) == "NOT_EXERCISED"
    assert judge(LAW, history, tell(charged(), charge(), done())) == "NOT_EXERCISED"
    assert judge(LAW, prefix(charged()), tell(charged(), ship(), done("failed"))) == "HELD"
