"""The law that faults leave no trace in the world (AF105).

Law: whatever happens on the way, the world ends up as it does without faults, or the answer says
otherwise. Source: CATALOGUE law E4.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, Done, Intent, Resumed
from agentfuzz.core.history import History, query
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.ledgers import (
    Difference,
    Extra,
    Lack,
    Unequal,
    difference,
    nearest,
    unequal,
)
from agentfuzz.invariants.queries.model_alone import asked_again, left_out
from agentfuzz.invariants.queries.outline import LEDGER, Resting
from agentfuzz.invariants.queries.requests import Answer, any_passes, requests
from agentfuzz.invariants.queries.undoing import Undo, taken_back

_HINT = "make a repeat recognisable (one key per intent), or end with an honest status"
_HONEST = "end with an honest status (partial, blocked, failed) where an effect is missing"


def no_oracle(baseline: History) -> str:
    """Why the fault-free run says nothing about how others should come out, or nothing."""
    if baseline.breaks:
        return f"the run without faults breaks {', '.join(baseline.breaks)} itself"
    if not _claims(baseline):
        return "the run without faults claims nothing (outcome= says what its answer means)"
    return ""


@query
def _claims(history: History) -> bool:
    return any(request.answer.done for request in requests(history))


@law(
    codes={"AF105": "The ledger differs from the fault-free run"},
    catalogue="E4",
    needs_baseline=True,
    unfit=no_oracle,
)
def replay_transparency(*, strict: bool = True) -> Check:
    """Under faults the ledger holds what it holds without them, or the answer says otherwise.

    No effect of the fault-free run happens more often than there, whatever is claimed. Where
    success is claimed, nothing is missing and nothing was done instead or besides, except what the
    scenario lets stand in for what is missing (`instead={"sms": ("mail",)}`, one for one); where
    nothing is claimed, nothing is missing. Another status, an exception, or being cut off says
    otherwise: then an escalation, a ticket or an undo is no breach. Each request is judged by its
    own claim: the first task and each follow-up, with the restarts, decisions and messages that
    belong to it; and what was done in a leg that owned up to a failure was not done in secret.

    `strict=False` finds the clear case alone: an effect happens more often than without faults; and
    where nobody named a tool's scope, the same call again and again, with no other call between,
    for what lies between may have been a look at the world, or an undo that nobody declared.

    Compares effects and scopes: the oracle that needs no declaration. An effect that was taken back
    for good (`undoes`) and done again is one effect.

    NOT_EXERCISED when neither run committed anything, in the fault-free run itself, and where that
    run breaks a law or claims nothing.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        made, planned = history.intents, baseline.intents
        if history is baseline or not (made or planned) or no_oracle(baseline):
            return None
        if made == planned or not (history.repeats or any_passes(history)):
            return []  # nothing too often, and nobody was told that all is well
        differing = unequal(history, baseline)
        often = any(one.have > one.want > 0 for one in differing)
        if not differing or not (often or (strict and any_passes(history))):
            return []
        found = difference(history, baseline)
        if not strict:
            clear = [one for one in found.again if _clear(one, history, baseline)]
            return [_too_often(history, one) for one in clear]
        return list(_breaches(history, baseline, found))

    return Resting(check, LEDGER)


def _clear(one: Unequal, history: History, baseline: History) -> bool:
    """Whether a repeat is one, whatever was not declared."""
    if not history.tools[one.tool].derived:
        return True
    return _at_once(one.intent, history) > _at_once(one.intent, baseline)


def _at_once(intent: Intent, history: History) -> int:
    """How often an effect was repeated with no other call between."""
    took = {commit.call for commit in history.effects.get(intent, ())}
    found, last = 0, False
    for called in history.of(Called):
        if called.call in took:
            found, last = found + last, True
        elif called.intent != intent:
            last = False
    return found


def _breaches(history: History, baseline: History, found: Difference) -> Iterator[Violation]:
    asked = requests(history)
    judged = [_judged(planned.answer.done, baseline) for planned in requests(baseline)]
    silent = [
        lack
        for lack in found.lacks
        if lack.request.answer.passes and judged[asked.index(lack.request)]
    ]
    besides = [
        extra
        for extra in found.extras
        if judged[len(extra.requests) - 1] and not _owned_up(history, extra)
    ]
    for one in found.again:
        yield _too_often(history, one)
    for lack in silent:
        effect = lack.one.intent.effect
        other = nearest(lack, [one for one in besides if one.commit.intent.effect != effect])
        if other is not None:
            besides.remove(other)
        undo = None if other is not None else _undo_of(history, lack.one)
        yield _missing(history, lack, other) if undo is None else _undone(history, lack, undo)
    for extra in besides:
        yield _besides(history, extra)


