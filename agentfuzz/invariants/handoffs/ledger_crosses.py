"""The law that what was done is handed over with what is to be done (AF605).

Law: a receiver that is not told, and does not look, does it again. Whether it was told is read in
what arrived; that it is harmful is shown by the repeat alone. Source: CATALOGUE law H5, row F52.
"""

from collections.abc import Iterator
from typing import NamedTuple

from agentfuzz.core.between import (
    HandoffAccepted,
    HandoffReceived,
    HandoffSent,
    SharedRead,
    SharedWritten,
)
from agentfuzz.core.events import Called, Committed, Event, Refused, Replayed, Saved
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.handed import (
    handed,
    names_scope,
    names_what_was_done,
    same_task,
    who,
)
from agentfuzz.invariants.queries.teams import agent_of, callers, handoffs
from agentfuzz.invariants.queries.undoing import undone


@law(codes={"AF605": "What had been done was not handed over"}, catalogue="H5")
def ledger_crosses() -> Check:
    """Who takes a task over repeats nothing that was done for it before and that nobody told it.

    What its sender had caused, or been told of, before it handed the task over is named in what
    arrives (the id of the effect, a handle of its reply, or the values of its scope: in the field
    `effects` of a payload that has one); or the receiver looks before it acts: it reads with a
    tool, in `world.shared`, or writes into its store. It is broken only by a receiver that calls
    for the same intent again; a backend that recognises the repeat, or refuses it, keeps the law.

    NOT_EXERCISED when nobody accepted a task for which something had been done.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        taken = [one for one in _taken(history) if any(_done_before(history, one))]
        if not taken:
            return None
        return [
            _violation(one, commit, again)
            for one in taken
            for commit in _done_before(history, one)
            for again in _repeats(history, one, commit)
        ]

    return check


class _Taken(NamedTuple):
    """A handoff as one receiver took it over."""

    sent: HandoffSent
    got: HandoffReceived
    yes: HandoffAccepted


def _taken(history: History) -> Iterator[_Taken]:
    for passed in handoffs(history):
        for one in passed.arrivals:
            if one.accepted is not None:
                yield _Taken(passed.sent, one.received, one.accepted)


def _done_before(history: History, taken: _Taken) -> Iterator[Committed]:
    """What its sender had caused, or knew of, and what still stood when it handed the task over."""
    sent = taken.sent
    gone = undone(history, sent.seq)
    told = [
        other.got
        for other in _taken(history)
        if other.yes.agent == sent.sender
        and other.yes.seq < sent.seq
        and same_task(other.sent, sent)
    ]
    for commit in history.ledger:
        if commit.seq < sent.seq and commit.seq not in gone:
            own = agent_of(history, commit) == sent.sender
            if own or any(names_what_was_done(history, got.payload, commit) for got in told):
                yield commit


def _repeats(history: History, taken: _Taken, commit: Committed) -> Iterator[Called | Committed]:
    """The receiver's first call for something that was done, if it could not know of it."""
    harmless = {one.call for one in history.of(Replayed)}
    harmless |= {one.call for one in history.of(Refused)}
    effects = {one.call: one for one in reversed(history.ledger)}
    agent = taken.yes.agent
    for call in history.of(Called):
        if call.intent != commit.intent or callers(history)[call.call] != agent:
            continue
        if call.seq < taken.got.seq or commit.seq in undone(history, call.seq):
            continue
        again = effects.get(call.call)
        if (again is None and call.call in harmless) or _knew(history, taken, commit, call.seq):
            return
        yield again or call
        return


def _knew(history: History, taken: _Taken, commit: Committed, before: int) -> bool:
    """Whether the receiver had been told of an effect, or had looked, before it called."""
    agent = taken.yes.agent
    if any(
        one.agent == agent
        and one.seq < before
        and names_what_was_done(history, one.payload, commit)
        for one in history.of(HandoffReceived)
    ):
        return True
    return any(
        _looks(history, event, commit) and agent_of(history, event) == agent
        for event in history.events[taken.got.seq : before]
    )


def _looks(history: History, event: Event, commit: Committed) -> bool:
    if isinstance(event, Called):
        reply = history.replies.get(event.call)
        said = None if reply is None else reply.body
        return event.intent is None and names_scope(event, said, commit)
    return isinstance(event, (SharedRead, SharedWritten, Saved))


def _violation(taken: _Taken, commit: Committed, again: Called | Committed) -> Violation:
    sent, got, yes = taken
    receiver = who(yes.agent)
    how = "caused it again" if isinstance(again, Committed) else "called for it again"
    lost = "" if got.payload == sent.payload else " (any more)"
    return Violation(
        code="AF605",
        subject=commit.intent.effect,
        title=titled(f"{commit.intent.effect}: repeated by {receiver}"),
        sentence=(
            f"{commit.intent} took effect at {commit.t:g} s ({commit.effect_id}); {handed(sent)}, "
            f"and what arrived does not name it{lost}. {receiver} accepted it at {yes.t:g} s and "
            f"looked nowhere; however it {how} at {again.t:g} s."
        ),
        says=f"{receiver} does {commit.intent}"[:60],
        world=f"{commit.intent} was done before"[:60],
        witness=(commit.seq, sent.seq, got.seq, yes.seq, again.seq),
        hint="name what has been done in the payload (its effect ids or handles), and let the "
        "receiver look it up before its first effect",
    )
