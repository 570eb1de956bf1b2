"""Violations: said by keyword, frozen, and unique by code and subject."""

from dataclasses import FrozenInstanceError, replace

import pytest

from agentfuzz import Run, Verdict, Violation, exactly_once, invariant, no_lost_intent
from agentfuzz.core.events import Done, Ended
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import titled, unique
from agentfuzz.invariants import Invariant

ONE = Violation(
    code="AF101",
    subject="charge",
    title="charge_card ran 2x, expected 1",
    sentence="charge took effect 2 times.",
    says="success",
    world="2 charges",
    witness=(3, 7),
    hint="look up first",
)


def test_a_violation_is_said_by_keyword():
    """Eight fields in a row could be mixed up; and nothing changes them afterwards."""
    with pytest.raises(TypeError):
        Violation("AF101", "charge", "", "", "", "", (), "")
    with pytest.raises(FrozenInstanceError):
        ONE.code = "AF102"
    assert replace(ONE) == ONE


def test_unique():
    """The first of each code and subject, in order."""
    later = replace(ONE, witness=(9,))
    other, third = replace(ONE, subject="refund"), replace(ONE, code="AF102")
    assert unique([ONE, other, later, third, other]) == (ONE, other, third)
    assert unique(iter([])) == ()


def test_a_verdict_says_each_bug_once():
    """However often a law finds it."""
    law = Invariant("twice", lambda history, baseline: iter([ONE, replace(ONE, says="again")]))
    assert law(History([])).violations == (ONE,)


def test_a_run_says_each_bug_once():
    """AF103 is one violation, also when two laws say it; each verdict keeps its own."""
    history = History(
        [
            Done(0, 0.0, "return", "success", "completed", None, ""),
            Ended(1, 0.0, "returned", None, "", ""),
        ]
    )
    laws = (exactly_once("charge"), no_lost_intent("charge"))
    run = Run(history, FaultPlan(), tuple(law(history) for law in laws), history)
    assert [len(verdict.violations) for verdict in run.verdicts] == [1, 1]
    assert [violation.code for violation in run.violations] == ["AF103"]
    assert run.violations[0] is run.verdicts[0].violations[0]


def test_a_run_without_violations():
    """Nothing broken, nothing said."""
    nothing = History([])
    assert Run(nothing, FaultPlan(), (Verdict("a", "HELD"),), nothing).violations == ()


def test_the_reasons_of_a_law_of_your_own_are_told_together():
    """Its violations would all have one signature, so that only one of them is told."""
    law = invariant(lambda history: ["First.", "", "Second."])
    assert [violation.sentence for violation in law(History([])).violations] == ["First. Second."]
    assert invariant(lambda history: ["", ""])(History([])).status == "HELD"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("charge_card: receipt shown twice", "charge_card: receipt shown twice"),
        ("x" * 36, "x" * 36),
        ("charge_card_of_a_shop: receipt shown twice", "charge_card_of_a_shop: receipt..."),
        ("charge_card: the receipt is, no more", "charge_card: the receipt is, no more"),
        ("charge_card: the receipt is it, no more", "charge_card: the receipt is it..."),
        ("a_name_without_an_end_and_without_a_space: x", "a_name_without_an_end_and_without..."),
        ("no " + "x" * 50, "no " + "x" * 30 + "..."),
    ],
)
def test_a_title_is_cut_at_a_word(text: str, title: str):
    """Whole where it fits, in at most 36 characters."""
    assert titled(text) == title
    assert len(titled(text)) <= 36
