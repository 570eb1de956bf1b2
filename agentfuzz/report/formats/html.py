"""HTML: one self-contained page per finding, and the index of a session.

Law: a page needs no network and no script, every text of a tested agent is autoescaped, and no
address is built from data but the file stem of a finding. Called by `write`. Jinja2 is imported
when the first page is made.
"""

import re
import textwrap
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from agentfuzz.core import escaping
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.lanes.words import count
from agentfuzz.report import confusion, grid, paths
from agentfuzz.report import index as indices
from agentfuzz.report.drawing import draw
from agentfuzz.report.formats.format import Format
from agentfuzz.report.steps import steps
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

_NUMBERED = re.compile(r"([> ] +\d+) {0,2}(.*)")  # a line of a file, as `source` has it


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
        drawing=draw(story.rows, story.headline),
        plain=draw(story.plain_rows) if story.plain_rows else None,
        steps=steps(cx.history, story.rows, cx.called),
        witnesses=[row for row in story.rows if row.witness],
        source=_dedented(story.source),
        laws=[next(one for one in told.findings if one.code == code) for code in told.codes],
        turns=any(row.kind == "model" for row in (*story.rows, *story.plain_rows)),
        saves=any(row.kind == "save" for row in (*story.rows, *story.plain_rows)),
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
        paths=paths.of(results),
        path_words=paths,
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


def _dedented(source: Sequence[str]) -> str:
    """Lines of a file with their numbers, without what all of them begin with."""
    parts = [_NUMBERED.match(line) for line in source]
    if not source or not all(parts):
        return "\n".join(source)
    code = textwrap.dedent("\n".join(part[2] for part in parts if part)).split("\n")
    return "\n".join(
        f"{part[1]}  {line}".rstrip() for part, line in zip(parts, code, strict=True) if part
    )


def _shown(value: object) -> object:
    """Every text that a template prints: controls and bidirectional overrides made visible."""
    return escaping.visible(value, "\n\t") if type(value) is str else value


FORMAT = Format(
    name="html",
    cause=cause,
    suffix=".html",
    session=lambda told: index(told.results),
    index="index.html",
    default=True,
    order=1,
)
