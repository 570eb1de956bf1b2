"""The law that a failed call spoils no later one (AF220).

Law: what fails once fails alone. Source: CATALOGUE B42.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agentfuzz.core.events import Called, ModelInput, Refused, Replied, Struck
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation, titled
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.calls import clean, logical, logical_of
from agentfuzz.invariants.queries.conversations import Asked, asked_for

_OF_CALLS = ("tool", "local", "process")
_DEAD = ("tool_raised", "unknown_tool")
_STOPPED = {"cancel", "interrupt"}
_LOST = {"timeout", "error", "rate_limited", "unauthorized", "gone", "raises", "hangs"}


@law(
    codes={"AF220": "After one failed call a later one failed, too"},
    catalogue="B42",
    needs_baseline=True,
)
def later_calls_work() -> Check:
    """After a call that a fault spoiled, a healthy call works as it does without faults.

    A fault of the call spoils it, or somebody who stops the task or speaks in the midst of it. A
    history shows two things of a session, a connection or a client that did not outlive that. The
    call is made, no fault strikes it, and it fails: the tool is not there or raises,
    where the fault-free run was answered well and the same effects had taken place. Or it is not
    made at all: the model asks for a look-up in a later turn, and is answered without the backend
    being called, though it has never been answered before. Writes are not judged so: to hold them
    back after a failure may be wise; nor is who stops asking after several (a circuit breaker).

    NOT_EXERCISED where no call was spoiled, or no other was made or asked for after it; and for
    what is asked, where more than one fault struck, or another one than of a call.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        assert baseline is not None, "Invariant answers NOT_EXERCISED without one"
        spoiled = _spoiled(history)
        if spoiled is None:
            return None
        calls = [call for call in history.of(Called) if call.seq > spoiled.seq]
        asks = list(_asks(history, spoiled))
        if not calls and not asks:
            return None
        return [
            *_failed(history, baseline, spoiled, calls),
            *_not_made(history, baseline, spoiled, asks),
        ]

    return check


class _Spoiled(NamedTuple):
    """A call of which nothing good came, and the event at which that was so."""

    call: Called
    seq: int


def _spoiled(history: History) -> _Spoiled | None:
    """The first call whose answer did not come, or was a failure, because of a fault, or that was
    under way, or just answered, when somebody stopped the task."""
    calls = {(call.slot.name, call.slot.nth): call for call in history.of(Called)}
    lost, found = set(), []
    for one in history.of(Struck):
        slot, words = one.slot, set(one.fault.axes)
        call = calls.get((slot.name, slot.nth))
        if slot.boundary == "process" and words & _STOPPED and call is not None:
            found.append(_Spoiled(call, max(one.seq, call.seq)))
        elif slot.boundary in ("tool", "local") and words & _LOST:
            lost.add((slot.name, slot.nth))
    for reply in history.of(Replied):
        call = history.calls[reply.call]
        if (call.slot.name, call.slot.nth) in lost:
            found.append(_Spoiled(call, reply.seq))
            break
    return min(found, key=lambda one: one.seq, default=None)


# Made, and failed -----------------------------------------------------------------------------


def _failed(
    history: History, baseline: History, spoiled: _Spoiled, calls: list[Called]
) -> Iterator[Violation]:
    struck = {(one.slot.name, one.slot.nth) for one in history.of(Struck)}
    refused = {one.call: one for one in history.of(Refused) if one.kind in _DEAD}
    for call in calls:
        if call.call not in refused or (call.slot.name, call.slot.nth) in struck:
            continue
        good = _answered_well(baseline, call)
        done = Counter(one.intent for one in history.ledger if one.seq < call.seq)
        if good is not None and done == Counter(
            one.intent for one in baseline.ledger if one.seq < good.seq
        ):
            why = refused[call.call].detail
            yield _violation(spoiled, call.slot.name, call.seq, f"failed ({why})")


def _answered_well(baseline: History, call: Called) -> Called | None:
    """The same call in the fault-free run, if it was answered well."""
    for other in baseline.of(Called):
        reply = baseline.replies.get(other.call)
        if logical(other) == logical(call) and reply is not None and clean(reply):
            return other
    return None


# Asked for, and never made --------------------------------------------------------------------


def _asks(history: History, spoiled: _Spoiled) -> Iterator[Asked]:
    """What a model asked for later, of tools that only read, and has not been answered yet."""
    struck = history.of(Struck)
    if len(struck) > 1 or any(one.slot.boundary not in _OF_CALLS for one in struck):
        return  # who has failed again and again may stop asking
    known = {logical(history.calls[reply.call]) for reply in history.of(Replied) if clean(reply)}
    for ask in asked_for(history):
        facts = history.tools.get(ask.tool)
        if facts is None or facts.effect is not None or ask.turn.seq < spoiled.seq:
            continue
        if isinstance(ask.arguments, Mapping) and logical_of(ask.tool, ask.arguments) not in known:
            yield ask


def _not_made(
    history: History, baseline: History, spoiled: _Spoiled, asks: list[Asked]
) -> Iterator[Violation]:
    enough = len(baseline.of(Called))  # a loop that has made more may have reached its limit
    for ask in asks:
        given = _answer(history, ask)
        if given is None or len([c for c in history.of(Called) if c.seq < given.seq]) > enough:
            continue
        if not any(
            ask.turn.seq < call.seq < given.seq and ask.tool == call.slot.name
            for call in history.of(Called)
        ):
            yield _violation(spoiled, ask.tool, given.seq, "never reached its backend")


def _answer(history: History, ask: Asked) -> ModelInput | None:
    """The next input that shows a result for what was asked."""
    for given in history.of(ModelInput):
        if given.seq > ask.turn.seq and any(one.answers == ask.id for one in given.messages):
            return given
    return None


def _violation(spoiled: _Spoiled, tool: str, seq: int, how: str) -> Violation:
    first = spoiled.call
    return Violation(
        code="AF220",
        subject=tool,
        title=titled(f"{tool}: dead since {first.slot}"),
        sentence=(f"{first.slot} failed; a later call of {tool}, which no fault struck, {how}."),
        says=f"the later call of {tool} {how}",
        world=f"only {first.slot} was struck",
        witness=(first.seq, spoiled.seq, seq),
        hint="open a new session (connection, client) when the one in use has failed, and tell an "
        "error of the session apart from one of the call",
    )
