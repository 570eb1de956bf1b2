"""What was still under way: a request that arrives when nobody waits for it any more.

Law: a pure function of a history; what a look-up says while a request is under way is out of date
as soon as it is said. Asked by the laws about what may be repeated, and what may be undone.
"""

from agentfuzz.core.events import Called, Committed, Delivered, Intent, Replied
from agentfuzz.core.history import History
from agentfuzz.invariants.queries.calls import clean, looks_up, struck_by


def under_way(history: History, intent: Intent, at: int) -> bool:
    """Whether a request for this intent, sent before an event, might still arrive after it."""
    late = struck_by(history, "late")
    if not late:
        return False
    arrived = {event.call for event in history.of(Delivered) if event.seq < at}
    return any(
        call.intent == intent and call.slot in late and call.call not in arrived
        for call in history.of(Called)
        if call.seq < at
    )


def looked_up(history: History, intent: Intent, after: int, before: int) -> bool:
    """Whether a reading tool was asked about an intent between two events, and answered well."""
    calls = history.calls
    return any(
        clean(reply)
        and after < calls[reply.call].seq
        and looks_up(history, calls[reply.call], intent)
        for reply in history.of(Replied)
        if reply.seq < before
    )


def unseen(history: History, undo: Called, effect: Committed) -> bool:
    """Whether an effect that was in doubt was undone before it arrived, by a call that was made
    without looking it up, though some tool reads."""
    reply = history.replies.get(effect.call)
    if reply is None or not reply.seq < undo.seq < effect.seq:
        return False
    reads = any(facts.effect is None for facts in history.tools.values())
    return reads and not looked_up(history, effect.intent, reply.seq, undo.seq)
