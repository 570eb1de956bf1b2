"""The law that a handoff is taken once, or its loss is said (AF607).

Law: what was handed over and taken by nobody is nobody's work, and what was taken twice is done
twice; of what the receiver makes of it others judge. Source: CATALOGUE law H7, rows F53 and F54.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

from agentfuzz.core.between import (
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
)
from agentfuzz.core.events import Called, Committed, Crashed, Done, Json, Replayed
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import died_between
from agentfuzz.invariants.queries.handed import handed, same_task, who
from agentfuzz.invariants.queries.outline import KINDS, Resting
from agentfuzz.invariants.queries.taken import by_post, went_on
from agentfuzz.invariants.queries.teams import Passed, acting, agent_of, callers, handoffs, passed
from agentfuzz.invariants.queries.texts import leaves
from agentfuzz.invariants.queries.undoing import named

_ID, _ARRIVAL = attrgetter("handoff"), attrgetter("handoff", "nth")


@law(codes={"AF607": "A handoff was lost, or accepted twice"}, catalogue="H7", always=True)
def handoffs_settled() -> Check:
    """Every handoff is accepted or rejected before a run claims success, and accepted only once.

    A handoff counts as settled, too, when the same task was handed over another time, in the same
    or a later version, and that was answered; when its first attempt, with nothing but another
    version, came late and was accepted after it had been sent; and when the sender took it back: it
    did itself what the payload names. A run that says so has lost nothing: its answer is none of
    success, or its detail names the task or the handoff. It has been taken by whom it is for, too,
    where no `accept` can be called (a queue, a function) and nothing says no: by an agent that went
    on after it, handed something over, or took the next one. Work that was begun again, and had
    each effect once for all that, was taken once.

    NOT_EXERCISED when nothing was handed over.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(HandoffSent):
            return None
        return [*_taken_twice(history), *_lost(history, baseline)]

    return Resting(check, KINDS, but_for=(HandoffSent,))


def _taken_twice(history: History) -> Iterator[Violation]:
    accepted = history.of(HandoffAccepted)
    if len({*map(_ID, accepted)}) == len(accepted):
        return
    for one in handoffs(history):
        for yes in one.accepted[1:]:
            if not _once_for_all_that(history, one.accepted[0], yes):
                yield _twice(one.sent, one.accepted[0], yes)


def _once_for_all_that(history: History, first: HandoffAccepted, again: HandoffAccepted) -> bool:
    """Whether the work was begun again, and nothing was done that the first time had done."""
    calls, before = _calls(history, again), _calls(history, first)
    done = [commit.intent for commit in history.ledger if commit.call in before]
    twice = (commit.intent in done for commit in history.ledger if commit.call in calls)
    return bool(calls) and not any(twice)


def _calls(history: History, yes: HandoffAccepted) -> set[str]:
    """The calls with an effect of who accepted, until it accepted the next one; who acts under
    another name while it accepts for an agent is this agent."""
    by, own = callers(history), (yes.agent, acting(history)[yes.seq])
    later = (one.seq for one in history.of(HandoffAccepted) if one.agent == yes.agent)
    until = min((seq for seq in later if seq > yes.seq), default=len(history.events))
    return {
        call.call
        for call in history.of(Called)
        if call.intent and yes.seq < call.seq < until and by[call.call] in own
    }


def _lost(history: History, baseline: History | None) -> Iterator[Violation]:
    claim = history.success
    if claim is None:
        return
    settled = _answered(history, HandoffAccepted, HandoffRejected)
    left = [sent for sent in history.of(HandoffSent) if sent.handoff not in settled]
    if not left:
        return
    taken = _answered(history, HandoffAccepted)
    lost = [
        sent
        for sent in left
        if not (
            sent.seq > claim.seq
            or _said(history, sent)
            or _superseded(history, sent, settled, taken)
            or _taken_back(history, sent)
        )
    ]
    for one in passed(history, lost):
        posted = any(by_post(run, one.sent.to) for run in (history, baseline) if run)
        if posted or not went_on(history, one):
            yield _never(one, claim)


