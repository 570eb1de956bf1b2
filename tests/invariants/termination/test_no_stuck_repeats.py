"""`no_stuck_repeats`: nobody makes one call again and again for the same reply."""

import pytest

from agentfuzz import no_stuck_repeats
from invariants.histories import charged, done, judge, looked_up, lookup, reply, tell, timeout
from invariants.loops.billing import billing, waits
from invariants.support import EVERY_SEED


def test_held():
    """Repeats are fine while something changes: the arguments, the reply, or the tool."""
    assert judge(no_stuck_repeats(), tell(*[looked_up()] * 3, done())) == "HELD"
    assert judge(no_stuck_repeats(), tell(*(looked_up(body=n) for n in range(9)))) == "HELD"
    assert judge(no_stuck_repeats(), tell(*(looked_up(str(n)) for n in range(9)))) == "HELD"
    mixed = [looked_up(), looked_up(), charged()]
    assert judge(no_stuck_repeats(), tell(*mixed, *mixed, *mixed)) == "HELD"


def test_broken():
    """AF207: the same call and the same reply k times, and then the same call again."""
    history = tell(*[looked_up(body="pending")] * 4, done())
    assert judge(no_stuck_repeats(), history) == [
        "AF207 lookup: Called#1 Called#2 Called#3 Called#4"
    ]
    assert judge(no_stuck_repeats(k=1), history) == ["AF207 lookup: Called#1 Called#2"]
    assert judge(no_stuck_repeats(k=4), history) == "HELD"
    assert no_stuck_repeats()(tell(*[charged()] * 4)).violations[0].title == (
        "charge_card 3x same call and reply"
    )


@pytest.mark.parametrize(
    "odd", [timeout(), reply("applied", "pend", complete=False)], ids=["raised", "cut off"]
)
def test_ignores_replies_that_are_none(odd):
    """A reply that raised or was cut off starts the count again: `bounded` judges retries."""
    polls = [looked_up(), looked_up(), lookup(), odd]
    assert judge(no_stuck_repeats(), tell(*polls, *polls, *polls)) == "HELD"


def test_leaves_retries_and_open_calls_alone():
    """Four timeouts alike, or four calls that were never answered, are no four replies alike."""
    for polls in ([lookup(), timeout()], [lookup()]):
        assert judge(no_stuck_repeats(), tell(*polls * 4, looked_up(), looked_up())) == "HELD"


def test_not_exercised():
    """No tool was called twice in a row."""
    assert judge(no_stuck_repeats(), tell(looked_up(), charged(), looked_up())) == "NOT_EXERCISED"


# on whole loops


def test_victim(found):
    """Looks six times for what was lost."""
    assert found(no_stuck_repeats(), billing(), waits(6), **EVERY_SEED) == [
        "AF207 find: charge#1:lost/timeout"
    ]


def test_survivor(held):
    """Looks three times."""
    assert held(no_stuck_repeats(), billing(), waits(3), **EVERY_SEED) > 0
