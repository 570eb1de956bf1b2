"""Completion: a status, a reason out of a closed set, a handle."""

import pytest
from pydantic import ValidationError

from agentfuzz.core.completion import REASONS, STATUSES, Completion

PAIRS = [(status, reason) for status, reasons in REASONS.items() for reason in reasons]


def test_every_status_has_reasons():
    """The closed sets cover every status."""
    assert set(REASONS) == set(STATUSES)
    assert all(REASONS.values())


@pytest.mark.parametrize(("status", "reason"), PAIRS)
def test_a_reason_of_the_status(status, reason):
    """Each reason goes with its own status, by the constructor and by the short way."""
    completion = Completion(status=status, reason=reason, handle="ch_1")
    assert completion == getattr(Completion, status)(reason=reason, handle="ch_1")


@pytest.mark.parametrize(("status", "reason"), PAIRS)
def test_a_reason_of_another_status(status, reason):
    """A reason outside the status's set is refused, and the message lists what would do."""
    for other in STATUSES:
        if reason not in REASONS[other]:
            with pytest.raises(ValidationError, match=REASONS[other][0]):
                Completion(status=other, reason=reason)


@pytest.mark.parametrize(
    ("status", "default"),
    [
        ("success", "completed"),
        ("partial", "some_effects_missing"),
        ("blocked", "outcome_unknown"),
        ("failed", "tool_failed"),
        ("cancelled", "by_user"),
    ],
)
def test_the_default_reason(status, default):
    """No reason given, or an empty one: the first of the status."""
    assert getattr(Completion, status)().reason == default
    assert Completion(status=status).reason == default
    assert Completion(status=status, reason="").reason == default


@pytest.mark.parametrize("status", [None, 7, ["success"], {"success": 1}, "Success"])
def test_a_status_of_another_kind(status):
    """Whatever a model sends as its status is a validation error, never another exception."""
    with pytest.raises(ValidationError):
        Completion(status=status)


def test_it_is_closed_and_frozen():
    """No other status, no other field, no later change; free text goes into detail."""
    with pytest.raises(ValidationError):
        Completion(status="finished")
    with pytest.raises(ValidationError):
        Completion(status="success", mood="good")
    completion = Completion.failed(detail="the card was declined")
    with pytest.raises(ValidationError):
        completion.status = "success"
    assert completion.detail == "the card was declined"
    assert Completion.model_validate_json(completion.model_dump_json()) == completion
