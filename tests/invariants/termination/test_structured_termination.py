"""`structured_termination`: a run ends with one valid completion event."""

import pytest

from agentfuzz import Completion, World, structured_termination
from invariants.histories import charged, cut_off, done, judge, prefix, raised, returned, tell
from invariants.loops.billing import DONE, FAULTS, billing, looks_first
from invariants.support import EVERY_SEED


@pytest.mark.parametrize("status", ["success", "partial", "blocked", "failed", "cancelled"])
def test_held(status):
    """Exactly one valid completion event, whatever it says."""
    assert judge(structured_termination(), tell(done(status))) == "HELD"


@pytest.mark.parametrize("value", ["All done!", None, {"ok": True}])
def test_broken(value):
    """AF204: the run returned and no completion event says how it ended."""
    history = tell(charged(), returned(value))
    assert judge(structured_termination(), history) == ["AF204 completion: Ended#1"]
    guess = "guess from prose" if isinstance(value, str) else "nobody can tell"
    assert guess in structured_termination()(history).violations[0].sentence


def test_malformed():
    """AF205: an event that cannot be routed on."""
    history = tell(done("finished", problem="'finished' is no status"))
    assert judge(structured_termination(), history) == ["AF205 completion: Done#1"]
    assert structured_termination()(history).violations[0].world == "'finished' is no status"


def test_needs_a_handle_where_one_is_declared():
    """AF205: a status of `handle_for` came without a handle."""
    law = structured_termination(handle_for=("success",))
    assert judge(law, tell(done())) == ["AF205 completion: Done#1"]
    assert judge(law, tell(done(handle="ch_1"))) == "HELD"
    assert judge(law, tell(done("failed"))) == "HELD"


def test_twice():
    """AF206: two valid completion events of one task."""
    history = tell(done(via="tool"), done("failed"))
    assert judge(structured_termination(), history) == ["AF206 completion: Done#1 Done#2"]
    violation = structured_termination()(history).violations[0]
    assert (violation.title, violation.says) == ("2 completions, expected 1", "success, failed")


def test_malformed_and_mended():
    """A malformed event stays AF205 when a valid one follows, and is not counted as a second."""
    history = tell(done("finished", via="tool", problem="no status"), done())
    assert judge(structured_termination(), history) == ["AF205 completion: Done#1"]


def test_not_exercised():
    """The run raised, was cut off, or has not ended: not this law's to judge."""
    for history in (tell(raised("ValueError")), tell(cut_off("budget")), prefix(done())):
        assert judge(structured_termination(), history) == "NOT_EXERCISED"


# on whole loops


def prose(world: World) -> Completion | str:
    """Victim: ends in words when something went wrong."""
    try:
        world.tools.find(order_id="A17")
    except FAULTS:
        return "Sorry, I could not find that out."
    return DONE


def test_victim(found):
    """An answer in prose when something went wrong."""
    assert found(structured_termination(), billing(), prose, **EVERY_SEED) == [
        "AF204 completion: find#1:once/timeout"
    ]


def test_survivor(held):
    """A completion, whatever happened."""
    assert held(structured_termination(), billing(), looks_first, **EVERY_SEED) > 0
