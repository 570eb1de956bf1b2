"""The outline of a run: as much of it as settles what most laws find in most runs.

Law: a law that rests on so many parts of an outline finds the same in every run that has them,
beside the same run without faults. What would not say all is no part: of several legs, or of
completions that are several or not valid, only the kinds of events are told, and no ledger with a
repeat in it, or with a difference where success is claimed. Asked by the jury.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agentfuzz.core.events import Done, Ended, Resumed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation

# So many parts: the kinds of events; and how the run ended, and what was claimed; and its ledger.
KINDS, ENDING, LEDGER = 1, 3, 4
Outline = tuple[Any, ...]


def outline(history: History, baseline: History) -> Outline:
    """As many parts as are told of a run, beside the one without faults."""
    index = history.index
    kinds = tuple(index)
    done: Sequence[Done] = index.get(Done, ())
    if Resumed in index or len(done) > 1 or (done and done[0].problem):
        return (kinds,)
    ended: Sequence[Ended] = index.get(Ended, ())
    how = ended[0].how if ended else ""
    claim = (done[0].status, done[0].reason) if done else None
    if history.deeds == baseline.deeds:
        asks, ledger = baseline.repeats, None
    else:
        passes = claim[0] == "success" if claim else how == "returned"
        asks, ledger = passes or history.repeats, tuple(history.intents)
    return (kinds, how, claim) if asks else (kinds, how, claim, ledger)


@dataclass(frozen=True, slots=True)
class Resting:
    """The check of a law that rests on so many parts of an outline, where there are no events of
    some kinds."""

    check: Callable[[History, History | None], Iterable[Violation] | None]
    parts: int
    but_for: Collection[type] = ()

    def __call__(self, history: History, baseline: History | None) -> Iterable[Violation] | None:
        return self.check(history, baseline)

    def settled_by(self, outline: Outline) -> bool:
        """Whether it finds the same in every run with this outline."""
        return self.parts <= len(outline) and not any(kind in outline[0] for kind in self.but_for)
