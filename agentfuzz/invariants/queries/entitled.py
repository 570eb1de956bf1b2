"""Who had nothing to act on but what it was handed, and acted before it had taken that over.

Law: an agent that had sent something, asked a model or acted before anything reached it, or that
was spawned, has a task that no handoff names, and is not judged by what it accepts. An effect that
is taken back, or that undoes another one, is a way of saying no; and one that the fault-free run
does not have, with these arguments, may be a report of what is wrong. Asked by the laws of
handoffs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from agentfuzz.core.between import HandoffReceived, HandoffSent, Spawned
from agentfuzz.core.events import Called, Committed, ModelInput, Resumed
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.calls import Logical, logical
from agentfuzz.invariants.queries.teams import Arrival, Passed, acting, callers, handoffs
from agentfuzz.invariants.queries.undoing import undoing, undos


class Held(NamedTuple):
    """What lay in an agent's hands: a handoff, and the arrival of it."""

    passed: Passed
    arrival: Arrival

    def rejected_before(self, seq: int) -> bool:
        """Whether it had said no to it by then."""
        no = self.arrival.rejected
        return no is not None and no.seq < seq


class Unbidden(NamedTuple):
    """An effect of an agent that had accepted nothing; `held` is what had reached it in this
    leg."""

    agent: str
    call: Called
    commit: Committed
    held: tuple[Held, ...]


def begun_anew(history: History, start: int, end: int) -> bool:
    """Whether the agents were called again between two events: what they held in memory is gone."""
    return any(start < leg.seq < end for leg in history.of(Resumed))


@query
def reached(history: History) -> Mapping[str, Sequence[Held]]:
    """What reached each agent, in order."""
    found: dict[str, list[Held]] = {}
    for passed in handoffs(history):
        for arrival in passed.arrivals:
            found.setdefault(arrival.received.agent, []).append(Held(passed, arrival))
    for held in found.values():
        held.sort(key=lambda one: one.arrival.received.seq)
    return found


@query
def recruits(history: History) -> set[str]:
    """The agents whose first deed came after what reached them first."""
    came: dict[str, int] = {}
    for got in history.of(HandoffReceived):
        came.setdefault(got.agent, got.seq)
    busy = {one.agent for one in history.of(Spawned)}
    deeds = [(call.seq, callers(history)[call.call]) for call in history.of(Called) if call.intent]
    deeds += [(sent.seq, sent.sender) for sent in history.of(HandoffSent)]
    deeds += [(shown.seq, acting(history)[shown.seq]) for shown in history.of(ModelInput)]
    deeds += [(child.seq, child.parent) for child in history.of(Spawned)]
    busy |= {agent for seq, agent in deeds if seq < came.get(agent, -1)}
    return came.keys() - busy


@query
def _done(history: History) -> set[Logical]:
    return {logical(history.calls[commit.call]) for commit in history.ledger}


def unbidden(history: History, baseline: History | None) -> Iterator[Unbidden]:
    """The effects of agents that had accepted nothing, and do not accept later what had reached
    them by then."""
    gone = {undo.of.seq for undo in undos(history) if undo.of is not None}
    sent = history.of(HandoffSent)
    for commit in history.ledger:
        call = history.calls[commit.call]
        agent = callers(history)[commit.call]
        if agent not in recruits(history) or commit.seq in gone or undoing(history, commit.tool):
            continue
        if baseline is not None and logical(call) not in _done(baseline):
            continue
        came = [one for one in reached(history)[agent] if one.arrival.received.seq < call.seq]
        handed_on = any(one.sender == agent and one.seq < call.seq for one in sent)
        held = [one for one in came if not begun_anew(history, one.arrival.received.seq, call.seq)]
        if held and not handed_on and not any(one.arrival.accepted for one in came):
            yield Unbidden(agent, call, commit, tuple(held))
