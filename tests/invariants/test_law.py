"""The noun behind every law, and a law of your own."""

import pytest

from agentfuzz.core.errors import InvariantViolated
from agentfuzz.invariants import (
    Invariant,
    bounded,
    exactly_once,
    invariant,
    known_input,
    replay_transparency,
)
from invariants.histories import charged, done, judge, tell


@invariant
def one_order(history):
    """At most one order is charged."""
    orders = {commit.intent for commit in history.ledger}
    if not orders:
        return None
    return [f"{len(orders)} orders were charged."] if len(orders) > 1 else []


def test_own_law_held():
    """An empty list, or an empty string, holds."""
    assert judge(one_order, tell(charged(), done())) == "HELD"
    assert judge(invariant(lambda history: ""), tell()) == "HELD"


def test_own_law_broken():
    """AF500: the law's name is the subject."""
    history = tell(charged("A17"), charged("B2"))
    assert judge(one_order, history) == ["AF500 one_order: Ended#1"]
    violation = one_order(history).violations[0]
    assert violation.title == "one_order broken"
    assert violation.sentence == "2 orders were charged."


def test_own_law_may_return_text_or_yield():
    """One sentence as a string, several from a generator: one violation, which says them all."""

    def two_reasons(history):
        yield "First."
        yield "Second."

    assert judge(invariant(two_reasons), tell()) == ["AF500 two_reasons: Ended#1"]
    (violation,) = invariant(two_reasons)(tell()).violations
    assert violation.sentence == "First. Second."
    assert len(invariant(lambda history: "Alone.")(tell()).violations) == 1


def test_own_law_not_exercised():
    """None says that the history has nothing to do with the law."""
    assert judge(one_order, tell()) == "NOT_EXERCISED"


def test_a_law_says_its_parameters():
    """The name of a law is how it was written in the scenario."""
    assert str(exactly_once("charge")) == "exactly_once('charge')"
    assert bounded(calls=3).name == "bounded(calls=3)"
    assert bounded().name == "bounded"


def test_a_long_parameter_is_shortened():
    """A whole prompt does not stand in a law's name; two prompts that begin alike are two laws."""
    long, other = (known_input(f"{'You are a clerk. ' * 20}{end}") for end in ("A", "B"))
    assert len(long.name) < 120
    assert long.name.startswith("known_input('You are a clerk. ")
    assert long.name != other.name


def test_laws_of_one_name_are_equal():
    """Two equal declarations are one law; its check does not matter."""
    assert bounded(calls=3) == bounded(calls=3) != bounded(calls=4)
    assert Invariant("a", lambda history, baseline: None) == Invariant("a", lambda h, b: [])


def test_a_comparing_law_without_a_fault_free_run():
    """It has nothing to compare with: NOT_EXERCISED, and its check is not called."""
    assert replay_transparency().needs_baseline
    assert judge(replay_transparency(), tell(charged())) == "NOT_EXERCISED"


def test_each_code_and_subject_has_an_exception_of_its_own():
    """A shrinker that looks at types never slides from one bug into another."""
    history = tell(charged("A17"), charged("B2"))
    error = one_order(history).violations[0].error()
    assert type(error).__name__ == "AF500_one_order"
    assert type(error) is type(one_order(history).violations[0].error())
    with pytest.raises(InvariantViolated, match=r"AF500 one_order broken: 2 orders"):
        raise error
