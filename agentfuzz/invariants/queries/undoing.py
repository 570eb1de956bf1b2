"""Which effects were taken back, which stand, and which of them an answer names.

Law: pure functions of a history. An effect is taken back by a commit of the tool that `undoes`
its tool, about the same thing: equal values where both scopes have a name in common, else a value
that both know (a scope value, the effect's id, something in the reply). Where nothing can be
compared the undo is taken to fit. Asked by the laws of compensating, contradicting and cancelling.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from agentfuzz.core.events import Called, Committed, Intent, Replied
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.calls import kept_quiet
from agentfuzz.invariants.queries.texts import leaves

SETTLES = ("success", "partial")  # what an answer with these has claimed may stand


class Undo(NamedTuple):
    """One call that took an effect back: its commit, and the effect (None: there was none)."""

    call: Called
    commit: Committed
    of: Committed | None


def undoing(history: History, tool: str) -> str | None:
    """The tool whose effects this one takes back, or None."""
    facts = history.tools.get(tool)
    return facts.undoes if facts is not None else None


def undoable(history: History, commit: Committed) -> bool:
    """Whether there is a tool that takes back effects of this one."""
    return any(facts.undoes == commit.tool for facts in history.tools.values())


@query
def undos(history: History) -> list[Undo]:
    """What was taken back, in order; each effect once. A request that was delivered twice is one
    undo. One that came before the effect (which was in doubt, and arrived later) counts."""
    found: list[Undo] = []
    for commit in history.ledger:
        call = history.calls[commit.call]
        if undoing(history, commit.tool) is None:
            early = (at for at, undo in enumerate(found) if _early(history, undo, commit))
            at = next(early, None)
            if at is not None:
                found[at] = found[at]._replace(of=commit)
        elif all(undo.call is not call for undo in found):
            gone = {undo.of.seq for undo in found if undo.of is not None}
            alive = [
                (_fit(history, call, effect), effect.seq, effect)
                for effect in history.ledger
                if effect.seq < commit.seq and effect.seq not in gone
            ]
            best = max(alive, key=lambda one: one[:2], default=None)
            found.append(Undo(call, commit, best[2] if best is not None and best[0] else None))
    return found


@query
def taken_back(history: History) -> list[Undo]:
    """What was there, and was taken back for good: an undo that found nothing makes no room for
    another effect."""
    return [undo for undo in undos(history) if undo.of and undo.of.seq < undo.commit.seq]


def at_once(history: History, commits: list[Committed]) -> list[Committed]:
    """Of the effects of one intent those that stood at the moment when most of them did."""
    gone = {undo.of.seq: undo.commit.seq for undo in taken_back(history) if undo.of}
    moments = [
        [each for each in commits[: nth + 1] if gone.get(each.seq, commit.seq) >= commit.seq]
        for nth, commit in enumerate(commits)
    ]
    return max(moments, key=len)


def undone(history: History, before: int) -> set[int]:
    """The effects (their `seq`) that had been taken back at an event."""
    return {
        undo.of.seq for undo in undos(history) if undo.of is not None and undo.commit.seq < before
    }


def fits(history: History, undo: Called, commit: Committed) -> bool:
    """Whether a call of an undoing tool is about this effect."""
    return _fit(history, undo, commit) > 0


def _fit(history: History, undo: Called, effect: Committed) -> int:
    """0: about something else; 1: cannot be compared; 2: about this effect."""
    if undoing(history, undo.slot.name) != effect.tool or undo.intent is None:
        return 0
    mine, its = dict(undo.intent.scope), dict(effect.intent.scope)
    shared = mine.keys() & its.keys()
    if shared:
        same = [mine[name] == its[name] for name in shared]
        loose = history.derived(undo.slot.name) or history.derived(effect.tool)
        return 2 if all(same) else int(loose and any(same))
    known = {*map(str, its.values()), effect.effect_id, *said_of(history, effect)}
    return 2 if known & set(map(str, mine.values())) else 1


def _early(history: History, undo: Undo, effect: Committed) -> bool:
    """Whether an undo was meant for this effect, which its request brought about later."""
    sent_before = history.calls[effect.call].seq < undo.call.seq
    return undo.of is None and sent_before and fits(history, undo.call, effect)


def said_of(history: History, commit: Committed) -> Iterator[str]:
    """What the replies to an effect's call said: the names by which an agent knows it."""
    for reply in history.of(Replied):
        if reply.call == commit.call:
            yield from leaves(reply.body)


def settled(history: History, before: int) -> int:
    """Up to where an answer has accounted for the effects: the last valid Done before this event
    that claims them as done, or -1."""
    claims = (
        done.seq for done in history.completions if done.status in SETTLES and done.seq < before
    )
    return max(claims, default=-1)


def standing(history: History, before: int) -> list[Committed]:
    """The effects that stand at an event and that no earlier answer has claimed. One intent that
    took effect twice is two; what was answered as refused the agent cannot know of."""
    since, gone = settled(history, before), undone(history, before)
    quiet = kept_quiet(history)
    return [
        commit
        for commit in history.ledger
        if since < commit.seq < before
        and commit.seq not in gone
        and commit.call not in quiet
        and undoing(history, commit.tool) is None
    ]


def named(history: History, commit: Committed, texts: list[str]) -> bool:
    """Whether one of the texts names an effect: by a value of its scope, by its id, by a name in
    its reply, or, where it has no scope, by what it is called."""
    words = {commit.effect_id, *_values(commit.intent)}
    words |= {word for word in said_of(history, commit) if _is_a_name(word)}
    if not commit.intent.scope or history.derived(commit.tool):
        words |= {commit.tool, commit.intent.effect}
    return any(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
        for word in words
        for text in texts
    )


def _values(intent: Intent) -> Iterator[str]:
    for _, value in intent.scope:
        text = str(value)
        if text and value is not None:
            yield text


def _is_a_name(word: str) -> bool:
    return 2 < len(word) < 80 and any(letter.isdigit() for letter in word)
