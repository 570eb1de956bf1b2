"""A handoff in words, and whether it names what was done.

Law: pure functions of a history and its events. Asked by the laws of handoffs.
"""

import re
from collections.abc import Iterator, Mapping

from agentfuzz.core.between import HandoffSent
from agentfuzz.core.events import Called, Committed, Json
from agentfuzz.core.history import History
from agentfuzz.invariants.queries.texts import leaves
from agentfuzz.invariants.queries.undoing import said_of

DONE = "effects"  # the field of a typed payload that names what has been done


def who(agent: str) -> str:
    """An agent in a sentence."""
    return agent or "the agent"


def task_of(sent: HandoffSent) -> str:
    """What a handoff is about, in a sentence."""
    version = f"version {sent.version} of " if sent.version else ""
    return f"{version}{sent.task or 'a task'}"


def handed(sent: HandoffSent) -> str:
    """`lead handed version 1 of refund to billing at 2 s (handoff_1)`."""
    to = f"to {sent.to} at {sent.t:g} s ({sent.handoff})"
    return f"{who(sent.sender)} handed {task_of(sent)} {to}"


def same_task(one: HandoffSent, other: HandoffSent) -> bool:
    """Whether two handoffs are about one task; where none is named, whether they say the same, but
    for numbers (a version, a count of attempts)."""
    if one.task or other.task:
        return one.task == other.task
    return bool(_gist(one.payload) == _gist(other.payload))


def _gist(payload: Json) -> Json:
    if not isinstance(payload, Mapping):
        return payload
    words = {name: value for name, value in payload.items() if type(value) not in (int, float)}
    return words or payload


def names_what_was_done(history: History, payload: Json, commit: Committed) -> bool:
    """Whether a payload tells of an effect: by its id, or by what its reply gave as a handle; by
    the values of its scope where it has a field for what was done, or has no fields of this kind
    at all."""
    said = list(leaves(payload))
    if any(_holds(said, word) for word in (commit.effect_id, *_handles(history, commit))):
        return True
    if isinstance(payload, Mapping) and DONE in payload:
        said = list(leaves(payload[DONE]))
    values = [str(value) for _, value in commit.intent.scope if value is not None]
    return bool(said) and all(_holds(said, word) for word in values or [commit.intent.effect])


def names_scope(call: Called, reply: Json, commit: Committed) -> bool:
    """Whether a look-up is about an effect: its arguments or its reply hold a value of its scope,
    or the effect has none."""
    values = [str(value) for _, value in commit.intent.scope if value is not None]
    said = [*leaves(dict(call.args)), *leaves(reply)]
    return not values or any(_holds(said, word) for word in values)


def _handles(history: History, commit: Committed) -> Iterator[str]:
    """What the reply to an effect said that its request had not."""
    asked = set(leaves(dict(commit.args)))
    yield from (word for word in said_of(history, commit) if word not in asked)


def _holds(texts: list[str], word: str) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for text in texts)
