"""The law that a saved step is carried out by one of those who go on from it (AF418).

Law: a checkpoint says where to go on, not who does. Source: CATALOGUE B43; the resume contract of
arXiv 2608.03836.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

from agentfuzz.core.events import Called, Committed, Decided, Resumed, Saved
from agentfuzz.core.history import History, query
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import died_between
from agentfuzz.invariants.queries.teams import callers

_OF_THE_TRIGGER = ("", "restart", "duplicate")


class _Leg(NamedTuple):
    """One leg as somebody who goes on: when and why it began, and the decisions that it brings."""

    begun: int
    why: str
    decided: tuple[str, ...] = ()


@law(codes={"AF418": "A saved step was carried out twice"}, catalogue="B43")
def consume_once() -> Check:
    """A step that was saved is carried out by one of those who go on from the save.

    Two go on from one save when the trigger is delivered again, when one decision is delivered
    twice, or when two agents of a leg are at work after it. No intent takes effect by the calls of
    both. Who claims the step first (`world.store.claim`), and who repeats the call with the same
    key, so that the backend knows it again, keeps the law; a process that died is no second one.

    NOT_EXERCISED when nothing was saved, or one alone went on from there.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        saves = history.of(Saved)
        if not saves or not _several(history, saves[0].seq):
            return None
        return [
            _twice(history, saves, *pair)
            for commits in history.effects.values()
            for pair in combinations(commits, 2)
            if _by_two(history, saves[0].seq, *pair)
        ]

    return check


@query
def _legs(history: History) -> Mapping[int, _Leg]:
    found = {1: _Leg(-1, "")}
    now = 1
    for event in history.events:
        if isinstance(event, Resumed):
            now = event.leg
            found.setdefault(now, _Leg(event.seq, event.why))
        elif isinstance(event, Decided):
            leg = found[now]
            found[now] = leg._replace(decided=(*leg.decided, event.interrupt))
    return found


def _leg_of(history: History, seq: int) -> int:
    return next((event.leg for event in reversed(history.of(Resumed)) if event.seq <= seq), 1)


def _alike(first: _Leg, second: _Leg) -> bool:
    """Whether two legs go on with the same thing."""
    if set(first.decided) & set(second.decided):
        return True
    return first.why in _OF_THE_TRIGGER and second.why in _OF_THE_TRIGGER


def _several(history: History, saved: int) -> bool:
    """Whether two went on after something had been saved, and none of them had died."""
    for first, second in combinations(_legs(history).values(), 2):
        if saved < second.begun and second.why != "restart" and _alike(first, second):
            return True
    by = callers(history)
    acting = {by[call.call] for call in history.of(Called) if call.intent and call.seq > saved}
    return len(acting - {""}) > 1


def _by_two(history: History, saved: int, one: Committed, other: Committed) -> bool:
    calls = sorted((history.calls[one.call], history.calls[other.call]))
    first, second = calls
    if first.call == second.call or first.seq < saved:
        return False
    legs = [_leg_of(history, call.seq) for call in calls]
    if legs[0] == legs[1]:
        names = {callers(history)[call.call] for call in calls}
        return len(names) > 1 and "" not in names
    known = _legs(history)
    if not _alike(known[legs[0]], known[legs[1]]):
        return False
    return not died_between(history, first.seq, second.seq)


def _twice(history: History, saves: list[Saved], one: Committed, other: Committed) -> Violation:
    first, second = sorted((history.calls[one.call], history.calls[other.call]))
    save = next(save for save in reversed(saves) if save.seq < first.seq)
    tool = one.tool
    return Violation(
        code="AF418",
        subject=one.intent.effect,
        title=titled(f"{tool}: one save, two went on"),
        sentence=(
            f"{one.intent} took effect by {first.slot} and by {second.slot}, which two of those "
            f"made who went on from what was saved as {save.slot.name}."
        ),
        says=f"{save.slot.name} was saved once",
        world=f"{one.intent} took effect twice",
        witness=(save.seq, first.seq, second.seq, one.seq, other.seq),
        hint="claim the step in the same write that reads it (world.store.claim, or an update that "
        "asks for the version), and make the key from the step and not from the one who runs it",
    )
