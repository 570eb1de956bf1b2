"""The law that a task that was stopped stops (AF310).

Law: after Stop nothing new is begun but the undoing of what was. Source: CATALOGUE B16.
"""

from collections.abc import Iterator

from agentfuzz.core.events import Called, Cancelled, Event, ModelTurn, Replied, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.undoing import undoing

MOMENT = 0.01  # virtual seconds: what was ready at the stop has run by then


@law(codes={"AF310": "An effect was begun after the cancel"}, catalogue="B16")
def no_effect_after_cancel() -> Check:
    """Once a task was stopped, it calls no write any more but to undo.

    The leg that was stopped calls no write any more, except one that undoes (`undoes` of the tool)
    what an earlier call did or may have done.

    Not counted: a request that was under way, whenever it arrives; and what other tasks of the
    leg, which were ready before the stop, begin before it has reached anybody: before the call at
    which it struck is answered, or the next reply or turn of a model at a later time. A later leg
    is somebody's new wish. NOT_EXERCISED when nothing was cancelled.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        if not history.of(Cancelled):
            return None
        found: list[Violation] = []
        for leg in history.legs:
            found += _after_stop(history, leg)
        return found

    return check


def _after_stop(history: History, leg: list[Event]) -> Iterator[Violation]:
    stop: Cancelled | None = None
    at: str | None = None  # the call at which it struck
    reached = False
    for event in leg:
        if type(event) is Cancelled and stop is None:
            stop, at = event, _open_call(leg, event)
        elif stop is not None and isinstance(event, (Replied, ModelTurn)):
            reached = reached or _learns(stop, at, event)
        elif stop is not None and reached and type(event) is Called and event.intent is not None:
            undone = undoing(history, event.slot.name)
            before = {call.slot.name for call in history.of(Called) if call.seq < event.seq}
            if undone not in before:
                yield _too_late(stop, event)


def _learns(stop: Cancelled, at: str | None, event: Replied | ModelTurn) -> bool:
    """Whether the stop has reached somebody with this event."""
    if event.t > stop.t + MOMENT:
        return True
    if at is not None:
        return isinstance(event, Replied) and event.call == at
    told = isinstance(event, Replied) and event.raised in ("CancelledError", "Cancelled")
    return stop.how == "token" or told  # a task learns of it where it waits


def _open_call(leg: list[Event], stop: Cancelled) -> str | None:
    """The call at which a stop struck, or the last one that was open there; None at a turn."""
    before = [event for event in leg if event.seq < stop.seq]
    calls = {event.call: event.slot for event in before if isinstance(event, Called)}
    for event in before:
        if isinstance(event, Replied):
            calls.pop(event.call, None)
    struck = before[-1].slot if before and isinstance(before[-1], Struck) else None
    named = [call for call, slot in calls.items() if struck and slot[1:] == struck[1:]]
    return next(reversed(named or list(calls)), None)


def _too_late(stop: Cancelled, call: Called) -> Violation:
    tool = call.slot.name
    assert call.intent is not None, "only writes are asked"
    return Violation(
        code="AF310",
        subject=call.intent.effect,
        title=f"{tool} called after the cancel",
        sentence=f"The task was cancelled ({stop.how}), and after that {call.slot} was called for "
        f"{call.intent}.",
        says=f"cancelled at {stop.t:g}s",
        world=f"{call.slot} called at {call.t:g}s",
        witness=(stop.seq, call.seq),
        hint=(
            "let a cancellation through (catch it to clean up, then raise it again), and look at "
            "the token before each write"
        ),
    )
