"""What laws ask about several agents: who did it, what became of a handoff, who owned a task.

Law: an answer rests on events alone. A call, with all that comes of it, is its caller's; a turn of
the model is whose input it answers; everything else is who acted last before it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from agentfuzz.core.between import (
    Acts,
    HandoffAccepted,
    HandoffReceived,
    HandoffRejected,
    HandoffSent,
)
from agentfuzz.core.events import (
    Called,
    Done,
    Ended,
    Event,
    ModelInput,
    ModelTurn,
    Resumed,
    made,
)
from agentfuzz.core.history import History, query

Answer = TypeVar("Answer", HandoffAccepted, HandoffRejected)


@query
def acting(history: History) -> Sequence[str]:
    """Who acted last, by the place of an event."""
    now, found = "", []
    for event in history.events:
        if type(event) is Acts:
            now = event.agent
        found.append(now)
    return found


@query
def callers(history: History) -> Mapping[str, str]:
    """The agent that made each call, by the id of the call."""
    by = acting(history)
    return {call.call: by[call.seq] for call in history.of(Called)}


@query
def _askers(history: History) -> Mapping[object, str]:
    by = acting(history)
    return {shown.slot: by[shown.seq] for shown in history.of(ModelInput)}


def agent_of(history: History, event: Event) -> str:
    """Whose event it is; empty for an agent without a name, and for what is the run's own: its end,
    the answer that it returned, a leg that begins."""
    if isinstance(event, Ended | Resumed) or (isinstance(event, Done) and event.via == "return"):
        return ""
    own = getattr(event, "agent", None)
    if isinstance(own, str):
        return own
    if isinstance(event, HandoffSent):
        return event.sender
    if isinstance(event, ModelTurn):
        return _askers(history).get(event.slot, acting(history)[event.seq])
    call = getattr(event, "call", None)
    if isinstance(call, str) and call in callers(history):
        return callers(history)[call]
    return acting(history)[event.seq]


class Arrival(NamedTuple):
    """One arrival of a handoff, and what its receiver made of it."""

    received: HandoffReceived
    accepted: HandoffAccepted | None
    rejected: HandoffRejected | None


class Passed(NamedTuple):
    """One handoff with all its arrivals, in order."""

    sent: HandoffSent
    arrivals: tuple[Arrival, ...]

    @property
    def accepted(self) -> list[HandoffAccepted]:
        """Every acceptance of it."""
        return [one.accepted for one in self.arrivals if one.accepted is not None]


@query
def handoffs(history: History) -> Sequence[Passed]:
    """Every handoff of the run, in the order in which they were sent."""
    return passed(history, history.of(HandoffSent))


def passed(history: History, sent: Sequence[HandoffSent]) -> Sequence[Passed]:
    """What became of these handoffs, in this order."""
    asked = {one.handoff for one in sent}
    accepted = _first(history.of(HandoffAccepted), asked)
    rejected = _first(history.of(HandoffRejected), asked)
    arrived: dict[str, tuple[Arrival, ...]] = {}
    for one in history.of(HandoffReceived):
        name = one.handoff
        if name in asked:
            at = (name, one.nth)
            arrival = made(Arrival, (one, accepted.get(at), rejected.get(at)))
            arrived[name] = (*arrived[name], arrival) if name in arrived else (arrival,)
    came = arrived.get
    return [made(Passed, (one, came(one.handoff, ()))) for one in sent]


def _first(answers: Sequence[Answer], asked: set[str]) -> Mapping[tuple[str, int], Answer]:
    """The first answer to each arrival of these handoffs: of two, that one holds."""
    return {(one.handoff, one.nth): one for one in reversed(answers) if one.handoff in asked}


def task_of(sent: HandoffSent) -> str:
    """The task that is handed over; a handoff that names none is a task of its own."""
    return sent.task or sent.handoff


class Owned(NamedTuple):
    """From this event on an agent owns a task."""

    seq: int
    agent: str
    task: str


@query
def owners(history: History) -> Sequence[Owned]:
    """Who owned each task from when on: first whoever hands it over without having accepted it,
    then whoever accepts it."""
    tasks = {passed.sent.handoff: task_of(passed.sent) for passed in handoffs(history)}
    found: list[Owned] = []
    known: set[str] = set()
    for event in history.events:
        if type(event) is HandoffSent and task_of(event) not in known:
            known.add(task_of(event))
            found.append(Owned(-1, event.sender, task_of(event)))
        elif type(event) is HandoffAccepted and event.handoff in tasks:
            known.add(tasks[event.handoff])
            found.append(Owned(event.seq, event.agent, tasks[event.handoff]))
    return found


def owned_by(history: History, agent: str, seq: int) -> set[str]:
    """The tasks that an agent owns at a place of the history."""
    last: dict[str, str] = {}
    for owned in owners(history):
        if owned.seq <= seq:
            last[owned.task] = owned.agent
    return {task for task, owner in last.items() if owner == agent}
