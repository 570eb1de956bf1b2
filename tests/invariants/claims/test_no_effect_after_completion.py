"""`no_effect_after_completion`: after its completion a run brings nothing about."""

import contextlib

from agentfuzz import World, no_effect_after_completion
from invariants.histories import charge, charged, commit, done, judge, looked_up, ok, tell, timeout
from invariants.loops.billing import FAULTS, billing
from invariants.support import EVERY_SEED


def test_held():
    """After the done tool nothing called later takes effect; a look-up may."""
    assert (
        judge(no_effect_after_completion(), tell(charged(), done(via="tool"), looked_up()))
        == "HELD"
    )


def test_broken():
    """AF302: called after the completion event, and it took effect."""
    history = tell(done("blocked", via="tool"), charged())
    assert judge(no_effect_after_completion(), history) == ["AF302 charge: Done#1 Committed#1"]
    assert no_effect_after_completion()(history).violations[0].title == "charge_card ran after done"


def test_leaves_open_requests_to_truthful():
    """A request that was under way at the Done is not this law's to judge."""
    assert (
        judge(no_effect_after_completion(), tell(charge(), timeout(), done(via="tool"), commit()))
        == "HELD"
    )


def test_counts_from_the_first_valid_done():
    """A malformed event completes nothing; a second completion does not reopen the task."""
    malformed = done(via="tool", problem="no status")
    assert (
        judge(no_effect_after_completion(), tell(malformed, charged(), done(via="tool"))) == "HELD"
    )
    history = tell(done(via="tool"), charge(), commit(), ok(), done(via="tool"))
    assert judge(no_effect_after_completion(), history) == ["AF302 charge: Done#1 Committed#1"]


def test_not_exercised():
    """The done tool was not called."""
    assert judge(no_effect_after_completion(), tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(no_effect_after_completion(), tell(charged())) == "NOT_EXERCISED"


# on whole loops


def done_then_more(world: World) -> None:
    """Victim: says that it is done, then tidies up."""
    try:
        world.tools.charge(order_id="A17")
    except TimeoutError:
        world.tools.done(status="blocked", reason="outcome_unknown")
        world.tools.charge(order_id="A17")
        return
    except FAULTS:
        pass
    world.tools.done(status="blocked", reason="other")


def done_last(world: World) -> None:
    """Says that it is done when it is."""
    with contextlib.suppress(FAULTS):
        world.tools.charge(order_id="A17")
    world.tools.done(status="blocked", reason="other")


def test_victim(found):
    """Says that it is done, then tidies up."""
    assert found(no_effect_after_completion(), billing(), done_then_more, **EVERY_SEED) == [
        "AF302 charge: charge#1:once/timeout"
    ]


def test_survivor(held):
    """Says that it is done when it is."""
    assert held(no_effect_after_completion(), billing(), done_last, **EVERY_SEED) > 0
