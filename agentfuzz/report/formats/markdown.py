"""Markdown: one finding for an issue or a step summary, and the index of a session.

Law: no text of a tested agent becomes a link, an image, a tag or a table cell of its own.
Called by `write` and by the doors.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from agentfuzz.core.escaping import code, fence, guard, markdown, stem
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.lanes.layout import lanes
from agentfuzz.core.lanes.row import Row
from agentfuzz.core.paths import Paths
from agentfuzz.report import confusion, paths
from agentfuzz.report import index as indices
from agentfuzz.report.formats.format import Format
from agentfuzz.report.grid import SUMS, named
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import Cause

NAMED = 4  # kinds


def finding(cx: Counterexample) -> str:
    """One finding by itself."""
    return cause(Cause((cx,)))


def cause(told: Cause) -> str:
    """One cause as a Markdown page, ending in a line break: the story of its lead, what else it
    breaks, and where."""
    cx = told.lead
    story = stories.tell(cx)
    parts = [f"# {markdown(story.headline)}", markdown(story.sentence)]
    if told.breaks:
        parts += [f"It {told.breaks}.", _also(told)]
    parts += [f"> **Warning:** {markdown(warning)}" for warning in story.warnings]
    if story.says or story.world:
        parts.append(
            _table(("the agent says", "the world holds"), [[code(story.says), code(story.world)]])
        )
    parts.append("## Fault")
    if story.faults:
        parts.append("\n".join(f"- {markdown(f.words)}: {code(f.plan)}" for f in story.faults))
        parts.append(" ".join(map(markdown, (_sentence(story.shrink), *story.controls))))
    else:
        parts.append(markdown(_sentence(story.shrink)))
    if story.given:
        parts += ["## Inputs", "\n".join(f"- {code(one)}" for one in story.given)]
    if story.agents:
        parts += ["## Agents", code(story.agents)]
    if story.rows:
        parts += ["## Sequence", fence("\n".join(_lines(story.rows)))]
    if story.plain_rows:
        lines = "\n".join(_lines(story.plain_rows))
        parts += [f"Without the fault: {markdown(story.plain_effects)}.", fence(lines)]
    parts.append(_list(_details(story)))
    if story.traceback:
        parts += ["## Raised", fence("\n".join(story.traceback))]
    if story.stack:
        parts += ["## Stack", fence("\n".join(story.stack))]
    if misled := next(filter(None, map(confusion.of, told.findings)), None):
        parts += [f"## {confusion.TITLE}", markdown(confusion.lead(misled))]
        parts += confusion.blocks(misled)
    if elsewhere := told.places[1:]:
        rows = [
            [code(one.nodeid), code(one.plan), code(" ".join(one.codes)), code(one.id)]
            for one in elsewhere
        ]
        parts += ["## Other places", _table(("test", "plan", "laws", "id"), rows)]
    parts += [
        "## Replay",
        fence("\n".join(filter(None, (story.replay, story.keep, story.explain))), "sh"),
    ]
    return _join(parts)


def _also(told: Cause) -> str:
    """What else is broken where the lead was met."""
    here = told.places[0].findings[1:]
    return "\n".join(f"- {code(one.code)} {markdown(one.title)} ({code(one.id)})" for one in here)


def index(results: Sequence[CampaignResult]) -> str:
    """The session as a Markdown page: causes, the verdict, what was tried."""
    told = indices.tell(results)
    parts = [f"# agentfuzz: {told.headline}", told.lead]
    if told.fixed:
        parts += ["## Fixed", _bullets(map(_said, told.fixed))]
    if told.causes:
        parts += ["## Causes", _table(_CAUSE, [_row(each) for each in told.causes])]
    parts += ["## Verdict", _bullets(map(markdown, told.verdict))]
    for title, texts in told.warnings:
        parts += [f"## {title}", _bullets(map(_said, texts))]
    if told.campaigns:
        parts += ["## Campaigns", _table(_CAMPAIGN, [_campaign(one) for one in told.campaigns])]
        parts += ["## What was tried", *(part for one in told.campaigns for part in _tried(one))]
    if known := paths.of(results):
        parts += ["## Error paths", *_paths(known)]
    if told.notes:
        parts += ["## Notes", _bullets(map(_said, told.notes))]
    lines = [line for _, line in told.commands]
    return _join([*parts, *(["## Replay", fence("\n".join(lines), "sh")] if lines else [])])


def _paths(known: Paths) -> Iterable[str]:
    """What no run entered, and what came nearest."""
    rows = [
        [code(f"{one.file}:{one.line}"), one.what, code(one.source), markdown(paths.near(one))]
        for one in known.unreached
    ]
    yield _sentence(paths.lead(known))
    if rows:
        yield _table(("place", "what", "source", "nearest"), rows)
    yield from (markdown(_sentence(text)) for text in paths.aside(known))


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _said(said: indices.Said) -> str:
    where = f" ({', '.join(map(code, said.tests))})" if said.tests else ""
    return f"{markdown(said.text)}{where}"


def _tried(one: indices.Campaign) -> Iterable[str]:
    """What came of the faults, name by name: what broke by its kinds, all else counted."""
    lines = []
    for grid in one.grids:
        for name in named(grid):
            marks = name.marks.items()
            broken: dict[str, list[str]] = {}
            for kind, mark in marks:
                for law, _ in mark.codes:
                    also = " with another fault" * (mark.outcome == "together")
                    broken.setdefault(f"{code(law)}{also}", []).append(code(kind))
            counts = Counter(mark.outcome for _, mark in marks if not mark.codes)
            said = [f"{law} under {_few(kinds)}" for law, kinds in broken.items()]
            said += [f"{SUMS[each]} {counts[each]}" for each in SUMS if counts[each]]
            lines.append(f"{code(name.name)}: {'; '.join(said)}")
    if lines:
        yield f"{code(one.name)}:"
        yield _bullets(lines)


_CAUSE = ("id", "laws", "what", "tests")


def _row(each: Cause) -> list[str]:
    laws, tests = (" ".join(map(code, some)) for some in (each.codes, each.tests))
    known = " (known)" * each.known
    return [_page(each.lead), laws, markdown(each.lead.title) + known, tests]


def _few(kinds: Sequence[str]) -> str:
    more = len(kinds) - NAMED
    return ", ".join(kinds[:NAMED]) + (f" and {more} more" if more > 0 else "")


_CAMPAIGN = ("test", "verdict", "runs", "faults struck", "covered", "laws", "findings", "seed")


def _campaign(one: indices.Campaign) -> list[str]:
    result = one.result
    return [
        code(result.nodeid),
        one.verdict,
        f"{result.runs:,}",
        f"{result.struck:,}",
        markdown(result.covered()),
        one.laws.text,
        str(len(result.findings)),
        str(result.seed),
    ]


def _page(cx: Counterexample) -> str:
    """The id as a link to its page; the address is a file stem and nothing else."""
    return f"[{markdown(cx.id)}]({stem(cx.id)}.md)"


def _lines(rows: Sequence[Row]) -> list[str]:
    return lanes(rows, width=96, limit=200)


def _details(story: stories.Story) -> Iterable[tuple[str, str]]:
    yield "same", code(story.same) if story.same else ""
    yield "differs", code(story.differs) if story.differs else ""
    yield "code", code(story.location) if story.location else ""
    yield "hint", markdown(story.hint)
    yield "law", code(story.law)
    yield "scenario", code(story.scenario)
    yield "test", code(story.nodeid)


def _list(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- **{name}**: {text}" for name, text in pairs if text)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _join(parts: Iterable[str]) -> str:
    """Parts with a blank line between; no line that a CI runner would take as a command, because
    step summaries and comments are printed to logs too."""
    text = "\n\n".join(part for part in parts if part)
    return "\n".join(guard(line) for line in text.split("\n")) + "\n"


FORMAT = Format(
    name="markdown",
    cause=cause,
    suffix=".md",
    session=lambda told: index(told.results),
    index="index.md",
    default=True,
    order=2,
)
