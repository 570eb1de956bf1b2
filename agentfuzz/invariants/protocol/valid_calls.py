"""The law about the agent's side of the tool protocol (AF401 to AF403).

Law: a call that the backend had to refuse is answered by a better one, or by an ending that does
not claim success; part of every scenario.
"""

from agentfuzz.core.events import Called, Refused, Replayed, Replied
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law
from agentfuzz.invariants.queries.ledgers import unequal
from agentfuzz.invariants.queries.outline import KINDS, Resting

_CODES = {
    "unknown_tool": (
        "AF401",
        "is no tool of this backend",
        "offer the model only tools that exist",
    ),
    "invalid_arguments": (
        "AF402",
        "was sent arguments that do not fit",
        "show the model the error",
    ),
    "key_reused": (
        "AF403",
        "was sent a used key with other parameters",
        "one key per intent; never rebuild the arguments of a retry",
    ),
}


@law(
    codes={
        "AF401": "An unknown tool was called",
        "AF402": "Invalid arguments were never mended",
        "AF403": "A key was reused with other parameters",
    },
    catalogue="B46",
    always=True,
)
def valid_calls() -> Check:
    """A call that the backend refused is mended, or success is not claimed.

    A refused call is followed by an accepted one (of the same tool, if there is such a tool), or
    nothing of the fault-free run's effects is missing, or success is not claimed.

    NOT_EXERCISED when the backend refused nothing.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        refused = history.of(Refused)
        if not refused:
            return None
        refused = [event for event in refused if event.kind in _CODES]
        if not refused:
            return None
        if history.success is None:
            return []
        if baseline is not None and all(one.have for one in unequal(history, baseline)):
            return []  # nothing is missing: the refusal did no harm
        good = {reply.call for reply in history.of(Replied) if reply.raised is None}
        good |= {event.call for event in history.ledger}
        good |= {event.call for event in history.of(Replayed)}
        found: list[Violation] = []
        last = {(event.kind, history.calls[event.call].slot.name): event for event in refused}
        for (_, tool), event in last.items():
            later = [call for call in history.of(Called) if call.seq > event.seq]
            if event.kind != "unknown_tool":  # a tool that is not there is mended by another
                later = [call for call in later if call.slot.name == tool]
            if not any(call.call in good for call in later):
                found.append(_never_mended(event, tool))
        return found

    return Resting(check, KINDS, but_for=(Refused,))


def _never_mended(event: Refused, tool: str) -> Violation:
    code, what, hint = _CODES[event.kind]
    return Violation(
        code=code,
        subject=tool,
        title=f"{tool} refused, success claimed",
        sentence=(
            f"{tool} {what} ({event.detail}); the agent never mended the call and claims success."
        ),
        says="success",
        world=f"{tool} refused: {event.kind}",
        witness=(event.seq,),
        hint=hint,
    )
