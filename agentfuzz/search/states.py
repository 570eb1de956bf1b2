"""States: what a run had come to when its last fault was over, as a digest.

Law: two plans whose runs come to the same state have the same future, if the agent is
deterministic: all that the agent and the backend have seen and done, up to the answer that the last
fault spoiled, and what is still to come of it. Called by the systematic phase, which extends one
plan of each.
"""

from collections.abc import Callable
from hashlib import blake2b

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.events import (
    Called,
    Delivered,
    Event,
    ModelTurn,
    Replayed,
    Replied,
    Resumed,
    Struck,
)
from agentfuzz.core.history import History
from agentfuzz.search.space import strikes


def state_after_last_fault(history: History) -> bytes:
    """A digest of everything that the agent has seen and the world has done, with its times, up to
    the answer that the last fault spoiled; and of what is still to come of the faults by then:
    requests under way, calls whose answers are yet to be spoiled, decisions, a model that loops.

    Not part of it: the names of other faults; an arrival that changed nothing, as a second one
    that the backend recognised. All else stays, also what a process knew that has died since: it
    can do nothing with it, but the laws read the whole history. What differs in time differs,
    for an agent may read the clock.
    """
    struck = strikes(history)
    last, answered = _last_fault(history)
    spoiled = {
        (e.slot.name, e.slot.nth): e.fault for e in struck if BOUNDARIES[e.slot.boundary].at_calls
    }
    state = blake2b(digest_size=16)
    open_calls: dict[str, str] = {}
    under_way: dict[str, str] = {}
    for event in history.events:
        if type(event) is Struck:
            continue
        if type(event) is Called:
            slot = event.slot
            fault = spoiled.get((slot.name, slot.nth))
            open_calls[event.call] = "" if fault is None else fault.text
            if fault is not None and (fault.axes[0] == "late" or fault.axes[-1] == "in_flight"):
                under_way[event.call] = "" if fault.latency is None else str(fault.latency)
        elif type(event) is Replied:
            open_calls.pop(event.call, None)
        elif type(event) is Delivered:
            under_way.pop(event.call, None)
            continue  # what it did follows
        elif type(event) is Replayed and event.nth > 1:
            continue
        state.update(type(event).__name__.encode())
        state.update(repr(event[1:]).encode("utf-8", "backslashreplace"))
        if event.seq > last and answered(event):
            break
    stays = sorted(
        event.fault.of or f"{event.slot} {event.fault}"
        for event in struck
        if event.fault.of or BOUNDARIES[event.slot.boundary].stays(event.fault)
    )
    pending = (sorted(under_way.items()), sorted(open_calls.items()), stays)
    state.update(repr(pending).encode("utf-8", "backslashreplace"))
    return state.digest()


def came_to(history: History) -> tuple[object, ...]:
    """What a run has come to: its effects, what was claimed of them, and how it ended."""
    done, ended = history.completion, history.ended
    return history.intents, done and done[2:], ended and ended[2:]


def _last_fault(history: History) -> tuple[int, Callable[[Event], bool]]:
    """Where the last fault struck, and what tells the answer that it spoiled: the reply of its
    call, the turn, the leg that begins after it. Where nothing does, the state is the whole run.
    """
    struck = strikes(history)
    if not struck:
        return -1, lambda event: False
    last = struck[-1]
    place = last.slot._replace(boundary="tool")
    calls = {called.call for called in history.of(Called) if called.slot == place}
    restarts = last.fault.axes[0] in ("crash", "torn", "stale")

    def answered(event: Event) -> bool:
        if type(event) is Resumed and event.why == "restart":
            return restarts
        if last.slot.boundary == "model":
            return type(event) is ModelTurn
        return type(event) is Replied and event.call in calls and not restarts

    return last.seq, answered
