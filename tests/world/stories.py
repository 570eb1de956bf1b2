"""Histories as short lines: `told(history)` -> ["0 called pay#1", "30 replied unknown Timeout"].

Law: one event, one line, its virtual second first. A line says what the tests of the world ask
for: which call, how often delivered, what was committed, what reached the agent.
"""

from typing import Any

from agentfuzz.core.events import (
    Called,
    Committed,
    Delivered,
    Done,
    Ended,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Struck,
)
from agentfuzz.core.history import History
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.world import World


def bare_world() -> World:
    """A world outside of any run: enough to declare tools in and to call them."""
    return World("the task", LocalGateway(FromPlan(), Clock(), max_crossings=200, trace=False))


def told(history: History, *kinds: type) -> list[str]:
    """The events, or those of some kinds, in order."""
    return [f"{e.t:g} {_line(e)}" for e in history.events if not kinds or type(e) in kinds]


def _line(event: Any) -> str:
    match event:
        case Called(slot=slot):
            return f"called {slot}"
        case Struck(slot=slot, fault=fault):
            return f"struck {slot}:{fault}"
        case Delivered(call=call, nth=nth):
            return f"delivered {call} {nth}"
        case Committed(effect_id=effect_id, call=call):
            return f"committed {effect_id} by {call}"
        case Replayed(effect_id=effect_id, call=call):
            return f"replayed {effect_id} to {call}"
        case Refused(kind=kind):
            return f"refused {kind}"
        case Replied(outcome=outcome, raised=raised):
            return f"replied {outcome} {raised or 'value'}"
        case ModelTurn(calls=calls, text=text):
            return f"turn {' '.join(name for _, name, _ in calls) or repr(text)}"
        case Done(status=status, reason=reason):
            return f"done {status} {reason}"
        case Ended(how=how, error=error):
            return f"ended {how} {error}".rstrip()
    return type(event).__name__


def bodies(history: History) -> list[Any]:
    """What reached the agent, reply by reply."""
    return [reply.body for reply in history.of(Replied)]
