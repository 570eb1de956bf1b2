"""How facts about handoffs that contradict each other are told: fact; deed; however, objection.

Law: pure functions of events; nothing is said that is not in one of them. Asked by the laws of
handoffs.
"""

from agentfuzz.core.between import HandoffReceived, HandoffSent
from agentfuzz.invariants.queries.teams import task_of


def argued(fact: str, deed: str, objection: str) -> str:
    """One sentence of three parts."""
    return f"{fact}; {deed}; however, {objection}."


def what(sent: HandoffSent, version: int | None = None) -> str:
    """What is handed over: `version 3 of refund`, or the task alone if it has no version."""
    number = sent.version if version is None else version
    return f"version {number} of {task_of(sent)}" if number else task_of(sent)


def handed(sent: HandoffSent) -> str:
    """`lead handed version 3 of refund to billing at 2.0 s`."""
    return f"{sent.sender or 'somebody'} handed {what(sent)} to {sent.to} at {sent.t:.1f} s"


def came(sent: HandoffSent, got: HandoffReceived) -> str:
    """How an arrival differs from what was sent, with a comma before it; empty if it does not."""
    said = []
    if got.agent != sent.to:
        said.append(f"delivered to {got.agent}")
    if got.nth > 1:
        said.append("delivered again")
    if got.t - sent.t >= 1:
        said.append(f"received at {got.t:.1f} s")
    if got.version != sent.version:
        said.append(f"with the payload of version {got.version}")
    return "".join(f", {each}" for each in said)
