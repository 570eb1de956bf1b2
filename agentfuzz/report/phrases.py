"""Faults and lives in words: an English phrase for every fault of every boundary, and for what
happens to the agent's process.

Law: every fault of the tables has a phrase of its own, and a fault that this module does not know
is shown as its plan text, never hidden. Pure; called by the story and its sequence.
"""

import json
from collections.abc import Mapping
from typing import Any

from agentfuzz.core.faults import TABLES, Fault, Slot
from agentfuzz.core.history import (
    Cancelled,
    Crashed,
    Decided,
    Event,
    Interrupted,
    Json,
    Messaged,
    Resumed,
    Saved,
)

_CUT = 200

# A reply that never comes back, seen from the agent.
LOST_REPLIES = frozenset({"timeout", "error"})

_ARRIVED: Mapping[str, str] = {
    "intact": "",
    "timeout": "reply lost in a timeout",
    "error": "reply lost in a connection error",
    "rate_limited": "answered with 429, too many requests",
    "truncated": "reply cut off in the middle",
    "ambiguous": "reply does not say whether it was done",
    "malformed": "reply breaks its schema",
    "wrong": "reply is plausible and false",
    "hostile": "reply carries text that gives orders",
}
_NOT_ARRIVED: Mapping[str, str] = {
    "intact": "answered as if it had been done",
    "timeout": "the agent sees a timeout",
    "error": "the agent sees a connection error",
    "rate_limited": "the agent sees 429, too many requests",
    "truncated": "answered with half a reply",
    "ambiguous": "answered without saying whether it was done",
    "malformed": "answered with a reply that breaks its schema",
    "wrong": "answered with a plausible and false reply",
    "hostile": "answered with text that gives orders",
}
_MODEL: Mapping[str, str] = {
    "reword": "closing text reworded",
    "no_done": "closes in prose, without the done tool",
    "skip": "skips a planned call and closes",
    "repeat": "repeats an earlier call under a fresh id",
    "drift": "asks again in cosmetically different arguments",
    "empty": "answers with nothing",
    "truncated": "reply cut off at the token limit",
    "cut": "reply breaks off in the middle of the stream",
    "rate_limited": "its API answers 429, too many requests",
    "error": "its API answers with a server error",
    "timeout": "its API does not answer in time",
    "duplicate_ids": "asks for the same call twice under one id",
    "malformed_args": "writes arguments that are not what the tool takes",
    "unknown_tool": "asks for a tool that does not exist",
    "bad_done": "closes with a malformed completion",
    "double_done": "closes twice in one turn",
    "mixed_done": "closes beside other calls",
    "contradict": "takes back what it has just done",
    "loop": "never changes its mind",
    "fan_out": "asks for the same call 50 times at once",
}


_HAPPENS: Mapping[str, str] = {
    "crash": "the process dies",
    "cancel": "somebody stops the task",
    "interrupt": "the user says something",
    "duplicate_trigger": "the trigger is delivered again",
    "clock_jump": "a day and an hour go by",
    "preempted": "everything else that can go on goes first",
}
_MOMENTS: Mapping[str, str] = {
    "before": "before it",
    "after": "after it, before its reply is read",
    "in_flight": "while its request is in flight, which arrives later",
}
_APPROVAL: Mapping[str, str] = {
    "twice": "delivered twice, one after the other",
    "double_click": "delivered twice, the second time in the middle of the first",
    "refused": "refused",
    "late": "given after the time for it was over",
}
_LEGS: Mapping[str, str] = {
    "restart": "the process is started again",
    "decision": "the decision is brought to the agent",
    "follow_up": "the user goes on",
    "interrupt": "the agent is given the message",
    "duplicate": "the trigger arrives again",
    "back": "the leg that was waiting goes on",
}


def fault_words(slot: Slot, fault: Fault) -> str:
    """One fault as a phrase: `call 1 of charge_card: delivered once, reply lost in a timeout`."""
    place = f"call {slot.nth} of {slot.name}"
    if slot.boundary == "model":
        place = f"turn {slot.nth} of the model"
    elif slot.boundary == "approval":
        place = f"approval {slot.nth} of {slot.name}"
    elif slot.boundary == "process" and slot.name == "end":
        place = "end of the run"
    elif slot.boundary in ("process", "schedule"):
        place = f"{slot.name} {slot.nth}"
    elif slot.boundary != "tool":
        place = str(slot)
    return f"{place}: {_phrase(slot.boundary, fault)}"


def _phrase(boundary: str, fault: Fault) -> str:
    if boundary == "tool" and fault.axes in _tool_axes():
        delivery, reply = fault.axes
        arrived = delivery in ("once", "twice")
        parts = [_delivery(delivery, fault.latency), (_ARRIVED if arrived else _NOT_ARRIVED)[reply]]
    elif boundary == "model" and fault.axes[0] in _MODEL:
        parts = [_MODEL[fault.axes[0]]]
    elif boundary == "approval" and fault.axes[0] in _APPROVAL:
        parts = [_APPROVAL[fault.axes[0]]]
    elif boundary in ("process", "schedule") and fault.axes[0] in _HAPPENS:
        parts = [_HAPPENS[fault.axes[0]], _MOMENTS[fault.axes[1]]]
    else:
        return str(fault)
    variant = f" (variant {fault.variant})" if fault.variant else ""
    return ", ".join(filter(None, parts)) + variant


def _tool_axes() -> set[tuple[str, ...]]:
    return {fault.axes for fault in TABLES["tool"].all()}


def _delivery(delivery: str, latency: float | None) -> str:
    if delivery == "late":
        return f"delivered late, after {latency:g} s" if latency is not None else "delivered late"
    return {"lost": "request lost", "twice": "delivered twice"}.get(delivery, "delivered once")


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
        case Resumed():
            return f"{_LEGS.get(event.why, event.why)} (leg {event.leg})"
    return type(event).__name__
