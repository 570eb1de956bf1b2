"""The words of a sequence: values, counts, and what happens to the agent's process.

Law: one line each, cut where it is long; texts are raw, and escaped where they are shown. Pure;
called by the sequence and by the stories told around it.
"""

import json
from collections.abc import Mapping
from typing import Any

from agentfuzz.core.between import (
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
    Cancelled,
    Crashed,
    Decided,
    Event,
    Interrupted,
    Json,
    Messaged,
    Resumed,
    Saved,
    Struck,
    Unheard,
)

_CUT = 200

# A reply that never comes back, seen from the agent.
LOST_REPLIES = frozenset({"timeout", "error"})

_LEGS: Mapping[str, str] = {
    "restart": "the process is started again",
    "decision": "the decision is brought to the agent",
    "follow_up": "the user goes on",
    "task": "the next task begins",
    "interrupt": "the agent is given the message",
    "duplicate": "the trigger arrives again",
    "back": "the leg that was waiting goes on",
}


def count(number: int, word: str) -> str:
    """`1 run`, `2 runs`, `1,204 runs`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def effects_words(effects: Mapping[Any, int]) -> str:
    """A ledger in short: `2 charge, 1 ship`, or `no effect`."""
    return ", ".join(f"{times} {name}" for name, times in effects.items()) or "no effect"


def short(value: Json) -> str:
    """A value on one line: a text in quotes, anything else as JSON; cut at 200 characters."""
    try:
        text = f'"{value}"' if isinstance(value, str) else json.dumps(value, default=repr)
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return text if len(text) <= _CUT else text[: _CUT - 3] + "..."


def struck_words(event: Struck) -> str:
    """A fault that no other event shows, in words; nothing where one does."""
    if event.fault.axes[0] == "clock_jump":
        return "a day and an hour go by"
    at, name = event.slot.boundary, event.slot.name
    return {"schedule": "waits for the others", "command": f"Ctrl-C while {name} runs"}.get(at, "")


def life_words(event: Event) -> str:
    """An event of the agent's process, in words."""
    match event:
        case Saved():
            what = "" if event.value is None else f" = {short(event.value)}"
            return f"save {event.slot.name}{what}"
        case Crashed():
            return "the process dies"
        case Cancelled():
            return "stopped: " + ("its task is cancelled" if event.how == "task" else "the token")
        case Messaged():
            return f"the user says {short(event.text)}"
        case Interrupted():
            return f"{event.call} waits for {event.interrupt}"
        case Decided():
            said = {True: "granted", False: "refused", None: "not answered in time"}
            return f"{event.interrupt} {said.get(event.value, short(event.value))}"
        case Asserted():
            return f"fails {short(event.source)[1:-1]}" if event.source else "an assertion fails"
        case Resumed():
            return f"{_LEGS.get(event.why, event.why)} (leg {event.leg})"
        case Unheard(kind="command"):
            return f"{event.called} goes on, and nobody waits for it"
        case Unheard():
            what = "work in a pool" if event.kind == "work" else f"a {event.kind}"
            return f"{what} had died: {event.error} in {event.called.rpartition('.')[2]}"
    return _between_words(event)


def _between_words(event: Event) -> str:
    """An event between agents, in words."""
    match event:
        case Spawned():
            return f"begins {event.agent}"
        case Finished():
            return _end(event)
        case Joined():
            return f"learns that {event.agent} {_end(event)}"
        case Waits():
            return f"waits for {_what(event)}"
        case Waited():
            said = {"deadline": "waits no longer for", "cancelled": "is stopped waiting for"}
            return f"{said.get(event.how, 'has got')} {_what(event)}"
        case HandoffSent():
            version = f" version {event.version}" if event.version else ""
            return f"hands {_task(event)}{version} to {event.to}"
        case HandoffReceived():
            wrong = f", not valid ({event.problem})" if event.problem else ""
            again = f" again ({event.nth})" if event.nth > 1 else ""
            return f"gets {event.handoff}{again}{wrong}"
        case HandoffAccepted():
            return f"accepts {event.handoff}"
        case HandoffRejected():
            return f"rejects {event.handoff}: {short(event.reason)[1:-1]}"
        case SharedRead():
            return f"reads {event.key} (version {event.version})"
        case SharedWritten():
            based = f", from {event.based_on}" if event.based_on else ""
            return f"writes {event.key} (version {event.version}{based})"
        case Claimed():
            return f"claims {event.item} = {short(event.value)}"
    return type(event).__name__


def _task(event: HandoffSent) -> str:
    """What a handoff names; a task that is an object or a list has no name."""
    said = event.payload.get("task") if isinstance(event.payload, Mapping) else None
    unnamed = isinstance(said, Mapping | list)
    return (not unnamed and short(event.task)[1:-1]) or "a task"


def _end(event: Finished | Joined) -> str:
    return "was cancelled" if event.how == "cancelled" else f"has {event.how}"


def _what(event: Waits | Waited) -> str:
    thing = {"handoff": "a handoff", "answer": "an answer"}.get(event.what, "")
    if not thing:
        return event.on
    return f"{thing} of {event.on}" if event.on else thing
