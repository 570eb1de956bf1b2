"""`bounded`: a run ends by itself, within the limits that are declared."""

import pytest

from agentfuzz import bounded
from invariants.conversations import turn
from invariants.histories import charged, cut_off, done, judge, prefix, raised, tell
from invariants.loops.billing import billing, waits
from invariants.support import EVERY_SEED


def test_held():
    """The run ended by itself, by an exception too, within its limits."""
    assert judge(bounded(), tell(charged(), done())) == "HELD"
    assert judge(bounded(calls=2, turns=1), tell(turn(), charged(), charged())) == "HELD"
    assert judge(bounded(), tell(raised("ValueError"))) == "HELD"


@pytest.mark.parametrize(
    ("why", "code", "title"),
    [
        ("budget", "AF201", "never ended by itself"),
        ("spinning", "AF202", "spins without a call"),
        ("hung", "AF203", "waits for what cannot come"),
    ],
)
def test_broken(why, code, title):
    """AF201, AF202, AF203: the run had to be cut off, and why."""
    history = tell(charged(), cut_off(why))
    assert judge(bounded(), history) == [f"{code} run: Ended#1"]
    assert bounded()(history).violations[0].title == title


def test_over_a_limit():
    """AF201: the witness is the first call, or model turn, beyond the declared limit."""
    history = tell(turn(), charged(), turn(), charged(), turn(), charged(), done())
    expected = ["AF201 tool calls: Called#3", "AF201 model turns: ModelTurn#2"]
    assert judge(bounded(calls=2, turns=1), history) == expected
    titles = [v.title for v in bounded(calls=2, turns=1)(history).violations]
    assert titles == ["3 tool calls, limit 2", "3 model turns, limit 1"]


def test_not_exercised():
    """A history that has not ended yet."""
    assert judge(bounded(calls=0), prefix(charged())) == "NOT_EXERCISED"


# on whole loops


LOST = "charge#1:lost/timeout"


def test_victim(found):
    """Waits for ever for what was lost; or longer than is declared."""
    assert found(bounded(), billing(budget=6), waits(0), **EVERY_SEED) == [f"AF201 run: {LOST}"]
    assert found(bounded(calls=3), billing(), waits(6), **EVERY_SEED) == [
        f"AF201 tool calls: {LOST}"
    ]


def test_survivor(held):
    """Looks three times, or twice."""
    assert held(bounded(), billing(budget=6), waits(3), **EVERY_SEED) > 0
    assert held(bounded(calls=3), billing(), waits(2), **EVERY_SEED) > 0
