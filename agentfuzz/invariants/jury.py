"""The jury: the laws of a scenario, asked about one history after the other.

Law: it finds what each law by itself would find. What a law finds in a run that is like another in
all that it rests on, it found there: that is known by the outline of a run, and kept as long as the
run without faults that it was compared with. Only that a law held, or was not exercised, is known
so; what breaks is told of each run. Called by whoever judges runs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agentfuzz.core.history import History
from agentfuzz.core.verdict import Verdict
from agentfuzz.invariants.law import Found, Invariant
from agentfuzz.invariants.queries.outline import Outline, outline

MOST = 2_000  # outlines that are kept


class Known(NamedTuple):
    """Of the runs with one outline: what their laws find in each, with the verdicts on it, and the
    laws that have to be asked, by their places."""

    found: tuple[Found, ...]
    verdicts: tuple[Verdict, ...]
    asked: tuple[tuple[int, Invariant], ...]


def found_by(
    laws: Sequence[Invariant], history: History, baseline: History | None
) -> tuple[Found, ...]:
    """What each of these laws finds in a history, in order: what `Invariant.verdict` is given."""
    if baseline is None or history is baseline:
        return tuple([law.found(history, baseline) for law in laws])
    known = _known(laws, history, baseline)
    if not known.asked:
        return known.found
    found = list(known.found)
    for place, law in known.asked:
        found[place] = law.found(history, baseline)
    return tuple(found)


def verdicts(
    laws: Sequence[Invariant], history: History, baseline: History | None
) -> tuple[Verdict, ...]:
    """What each of these laws says about a history, in order."""
    if baseline is None or history is baseline:
        return tuple([law(history, baseline) for law in laws])
    known = _known(laws, history, baseline)
    if not known.asked:
        return known.verdicts
    told = list(known.verdicts)
    for place, law in known.asked:
        told[place] = law(history, baseline)
    return tuple(told)


def _known(laws: Sequence[Invariant], history: History, baseline: History) -> Known:
    kept = vars(baseline).get("_jury")
    if kept is None or kept[0] is not laws:
        kept = vars(baseline)["_jury"] = laws, {}
    by_outline: dict[Outline, Known] = kept[1]
    here = outline(history, baseline)
    known = by_outline.get(here)
    if known is None:
        known = _learnt(laws, here, history, baseline)
        if len(by_outline) < MOST:
            by_outline[here] = known
    return known


def _learnt(laws: Sequence[Invariant], here: Outline, history: History, baseline: History) -> Known:
    found: list[Found] = []
    asked = []
    for place, law in enumerate(laws):
        settled = law.settled_by(here)
        told = law.found(history, baseline) if settled else None
        if told or not settled:
            asked.append((place, law))
        found.append(None if told else told)
    told_so = [law.verdict(one, baseline) for law, one in zip(laws, found, strict=True)]
    return Known(tuple(found), tuple(told_so), tuple(asked))