def _answered(history: History, *ways: type[Any]) -> set[str]:
    """Whatever has come and has been answered so, by its id."""
    came = {*map(_ARRIVAL, history.of(HandoffReceived))}
    came.intersection_update(map(_ARRIVAL, chain(*map(history.of, ways))))
    return {*map(itemgetter(0), came)}


def _superseded(history: History, sent: HandoffSent, settled: set[str], taken: set[str]) -> bool:
    """Whether the same task, in this or a later version, was answered when it was sent again, or
    taken over when it had been sent before. Another life may begin to count its versions anew."""
    died = bool(history.of(Crashed))
    if _first_came_late(history, sent):
        return True
    return any(
        other is not sent
        and same_task(sent, other)
        and other.handoff in (settled if other.seq > sent.seq else taken)
        for other in history.of(HandoffSent)
        if other.version >= sent.version or (died and died_between(history, sent.seq, other.seq))
    )


def _first_came_late(history: History, sent: HandoffSent) -> bool:
    """Whether the first attempt at a handoff was taken over once it had been sent again, with
    nothing new in it but the number of the attempt."""
    late = {yes.handoff for yes in history.of(HandoffAccepted) if yes.seq > sent.seq}
    return bool(late) and any(
        first.seq < sent.seq
        and first.handoff in late
        and same_task(first, sent)
        and _but_for_version(first.payload) == _but_for_version(sent.payload)
        for first in history.of(HandoffSent)
    )


def _but_for_version(payload: Json) -> Json:
    if not isinstance(payload, Mapping):
        return payload
    return {name: value for name, value in payload.items() if name != "version"}


def _said(history: History, sent: HandoffSent) -> bool:
    words = [word for word in (sent.task, sent.handoff) if word]
    return any(
        done.status != "success" or any(word in done.detail for word in words)
        for done in history.completions
        if done.seq > sent.seq
    )


def _taken_back(history: History, sent: HandoffSent) -> bool:
    """Whether the sender itself did what the payload names, or saw that it was done."""
    said = list(leaves(sent.payload))
    effects = {commit.effect_id: commit for commit in history.ledger}
    done: list[Committed | Replayed] = [*history.ledger, *history.of(Replayed)]
    return any(
        one.seq > sent.seq
        and agent_of(history, one) == sent.sender
        and one.effect_id in effects
        and named(history, effects[one.effect_id], said)
        for one in done
    )


def _twice(sent: HandoffSent, first: HandoffAccepted, again: HandoffAccepted) -> Violation:
    by = "again" if first.agent == again.agent else f"by {who(again.agent)} as well"
    return Violation(
        code="AF607",
        subject=sent.to,
        title=titled(f"{sent.handoff}: accepted twice"),
        sentence=(
            f"{handed(sent)}, once; it arrived more than once. {who(first.agent)} accepted it at "
            f"{first.t:g} s; however it was accepted {by} at {again.t:g} s."
        ),
        says="taken over",
        world=f"{sent.handoff} was accepted twice",
        witness=(sent.seq, first.seq, again.seq),
        hint="remember what was accepted (world.store.claim of its id; of its task, where a "
        "function or a queue gives no id), and reject what arrives again",
    )


def _never(lost: Passed, claim: Done) -> Violation:
    sent, arrived = lost.sent, [one.received for one in lost.arrivals]
    taken = (
        f"{who(arrived[0].agent)} was given it at {arrived[0].t:g} s, and neither accepted nor "
        "rejected it"
        if arrived
        else "nobody was given it"
    )
    return Violation(
        code="AF607",
        subject=sent.to,
        title=titled(f"{sent.handoff} to {sent.to}: lost"),
        sentence=f"{handed(sent)}; {taken}. However the answer claims success at {claim.t:g} s.",
        says=f"{claim.status} ({claim.reason})",
        world=f"{sent.handoff} was taken by nobody",
        witness=(sent.seq, *(one.seq for one in arrived), claim.seq),
        hint="wait for the answer (world.answered(receipt, 60); the result, where a function or a "
        "queue gives no receipt); where none comes, hand it over again, or end with `blocked` and "
        "name the task",
    )
