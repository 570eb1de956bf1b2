"""The law about a run that contradicts itself (AF306).

Law: one task, one account of how it ended; and what was done is not undone without a reason that
stands in the history. Source: CATALOGUE law C9; Tian Pan, "'Done!' Is Not a Return Code" (2026).
"""

from collections.abc import Iterator

from agentfuzz.core.events import (
    Called,
    Cancelled,
    Committed,
    Decided,
    Done,
    Event,
    Messaged,
    Replied,
    Resumed,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.conversations import asked_by_model
from agentfuzz.invariants.queries.requests import goes_on_with
from agentfuzz.invariants.queries.undoing import undoable, undos

_NEW_WORD = ("follow_up", "task", "interrupt", "decision")  # a leg that begins with something new
_OPEN = ("blocked", "partial")  # statuses that a later, better informed leg may better


@law(codes={"AF306": "The run contradicts itself"}, catalogue="C9")
def no_contradiction() -> Check:
    """The completions of a task agree, and no effect is taken back without a cause.

    All valid completions agree on status and handle. A later one may differ when somebody has
    spoken in between (a message, a cancellation, a decision, a leg that begins with one), when the
    earlier one left the task open (`blocked`, `partial`) and another leg went on with it, when it
    says that the earlier one is superseded, or when one turn of the model asked for both (that
    there is only one is `structured_termination`'s to judge).

    And no effect is taken back (`undoes`) without a cause: somebody spoke, another write failed or
    is in doubt (this is a compensation), the effect was there twice, the completion that follows
    is no success, or the run without faults takes it back too.

    Departs from the catalogue: a completion without a handle contradicts none with one, and a
    person who approved of taking it back is a cause, too.

    NOT_EXERCISED when there were not two completions, and nothing that a tool can take back was
    done.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        takes_back = any(undoable(history, commit) for commit in history.ledger)
        if len(history.completions) < 2 and not takes_back:
            return None
        return [*_accounts(history), *_taken_back(history, baseline)]

    return check


def _accounts(history: History) -> Iterator[Violation]:
    """Completions that differ, compared with the one before them about the same request."""
    request = {1: 1}  # the number of the request that a leg is about
    leg, before_it = 1, goes_on_with(history)
    before: dict[int, tuple[int, Done]] = {}
    for event in history.events:
        if isinstance(event, Resumed):
            if event.leg not in request:
                about = request[before_it[event.leg]]
                request[event.leg] = event.leg if event.why in _NEW_WORD else about
            leg = event.leg
        elif isinstance(event, (Messaged, Cancelled, Decided)):
            before.pop(request[leg], None)
        elif isinstance(event, Done) and not event.problem:
            earlier = before.get(request[leg])
            if earlier is not None and _differ(earlier[1], event):
                if _in_one_breath(history, earlier[1], event):
                    continue
                bettered = earlier[1].status in _OPEN and earlier[0] != leg
                if not bettered and event.reason != "superseded":
                    yield _two_accounts(earlier[1], event)
            if earlier is None or event.handle is not None or _differ(earlier[1], event):
                before[request[leg]] = (leg, event)


def _in_one_breath(history: History, earlier: Done, later: Done) -> bool:
    """Whether one turn of the model asked for both: it is the model that contradicts itself."""
    turn = asked_by_model(history, later)
    return turn is not None and asked_by_model(history, earlier) is turn


def _differ(earlier: Done, later: Done) -> bool:
    handles = (earlier.handle, later.handle)
    return earlier.status != later.status or (None not in handles and handles[0] != handles[1])


def _two_accounts(earlier: Done, later: Done) -> Violation:
    first, second = (_account(done) for done in (earlier, later))
    return Violation(
        code="AF306",
        subject="completion",
        title="two completions contradict",
        sentence=(
            f"The task was first completed as {first}, then as {second}, and nothing that happened "
            "in between explains it."
        ),
        says=second,
        world=first,
        witness=(earlier.seq, later.seq),
        hint="keep the completion of a task, and answer a second delivery of it with that",
    )


def _account(done: Done) -> str:
    return f"{done.status} ({done.reason})" + ("" if done.handle is None else f" {done.handle!r}")


def _taken_back(history: History, baseline: History | None) -> Iterator[Violation]:
    planned = baseline.effects if baseline is not None else {}
    gone: set[int] = set()
    for _, undoing, effect in undos(history):
        if effect is None or effect.seq > undoing.seq:
            continue
        gone.add(effect.seq)
        again = history.effects[effect.intent]
        twice = any(commit.seq < undoing.seq and commit.seq not in gone for commit in again)
        if twice or undoing.intent in planned or _owned_up(history, undoing):
            continue
        if not _cause(history, effect, undoing):
            yield _without_cause(effect, undoing)


def _cause(history: History, effect: Committed, undoing: Committed) -> bool:
    began, undo = history.calls[effect.call].seq, history.calls[undoing.call]
    return any(
        _explains(history, event, undo)
        for event in history.events
        if began < event.seq < undoing.seq
    )


def _explains(history: History, event: Event, undo: Called) -> bool:
    if isinstance(event, Decided):
        return not event.value or (undo.asked is not None and event.call == undo.asked)
    if isinstance(event, Resumed):
        return event.why in ("follow_up", "task", "interrupt")
    if isinstance(event, Replied):
        applied = event.outcome in ("applied", "replayed")
        writes = history.calls[event.call].intent is not None
        return not applied and event.call != undo.call and writes
    return isinstance(event, (Messaged, Cancelled))


def _owned_up(history: History, undoing: Committed) -> bool:
    """Whether the completion that follows says that the task is not done."""
    following = next((done for done in history.completions if done.seq > undoing.seq), None)
    return following is not None and following.status != "success"


def _without_cause(effect: Committed, undoing: Committed) -> Violation:
    return Violation(
        code="AF306",
        subject=undoing.intent.effect,
        title=f"{undoing.tool} undoes {effect.tool}",
        sentence=(
            f"{effect.intent} took effect, and {undoing.intent} took it back: nobody asked for "
            "that, and nothing had failed."
        ),
        says=f"{effect.tool}, then {undoing.tool}",
        world="no cause in between",
        witness=(effect.seq, undoing.seq),
        hint="let a confirmed effect be taken back only by a message, a refusal or a failed step",
    )
