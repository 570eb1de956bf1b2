"""How the ledgers of two runs differ: what was carried out more often in one than in the other.

Law: intents are counted, whatever their order, their keys or their arguments. Where nobody named
the scope, one intent stands for another of the same tool: which arguments make the difference is
not known. Asked by the laws that take another run for their oracle.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agentfuzz.core.events import Intent
from agentfuzz.core.history import History


class Unequal(NamedTuple):
    """An intent that a tool carried out `have` times in a run, and `want` times in the other."""

    intent: Intent
    tool: str
    have: int
    want: int


def unequal(history: History, other: History) -> Iterable[Unequal]:
    """The intents whose effects two runs do not count alike, the other run's first."""
    mine, theirs = history.effects, other.effects
    found: list[Unequal] = []
    for intent in {**theirs, **mine}:
        have, want = mine.get(intent, []), theirs.get(intent, [])
        if len(have) != len(want):
            found.append(Unequal(intent, (have or want)[-1].tool, len(have), len(want)))
    spare: dict[str, int] = {}  # by tool: so many of what is missing another one stands for
    for tool in {one.tool for one in found if history.derived(one.tool)}:
        sums = [one.have - one.want for one in found if one.tool == tool]
        more, less = sum(n for n in sums if n > 0), sum(-n for n in sums if n < 0)
        spare[tool] = min(more, less)
    return found if not spare else _paired(found, spare)


def _paired(found: list[Unequal], spare: dict[str, int]) -> Iterator[Unequal]:
    """What is left when of each tool so many that are missing are taken for so many others."""
    left = {sign: dict(spare) for sign in (True, False)}
    for one in found:
        over, rest = one.have > one.want, left[one.have > one.want]
        taken = min(rest.get(one.tool, 0), abs(one.have - one.want))
        if taken:
            rest[one.tool] -= taken
            one = one._replace(have=one.have - taken if over else one.have + taken)
        if one.have != one.want:
            yield one
