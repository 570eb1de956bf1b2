"""Parting: where two histories of one plan stop being the same.

Law: code locations do not count, nor does how a value is held: what counts is what would be
written. Called by whatever runs a plan twice.
"""

from agentfuzz.core.codec import dump, event_to_json
from agentfuzz.core.events import Event
from agentfuzz.core.history import History


def parting(one: History, other: History) -> int | None:
    """The index of the first event that differs, or that only one of them has; None if none."""
    for at, (a, b) in enumerate(zip(one.events, other.events, strict=False)):
        if (type(a) is not type(b) or a != b) and _written(a) != _written(b):
            return at
    return None if len(one) == len(other) else min(len(one), len(other))


def first_difference(one: History, other: History) -> str:
    """The same in a sentence, or an empty string."""
    at = parting(one, other)
    if at is None:
        return ""
    if at >= min(len(one), len(other)):
        return f"One run has {len(one)} events, the other {len(other)}."
    left, right = (_written(history.events[at])[:200] for history in (one, other))
    return f"The first difference is event {one.events[at].seq}: {left} / {right}."


def _written(event: Event) -> str:
    data = event_to_json(event)
    data.pop("where", None)
    return dump(data)
