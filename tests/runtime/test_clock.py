"""The one clock: what falls due happens at its time, and nobody waits for it."""

import pytest

from agentfuzz.runtime.clock import Clock

YEAR = 365 * 24 * 3600.0


def test_what_falls_due_happens_on_the_way():
    """In order of its time, then of its scheduling, each at its own second."""
    clock, seen = Clock(), []
    for due, name in ((3.0, "c"), (1.0, "a"), (3.0, "d"), (2.0, "b"), (9.0, "e")):
        clock.schedule(due, lambda name=name: seen.append((name, clock.now)))
    clock.advance(5)
    assert seen == [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 3.0)]
    assert (clock.now, clock.next_due) == (5.0, 9.0)


def test_flush_goes_to_what_is_due_and_no_further():
    """Also what is due at once, or is scheduled on the way, or lies a year ahead."""
    clock, seen = Clock(), []
    clock.schedule(0.0, lambda: seen.append(clock.now))
    clock.schedule(YEAR, lambda: clock.schedule(YEAR + 0.001, lambda: seen.append(clock.now)))
    clock.flush()
    assert seen == [0.0, YEAR + 0.001]
    assert (clock.now, clock.next_due) == (YEAR + 0.001, None)


def test_an_action_may_wait_itself():
    """A late delivery whose body takes time moves the clock for everybody."""
    clock, seen = Clock(), []
    clock.schedule(1.0, lambda: clock.advance(5))
    clock.schedule(2.0, lambda: seen.append(clock.now))
    clock.advance(3)
    assert seen == [2.0]
    assert clock.now == 6.0


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_wait_that_is_none(seconds):
    """Nothing, less than nothing, and for ever move the clock nowhere."""
    clock = Clock()
    clock.advance(seconds)
    assert clock.now == 0.0


def test_reset():
    """Second 0, and nothing is due."""
    clock = Clock()
    clock.schedule(1.0, lambda: pytest.fail("of the run before"))
    clock.advance(0.5)
    clock.reset()
    clock.advance(10)
    assert clock.now == 10.0
