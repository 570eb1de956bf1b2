"""HTML: one self-contained page per finding, and the index of a session.

Law: a page needs no network and no script, every text of a tested agent is autoescaped, and no
address is built from data but the file stem of a finding. Called by `write`. Jinja2 is imported
when the first page is made.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from agentfuzz.core import escaping
from agentfuzz.core.events import (
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
)
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.history import History
from agentfuzz.core.lanes.row import Row
from agentfuzz.core.lanes.words import count
from agentfuzz.report import confusion, grid, svg
from agentfuzz.report import index as indices
from agentfuzz.report.formats.format import Format
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import Cause

if TYPE_CHECKING:
    from jinja2 import Environment

ARROWS = {
    "": "",
    "request": "\u2192",
    "request_lost": "\u2192 \u2715",
    "request_late": "\u21e2",
    "late": "\u21e2",
    "reply": "\u2190",
    "reply_lost": "\u2715 \u2190",
    "reply_changed": "\u2190",
}
_CUT = 8_000
_LEDGER = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One row opened up: its fields as (name, text), and the ledger around it."""

    row: Row
    fields: tuple[tuple[str, str], ...]
    before: tuple[str, ...]
    after: tuple[str, ...]


def finding(cx: Counterexample) -> str:
    """The page of a finding by itself."""
    return cause(Cause((cx,)))


def cause(told: Cause) -> str:
    """The page of one cause: the story of its lead, what else it breaks, and where."""
    cx = told.lead
    story = stories.tell(cx)
    return page(
        "finding.html.j2",
        cause=told,
        story=story,
        drawing=svg.draw(story.rows),
        plain=svg.draw(story.plain_rows) if story.plain_rows else None,
        steps=steps(cx.history, story.rows),
        misled=next(filter(None, map(confusion.of, told.findings)), None),
    )


def index(results: Sequence[CampaignResult]) -> str:
    """The page of a session: causes, the verdict, what was tried."""
    return page(
        "index.html.j2",
        told=indices.tell(results),
        faults=stories.fault_lines,
        signs=grid.SIGNS,
        words=grid.WORDS,
    )


def page(name: str, **context: Any) -> str:
    """The page that a template makes of its context."""
    return _environment().get_template(name).render(**context)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("agentfuzz.report", "templates"),
        autoescape=True,  # not select_autoescape: it is off for names that end in .j2
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(arrows=ARROWS, count=count, confusion=confusion)
    environment.filters["stem"] = escaping.stem
    return environment


def _shown(value: object) -> object:
    """Every text that a template prints: controls and bidirectional overrides made visible."""
    return escaping.visible(value, "\n\t") if type(value) is str else value


def steps(history: History, rows: Sequence[Row]) -> list[Step]:
    """Every row with the fields of its events and the ledger before and after it."""
    by_seq = {event.seq: event for event in history.events}
    ledger: list[str] = []
    out: list[Step] = []
    for row in rows:
        events = [by_seq[seq] for seq in sorted(row.seqs) if seq in by_seq]
        fields = tuple(pair for event in events for pair in _fields(event) if pair[1])
        before = _recent(ledger)
        ledger += [
            f"{event.effect_id}  {event.intent}" for event in events if isinstance(event, Committed)
        ]
        out.append(Step(row, fields, before, _recent(ledger)))
    return out


def _recent(ledger: list[str]) -> tuple[str, ...]:
    if len(ledger) <= _LEDGER:
        return tuple(ledger)
    return (f"{len(ledger) - _LEDGER} earlier effects", *ledger[-_LEDGER:])


def _fields(event: Event) -> list[tuple[str, str]]:
    match event:
        case Called():
            return [
                ("call", event.call if event.asked is None else f"{event.call} ({event.asked})"),
                ("arguments", _pretty(event.args)),
                ("idempotency key", event.key or ""),
                ("intent", str(event.intent or "none, it only reads")),
                ("called from", event.where or ""),
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
            return [
                ("reply", event.raised or _pretty(event.body)),
                ("lets conclude", event.outcome + whole),
            ]
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
        case Ended():
            return [
                ("ended", event.how.replace("_", " ")),
                ("value", _pretty(event.value)),
                ("error", event.error),
                ("detail", event.detail),
            ]
        case _:
            return []


def _pretty(value: Json) -> str:
    """A value as indented JSON, cut at 8,000 characters; nothing for None."""
    if value is None:
        return ""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=repr)
    return text if len(text) <= _CUT else f"{text[:_CUT]}\n... {len(text) - _CUT} characters more"


FORMAT = Format(
    name="html",
    cause=cause,
    suffix=".html",
    session=lambda told: index(told.results),
    index="index.html",
    default=True,
    order=1,
)
