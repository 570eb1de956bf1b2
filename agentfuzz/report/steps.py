"""The steps of a finding: every row of its sequence opened up, with the ledger around it.

Law: a step says all that the history knows of its events; its number is that of its row, by which
the picture, the sentence and other steps point to it. Pure; called by html.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

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
)
from agentfuzz.core.events import (
    Asserted,
    Called,
    Committed,
    Decided,
    Done,
    Ended,
    Event,
    Interrupted,
    Json,
    Messaged,
    ModelInput,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Saved,
    Struck,
    Unheard,
)
from agentfuzz.core.history import History
from agentfuzz.core.lanes.row import Row

_CUT = 8_000
_LEDGER = 8


class Named(NamedTuple):
    """One thing that is known of a step; `step` is the one in which it is told, 0: this one."""

    name: str
    text: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One row opened up, and the ledger before and after it; `twin` is the step of the first
    effect of the same intent, 0 where there is none."""

    row: Row
    fields: tuple[Named, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    twin: int = 0


def steps(
    history: History, rows: Sequence[Row], called: Mapping[str, str] = MappingProxyType({})
) -> list[Step]:
    """Every row with what is known of its events, and the ledger before and after it; `called` is
    where each call was made in the agent's code."""
    by_seq = {event.seq: event for event in history.events}
    at = {seq: row.step for row in rows for seq in row.seqs}
    effects = {row.effect: row.step for row in rows if row.effect}
    replies = {event.call: event for event in history.of(Replied)}
    ledger: list[str] = []
    out: list[Step] = []
    for row in rows:
        events = [by_seq[seq] for seq in sorted(row.seqs) if seq in by_seq]
        fields = [
            Named("called from", called.get(getattr(one, "call", ""), "")) for one in events[:1]
        ]
        fields += [one for event in events for one in _told(event)]
        fields += _other_half(history, replies, at, events)
        before = _recent(ledger)
        ledger += [
            f"{event.effect_id}  {event.intent}" for event in events if isinstance(event, Committed)
        ]
        twin = effects.get(row.twin, 0)
        told = tuple(one for one in fields if one.text)
        out.append(Step(row, told, before, _recent(ledger), twin))
    return out


def _other_half(
    history: History, replies: dict[str, Replied], at: dict[int, int], events: Sequence[Event]
) -> Iterable[Named]:
    """Of a call what came back, and of a reply what it answers, with the step of each."""
    for event in events:
        if isinstance(event, Called):
            reply = replies.get(event.call)
            text = "none" if reply is None else _answer(reply)
            yield Named("reply", text, 0 if reply is None else at.get(reply.seq, 0))
        elif isinstance(event, Replied) and event.call in history.calls:
            called = history.calls[event.call]
            yield Named("answers", f"{called.slot}", at.get(called.seq, 0))


def _recent(ledger: list[str]) -> tuple[str, ...]:
    if len(ledger) <= _LEDGER:
        return tuple(ledger)
    return (f"{len(ledger) - _LEDGER} earlier effects", *ledger[-_LEDGER:])


def _told(event: Event) -> list[Named]:
    return [Named(name, text) for name, text in _fields(event) or _between(event)]


def _fields(event: Event) -> list[tuple[str, str]]:
    match event:
        case Called():
            return [
                ("call", event.call if event.asked is None else f"{event.call} ({event.asked})"),
                ("arguments", _pretty(event.args)),
                ("idempotency key", event.key or ""),
                ("intent", str(event.intent or "none, it only reads")),
            ]
        case Struck():
            return [("fault", f"{event.slot}:{event.fault}")]
        case Committed():
            return [("effect", f"{event.effect_id}: {event.intent}")]
        case Replayed():
            return [("replay of", event.effect_id)]
        case Refused():
            return [("refused", f"{event.kind}: {event.detail}")]
        case Replied():
            whole = "" if event.complete else ", cut off"
            return [("reply", _answer(event)), ("lets conclude", event.outcome + whole)]
        case ModelInput():
            return [(f"{one.role} {one.answers or ''}", one.text) for one in event.messages[-6:]]
        case ModelTurn():
            return [
                ("messages shown", str(event.shown)),
                ("text", event.text or ""),
                *((f"asks for {tool} ({id})", _pretty(args)) for id, tool, args in event.calls),
                ("stop", event.stop),
            ]
        case Done():
            return [
                ("status", f"{event.status} ({event.reason})"),
                ("handle", _pretty(event.handle)),
                ("not valid", event.problem),
                ("via", event.via),
            ]
        case Saved():
            return [("saved", event.slot.name), ("value", _pretty(event.value))]
        case Messaged():
            return [("the user", event.text)]
        case Interrupted():
            return [("waits", f"{event.call} for {event.interrupt}")]
        case Decided():
            return [("decided", f"{event.interrupt} for {event.call}: {event.value}")]
        case Resumed():
            return [("leg", f"{event.leg}: {event.why}"), ("before it", event.after)]
        case Asserted():
            return [("in", event.function), ("asserts", event.source), ("says", event.text)]
        case Unheard(kind="command"):
            return [("goes on", event.called), ("since", event.error)]
        case Unheard():
            return [("died", event.called), ("error", event.error), ("detail", event.detail)]
        case Ended():
            return [
                ("ended", event.how.replace("_", " ")),
                ("value", _pretty(event.value)),
                ("error", event.error),
                ("detail", event.detail),
            ]
        case _:
            return []


def _between(event: Event) -> list[tuple[str, str]]:
    """What is known of an event between agents."""
    match event:
        case HandoffSent():
            return [
                ("handoff", f"{event.handoff}, version {event.version}"),
                ("from, to", f"{event.sender}, {event.to}"),
                ("payload", _pretty(event.payload)),
                ("must arrive", _pretty(event.carry or None)),
            ]
        case HandoffReceived():
            return [
                ("handoff", f"{event.handoff}, arrival {event.nth}, version {event.version}"),
                ("payload", _pretty(event.payload)),
                ("not valid", event.problem),
            ]
        case HandoffAccepted():
            return [("accepted", event.handoff), ("holds", _pretty(event.carry or None))]
        case HandoffRejected():
            return [("rejected", event.handoff), ("reason", event.reason)]
        case Finished():
            return [("ended", event.how), ("value", _pretty(event.value))]
        case Joined():
            return [("learns", f"{event.agent}: {event.how}")]
        case SharedRead():
            return [
                ("reads", f"{event.key}, version {event.version}"),
                ("value", _pretty(event.value)),
            ]
        case SharedWritten():
            return [
                ("writes", f"{event.key}, version {event.version} from {event.based_on}"),
                ("value", _pretty(event.value)),
            ]
        case Claimed():
            sources = ", ".join(event.sources) or "none"
            return [("claims", event.item), ("value", _pretty(event.value)), ("sources", sources)]
        case _:
            return []


def _answer(reply: Replied) -> str:
    return reply.raised or _pretty(reply.body)


def _pretty(value: Json) -> str:
    """A value as indented JSON, cut at 8,000 characters; nothing for None."""
    if value is None:
        return ""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=repr)
    return text if len(text) <= _CUT else f"{text[:_CUT]}\n... {len(text) - _CUT} characters more"
