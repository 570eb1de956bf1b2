"""What the faults of handoffs have done to a team, which no law may hold against it.

Law: pure functions of a history; without a fault of a handoff there is nothing here. Asked by the
laws of what a model is shown and of what it answers.
"""

from agentfuzz.core.between import HandoffReceived
from agentfuzz.core.events import Called, Struck
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.teams import callers, handoffs


def spoilt_between(history: History, start: int, end: int) -> bool:
    """Whether a payload was spoilt on its way between two events: what it had held, its receiver
    cannot show."""
    return any(
        start < one.seq < end and one.fault.axes[1] != "intact"
        for one in history.of(Struck)
        if one.slot.boundary == "handoff"
    )


@query
def overdue(history: History) -> frozenset[str]:
    """The calls that were made for a handoff which arrived late: its sender had given it up."""
    late = {
        one.slot
        for one in history.of(Struck)
        if one.slot.boundary == "handoff" and one.fault.axes[0] == "late"
    }
    found: set[str] = set()
    for passed in handoffs(history) if late else ():
        for arrival in passed.arrivals if passed.sent.slot in late else ():
            found |= _calls(history, arrival.received)
    return frozenset(found)


def _calls(history: History, got: HandoffReceived) -> set[str]:
    """What its receiver called for it, until it received the next one."""
    after = (one.seq for one in history.of(HandoffReceived) if one.seq > got.seq)
    until = min(after, default=len(history.events))
    by = callers(history)
    return {
        call.call
        for call in history.of(Called)
        if got.seq < call.seq < until and by[call.call] == got.agent
    }
