"""`survives`: an agent does not die of a fault, and raises nothing without one."""

import sys

import pytest

from agentfuzz import Completion, World, survives
from invariants.histories import charged, cut_off, died, done, judge, prefix, raised, strikes, tell
from invariants.loops.billing import BLOCKED, FAULTS, billing, honest
from invariants.support import EVERY_SEED


def struck():
    return strikes("charge_card#1:twice")


def test_held():
    """The agent returned, was cut off, or raised an ordinary exception under a fault."""
    assert judge(survives(), tell(charged(), done())) == "HELD"
    assert judge(survives(), tell(cut_off("budget"))) == "HELD"
    assert judge(survives(), tell(charged(), struck(), raised("ValueError"))) == "HELD"


def test_raised_without_a_fault():
    """AF900: no fault struck, and the agent raised."""
    assert judge(survives(), tell(charged(), raised("ValueError"))) == ["AF900 agent: Ended#1"]
    violation = survives()(tell(raised("ValueError"))).violations[0]
    assert violation.title == "agent fails without any fault"


@pytest.mark.parametrize("faults", [[], [struck()]], ids=["no fault", "a fault"])
def test_broken(faults):
    """AF901: something that `except Exception` does not catch, with a fault or without."""
    history = tell(*faults, died("SystemExit"))
    assert judge(survives(), history) == ["AF901 agent: Ended#1"]
    assert survives()(history).violations[0].title == "agent raised SystemExit"


def test_not_exercised():
    """A history that has not ended yet."""
    assert judge(survives(), prefix(charged())) == "NOT_EXERCISED"


# on whole loops


def exits(world: World) -> Completion:
    """Victim: a timeout ends the whole process."""
    try:
        world.tools.charge(order_id="A17")
    except TimeoutError:
        sys.exit(3)
    except FAULTS:
        pass
    return BLOCKED


def test_victim(found):
    """A timeout ends the whole process."""
    assert found(survives(), billing(), exits, **EVERY_SEED) == [
        "AF901 agent: charge#1:once/timeout"
    ]


def test_survivor(held):
    """A timeout ends in a completion."""
    assert held(survives(), billing(), honest, **EVERY_SEED) > 0
