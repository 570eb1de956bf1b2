"""How the ledgers of two runs differ: what was carried out more often in one than in the other.

Law: intents are counted, whatever their order, their keys or their arguments. Asked by the laws
that take another run for their oracle.
"""

from collections.abc import Iterator
from typing import NamedTuple

from agentfuzz.core.events import Intent
from agentfuzz.core.history import History


class Unequal(NamedTuple):
    """An intent that a tool carried out `have` times in a run, and `want` times in the other."""

    intent: Intent
    tool: str
    have: int
    want: int


def unequal(history: History, other: History) -> Iterator[Unequal]:
    """The intents whose effects two runs do not count alike, the other run's first."""
    mine, theirs = history.effects, other.effects
    for intent in {**theirs, **mine}:
        have, want = mine.get(intent, []), theirs.get(intent, [])
        if len(have) != len(want):
            yield Unequal(intent, (have or want)[-1].tool, len(have), len(want))
