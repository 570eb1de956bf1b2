"""`replay_transparency`: under faults the ledger is what it is without, or the answer says so."""

import pytest

from agentfuzz import replay_transparency
from agentfuzz.core.events import Committed
from agentfuzz.core.history import History
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    ok,
    raised,
    ship,
    tell,
    timeout,
)
from invariants.loops.billing import billing, retries, with_key
from invariants.support import EVERY_SEED

CLEAN = tell(charged(), done())


def test_held():
    """Under faults the ledger holds what it holds without them."""
    history = tell(charge(), timeout(), looked_up(), charged(), done())
    assert judge(replay_transparency(), history, CLEAN) == "HELD"


@pytest.mark.parametrize(
    "ending", [done("blocked"), done("partial"), raised("TimeoutError"), cut_off("budget")]
)
def test_less_and_said_so(ending):
    """Fewer effects are no breach when the ending does not pretend otherwise."""
    assert judge(replay_transparency(), tell(charge(), timeout(), ending), CLEAN) == "HELD"


@pytest.mark.parametrize("ending", [[done()], []], ids=["success", "no structured answer"])
def test_less_in_silence(ending):
    """AF105: an effect of the fault-free run is missing and nobody says so."""
    history = tell(charge(), timeout(), *ending)
    assert judge(replay_transparency(), history, CLEAN) == ["AF105 charge: Ended#1"]
    violation = replay_transparency()(history, CLEAN).violations[0]
    assert violation.title == "charge_card ran 0x, fault-free 1x"
    assert violation.sentence.endswith("and the answer does not say so.")
    assert violation.says == ("success" if ending else "no structured answer")


def test_names_only_what_differs():
    """An effect that is as it should be is no part of the finding."""
    baseline = tell(charged(), ship(), commit(), ok(), done())
    assert judge(replay_transparency(), CLEAN, baseline) == ["AF105 shipment: Ended#1"]


def test_broken():
    """AF105: an effect too many is a breach, however the run ends."""
    for ending in (done(), done("failed"), raised("TimeoutError")):
        history = tell(charge(), commit(), timeout(), charged(), ending)
        expected = ["AF105 charge: Committed#1 Committed#2"]
        assert judge(replay_transparency(), history, CLEAN) == expected


def test_compares_scopes():
    """AF105, once: the wrong order was charged and the right one was not."""
    history = tell(charged("B2"), done())
    assert judge(replay_transparency(), history, CLEAN) == ["AF105 charge: Ended#1"]
    both = tell(charged(), charged("B2"), done())
    assert judge(replay_transparency(), both, CLEAN) == ["AF105 charge: Committed#2"]


def test_does_not_compare_tools():
    """The same effect in the same scope is the same, whichever tool brought it about."""
    other = [
        event._replace(tool="charge_by_phone") if isinstance(event, Committed) else event
        for event in CLEAN.events
    ]
    assert judge(replay_transparency(), History(other, CLEAN.tools), CLEAN) == "HELD"


def test_not_exercised():
    """Without a fault-free run, in it, and where neither run did anything."""
    assert judge(replay_transparency(), CLEAN) == "NOT_EXERCISED"
    assert judge(replay_transparency(), CLEAN, CLEAN) == "NOT_EXERCISED"
    assert judge(replay_transparency(), tell(done()), tell(done())) == "NOT_EXERCISED"


# on whole loops


def test_victim(found):
    """Calls again after a timeout, as if nothing had happened."""
    assert found(replay_transparency(), billing(), retries, **EVERY_SEED) == [
        "AF105 charge: charge#1:once/timeout"
    ]


def test_survivor(held):
    """One key for every attempt, at a backend that takes keys."""
    assert held(replay_transparency(), billing("key"), with_key, **EVERY_SEED) > 0
