"""The law about agents that die bites, holds, and says when it had nothing to judge."""

import pytest

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Slot
from agentfuzz.invariants import survives
from invariants.histories import charged, cut_off, died, done, judge, prefix, raised, tell


def struck():
    return lambda story: story.add(Struck, Slot("tool", "charge_card", 1), "twice")


def test_survives_held():
    """The agent returned, was cut off, or raised an ordinary exception under a fault."""
    assert judge(survives(), tell(charged(), done())) == "HELD"
    assert judge(survives(), tell(cut_off("budget"))) == "HELD"
    assert judge(survives(), tell(charged(), struck(), raised("ValueError"))) == "HELD"


def test_survives_raised_without_a_fault():
    """AF900: no fault struck, and the agent raised."""
    assert judge(survives(), tell(charged(), raised("ValueError"))) == ["AF900 agent: Ended#1"]
    violation = survives()(tell(raised("ValueError"))).violations[0]
    assert violation.title == "agent fails without any fault"


@pytest.mark.parametrize("faults", [[], [struck()]], ids=["no fault", "a fault"])
def test_survives_died(faults):
    """AF901: something that `except Exception` does not catch, with a fault or without."""
    history = tell(*faults, died("SystemExit"))
    assert judge(survives(), history) == ["AF901 agent: Ended#1"]
    assert survives()(history).violations[0].title == "agent raised SystemExit"


def test_survives_not_exercised():
    """A history that has not ended yet."""
    assert judge(survives(), prefix(charged())) == "NOT_EXERCISED"
