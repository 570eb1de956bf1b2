"""Who waits for whom: the waits of agents for each other, and those that no one can end.

Law: an agent is stuck if all that it waits for is: the agent that it names, or, for whoever comes,
every other one that is known and has not finished. Asked by the law of deadlocks.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agentfuzz.core.between import (
    Acts,
    Finished,
    HandoffReceived,
    HandoffSent,
    Spawned,
    Waited,
    Waits,
)
from agentfuzz.core.events import Called, Crashed, Resumed
from agentfuzz.core.history import History, query
from agentfuzz.invariants.queries.teams import callers


class Wait(NamedTuple):
    """One wait, and how it was over: `came`, `deadline`, `cancelled`, `left` (with its process, or
    the leg), or empty at `until` -1: it is not."""

    begun: Waits
    how: str = ""
    until: int = -1


@query
def waiting(history: History) -> Sequence[Wait]:
    """Every wait of the run, in order. One for a handoff is over when its agent is given one."""
    senders = {sent.handoff: sent.sender for sent in history.of(HandoffSent)}
    found: list[Wait] = []
    for event in history.events:
        if type(event) is Waits:
            found.append(Wait(event))
        elif type(event) is Waited:
            of = (event.agent, event.on, event.what)
            _over(found, [of], event.how, event.seq)
        elif type(event) is HandoffReceived:
            by = (event.agent, senders.get(event.handoff, ""), "handoff")
            _over(found, [by, (event.agent, "", "handoff")], "came", event.seq)
        elif type(event) is Crashed or (type(event) is Resumed and event.after != "running"):
            found = [one if one.how else Wait(one.begun, "left", event.seq) for one in found]
    return found


def _over(found: list[Wait], of: list[tuple[str, str, str]], how: str, seq: int) -> None:
    for at, wait in enumerate(found):
        if not wait.how and (wait.begun.agent, wait.begun.on, wait.begun.what) in of:
            found[at] = Wait(wait.begun, how, seq)
            return


def open_at(history: History, seq: int) -> list[Waits]:
    """The waits that are not over just before an event."""
    return [
        one.begun
        for one in waiting(history)
        if one.begun.seq < seq and (one.until < 0 or one.until >= seq)
    ]


def circle(history: History, seq: int) -> list[Waits]:
    """Waits of agents that wait for each other just before an event, the shortest round of them;
    none, if somebody could still end them."""
    waits = open_at(history, seq)
    around = _around(history, seq)
    stuck = {wait.agent for wait in waits}
    while True:
        left = {
            agent
            for agent in stuck
            if all(_in_vain(wait, stuck, around) for wait in waits if wait.agent == agent)
        }
        if left == stuck:
            break
        stuck = left
    first = dict.fromkeys(wait.agent for wait in waits if wait.agent in stuck)
    rounds = (_round(agent, waits, stuck) for agent in first)
    return min(rounds, key=len, default=[])


def _around(history: History, seq: int) -> set[str]:
    """Who is known just before an event and has not finished, as far as the history tells; one
    without a name only while it waits for a tool."""
    found = set(_names(history, seq))
    found -= {one.agent for one in history.of(Finished) if one.seq < seq}
    for call in history.of(Called):
        reply = history.replies.get(call.call)
        if call.seq < seq and (reply is None or reply.seq >= seq):
            found.add(callers(history)[call.call])
    return found


def _names(history: History, seq: int) -> Iterator[str]:
    for event in history.events[:seq]:
        if isinstance(event, (Acts, Spawned, HandoffReceived, Waits)):
            named = (event.agent, event.on) if type(event) is Waits else (event.agent,)
        elif type(event) is HandoffSent:
            named = (event.sender, event.to)
        else:
            continue
        yield from filter(None, named)


def _in_vain(wait: Waits, stuck: set[str], around: set[str]) -> bool:
    """Whether nobody who could end a wait can act."""
    if wait.on or wait.what != "handoff":
        return wait.on in stuck
    others = (stuck | around) - {wait.agent}
    return bool(others) and others <= stuck


def _round(agent: str, waits: list[Waits], stuck: set[str]) -> list[Waits]:
    """The shortest way from a stuck agent back to itself."""
    ways: list[list[Waits]] = [[]]
    reached: set[str] = set()
    while ways:
        way = ways.pop(0)
        at = _next(way[-1], stuck) if way else [agent]
        for name in at:
            if way and name == agent:
                return way
            if name not in reached:
                reached.add(name)
                ways += [[*way, wait] for wait in waits if wait.agent == name]
    return [wait for wait in waits if wait.agent in stuck]


def _next(wait: Waits, stuck: set[str]) -> list[str]:
    return [wait.on] if wait.on or wait.what != "handoff" else sorted(stuck - {wait.agent})
