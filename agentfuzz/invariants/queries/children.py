"""What laws ask about children: each spawned agent with its end, and what its parents say.

Law: an answer rests on events alone; an end belongs to the latest child of its name. Asked by the
laws of several agents.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agentfuzz.core.between import Finished, Joined, Spawned
from agentfuzz.core.events import Done, Resumed
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.requests import requests
from agentfuzz.invariants.queries.teams import acting

_FIRST = Resumed(0, 0.0, "", 1)


class Child(NamedTuple):
    """One spawned agent: its beginning, its end, and the moment when its parent learnt of it."""

    spawned: Spawned
    finished: Finished | None = None
    joined: Joined | None = None

    @property
    def name(self) -> str:
        """The name that it was given: `searcher` of the agent `searcher_2`."""
        return self.spawned.slot.name

    def heard(self, before: int) -> bool:
        """Whether its parent had got its result before an event."""
        joined = self.joined
        return joined is not None and joined.how == "returned" and joined.seq < before


@query
def children(history: History) -> Sequence[Child]:
    """Every child of the run, in the order in which they were begun."""
    found: list[Child] = []
    latest: dict[str, int] = {}
    for event in history.events:
        if type(event) is Spawned:
            latest[event.agent] = len(found)
            found.append(Child(event))
        elif type(event) is Finished and event.agent in latest:
            at = latest[event.agent]
            found[at] = found[at]._replace(finished=event)
        elif type(event) is Joined and event.agent in latest:
            at = latest[event.agent]
            found[at] = found[at]._replace(joined=event)
    return found


def begun_for(history: History, done: Done) -> list[Child]:
    """The children of the leg that a completion ends, begun before it."""
    leg = {event.seq for event in history.leg_at(done.seq) if event.seq < done.seq}
    return [child for child in children(history) if child.spawned.seq in leg]


def asked_with(history: History, done: Done) -> list[Child]:
    """The children of all legs that were about the request that a completion answers."""
    legs = next(one.legs for one in requests(history) if _leg(history, done.seq) in one.legs)
    return [child for child in children(history) if _leg(history, child.spawned.seq) in legs]


def _leg(history: History, seq: int) -> int:
    return max((one for one in history.of(Resumed) if one.seq <= seq), default=_FIRST).leg


def last_word(history: History) -> Done | None:
    """The last valid completion, without those that a child gave by the done tool, for itself."""
    born = {child.spawned.agent for child in children(history)}
    by = acting(history)
    said = [done for done in history.completions if done.via != "tool" or by[done.seq] not in born]
    return said[-1] if said else None