def _judged(done: Done | None, baseline: History) -> bool:
    """Whether the run without faults ended this with a completion: one that only said that it waits
    for a decision, before an answer in prose, is none."""
    if done is None:
        return False
    waited = done.reason == "needs_approval"
    return not waited or not any(leg.seq > done.seq for leg in baseline.of(Resumed))


def _owned_up(history: History, extra: Extra) -> bool:
    """Whether the request that an effect was made for, the leg that made it, or an earlier request
    that may have left something to do, was not ended with success."""
    *_, request = extra.requests
    leg = request.legs.get(request.calls[extra.commit.call], Answer())
    return not (leg.succeeded and all(each.answer.succeeded for each in extra.requests))


def _too_often(history: History, one: Unequal) -> Violation:
    commits = history.effects[one.intent]
    told = asked_again(history, commits)
    return _differs(
        one,
        f"{one.intent} happened {_times(one.have)}, {_times(one.want)} in the run without faults"
        f"{told[0] if told else '.'}",
        history.claim,
        tuple(commit.seq for commit in commits),
        told[1] if told else _HINT,
    )


def _undo_of(history: History, one: Unequal) -> Undo | None:
    """The undo because of which an effect does not stand that did happen."""
    if len(history.effects.get(one.intent, ())) < one.want:
        return None
    undos = [undo for undo in taken_back(history) if undo.of and undo.of.intent == one.intent]
    return undos[-1] if undos else None


def _undone(history: History, lack: Lack, undo: Undo) -> Violation:
    assert undo.of is not None, "only what there was is taken back"
    intent = undo.commit.intent
    times = len(history.effects[intent])
    return _differs(
        Unequal(intent, undo.commit.tool, times, times - 1),
        f"{intent} took {lack.one.intent} back, which the run without faults does not do, and the "
        "answer does not say so.",
        lack.request.answer.claim,
        (undo.of.seq, undo.commit.seq),
        _HONEST,
    )


def _missing(history: History, lack: Lack, other: Extra | None) -> Violation:
    one, request = lack
    there = f"happened {_times(one.have)}," if one.have else "did not happen, but"
    sentence = f"{one.intent} {there} {_times(one.want)} in the run without faults"
    told = left_out(history, one.intent.__eq__)
    witness = [commit.seq for commit in history.effects.get(one.intent, ())]
    hint = told[1] if told else _HONEST
    if other is not None:
        instead = other.commit.intent
        sentence += f"; {instead} happened instead, and the answer does not say so."
        witness = [other.commit.seq]
        hint = (
            f'instead={{"{one.intent.effect}": ("{instead.effect}",)}} in @scenario(...), if that '
            "is as good; otherwise end with an honest status"
        )
    else:
        sentence += told[0] if told else ", and the answer does not say so."
    return _differs(one, sentence, request.answer.claim, tuple(witness), hint, history)


def _besides(history: History, extra: Extra) -> Violation:
    intent = extra.commit.intent
    commits = history.effects[intent]
    return _differs(
        Unequal(intent, extra.commit.tool, len(commits), 0),
        f"{intent} happened {_times(len(commits))}, not in the run without faults; the answer "
        "claims success and nothing more.",
        "success",
        tuple(commit.seq for commit in commits),
        "end with an honest status where the task took another way (partial, blocked), or let an "
        "undo take back what it replaces (`undoes=`)",
    )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _differs(
    one: Unequal,
    sentence: str,
    claim: str | None,
    witness: tuple[int, ...],
    hint: str,
    history: History | None = None,
) -> Violation:
    intent, tool, have, want = one
    return Violation(
        code="AF105",
        subject=intent.effect,
        title=f"{tool} ran {have}x, fault-free {want}x",
        sentence=sentence,
        says=claim or "no structured answer",
        world=f"{intent} {have}x instead of {want}x",
        witness=witness or (history.events[-1].seq if history is not None else 0,),
        hint=hint,
    )
