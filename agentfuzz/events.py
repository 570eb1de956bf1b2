"""The events of a history, for laws of your own.

    from agentfuzz import History, invariant
    from agentfuzz.events import Called, Committed

    @invariant
    def one_call_per_order(history: History):
        calls = history.of(Called)
        return "called twice" if len(calls) > len(history.of(Committed)) else []

Each event is a frozen record with its place `seq` and its virtual time `t` in seconds; a history
is an ordered list of them.
"""

from agentfuzz.core.between import (
    Acts,
    Claimed,
    Finished,
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
    Joined,
    SharedRead,
    SharedWritten,
    Spawned,
    Waited,
    Waits,
)
from agentfuzz.core.events import (
    Asserted,
    Called,
    Cancelled,
    Committed,
    Crashed,
    Decided,
    Delivered,
    Done,
    Ended,
    Event,
    Intent,
    Interrupted,
    Messaged,
    ModelInput,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Saved,
    Shown,
    Struck,
    Unheard,
)

__all__ = [
    "Acts",
    "Asserted",
    "Called",
    "Cancelled",
    "Claimed",
    "Committed",
    "Crashed",
    "Decided",
    "Delivered",
    "Done",
    "Ended",
    "Event",
    "Finished",
    "HandoffAccepted",
    "HandoffReceived",
    "HandoffRejected",
    "HandoffSent",
    "Intent",
    "Interrupted",
    "Joined",
    "Messaged",
    "ModelInput",
    "ModelTurn",
    "Refused",
    "Replayed",
    "Replied",
    "Resumed",
    "Saved",
    "SharedRead",
    "SharedWritten",
    "Shown",
    "Spawned",
    "Struck",
    "Unheard",
    "Waited",
    "Waits",
]
