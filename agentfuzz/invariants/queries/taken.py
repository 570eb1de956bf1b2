"""Whether a handoff that was neither accepted nor rejected was taken all the same.

Law: behind a queue nobody can say that a task is accepted, and who only reads it and passes it on
has no effect that would show it; what tells is that its receiver went on. No event says which way a
handoff went: what only a mailbox allows proves one, and where nothing does it is none. Asked by the
law of settled handoffs.
"""

from agentfuzz.core.between import (
    Claimed,
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
    SharedWritten,
    Waits,
)
from agentfuzz.core.events import Called, ModelInput
from agentfuzz.core.history import History
from agentfuzz.invariants.queries.teams import Passed, acting, agent_of

_DEEDS = (Called, ModelInput, HandoffSent, HandoffReceived, SharedWritten, Claimed)


def by_post(history: History, agent: str) -> bool:
    """Whether an agent surely has a mailbox: it rejected, or waited for, a handoff, somebody waited
    for its answer, or it accepted without an effect that follows at once."""
    return (
        any(no.agent == agent for no in history.of(HandoffRejected))
        or any(
            agent == (one.on if one.what == "answer" else one.agent)
            for one in history.of(Waits)
            if one.what in ("handoff", "answer")
        )
        or any(
            not _begins(history, yes) for yes in history.of(HandoffAccepted) if yes.agent == agent
        )
    )


def _begins(history: History, yes: HandoffAccepted) -> bool:
    """Whether an acceptance was written for the effect that follows it."""
    then = history.events[yes.seq + 1 :][:1]
    return any(type(one) is Called and one.intent is not None for one in then)


def went_on(history: History, passed: Passed) -> bool:
    """Whether a handoff reached whom it is for as it should be, and this agent (or who took it for
    this agent) did something afterwards; that the same handoff arrives again is not its doing."""
    sent = passed.sent
    return any(
        agent_of(history, event) in (sent.to, acting(history)[arrival.received.seq])
        and not (type(event) is HandoffReceived and event.handoff == sent.handoff)
        for arrival in passed.arrivals
        if arrival.received.agent == sent.to and not arrival.received.problem
        for event in history.events[arrival.received.seq + 1 :]
        if type(event) in _DEEDS
    )
