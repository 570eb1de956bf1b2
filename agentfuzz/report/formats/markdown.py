"""Markdown: one finding for an issue or a step summary, and the index of a session.

Law: no text of a tested agent becomes a link, an image, a tag or a table cell of its own.
Called by `write` and by the doors.
"""

from collections.abc import Iterable, Sequence

from agentfuzz.core.escaping import code, fence, guard, markdown, stem
from agentfuzz.core.findings import CampaignResult, Counterexample, told_once
from agentfuzz.core.lanes.layout import lanes
from agentfuzz.core.lanes.row import Row
from agentfuzz.core.lanes.words import count
from agentfuzz.report import confusion, paths
from agentfuzz.report.formats.format import Format
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import Cause, causes, counted


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
    parts += ["## Replay", fence("\n".join((story.replay, story.keep, story.explain)), "sh")]
    return _join(parts)


def _also(told: Cause) -> str:
    """What else is broken where the lead was met."""
    here = told.places[0].findings[1:]
    return "\n".join(f"- {code(one.code)} {markdown(one.title)} ({code(one.id)})" for one in here)


def index(results: Sequence[CampaignResult]) -> str:
    """The session as a Markdown page: what was not tested, findings, campaigns."""
    findings = [cx for result in results for cx in result.findings]
    parts = [f"# agentfuzz: {counted(findings)} in {count(len(results), 'campaign')}"]
    untested = [(text, result) for result in results for text in result.untested]
    if untested:
        lines = [f"- {markdown(text)} ({code(result.nodeid)})" for text, result in untested]
        parts += ["## Not tested", "\n".join(lines)]
    unjudged = [(text, result) for result in results for text in result.unjudged]
    if unjudged:
        lines = [f"- {markdown(text)} ({code(result.nodeid)})" for text, result in unjudged]
        parts += ["## Not judged", "\n".join(lines)]
    if findings:
        parts += ["## Findings", _table(_CAUSE, [_row(each) for each in causes(findings)])]
    parts += ["## Campaigns", _table(_CAMPAIGN, [_campaign(result) for result in results])]
    if known := paths.of(results):
        rows = [
            [code(f"{one.file}:{one.line}"), one.what, code(one.source), markdown(paths.near(one))]
            for one in known.unreached
        ]
        parts += ["## Error paths", _sentence(paths.lead(known))]
        parts += [_table(("place", "what", "source", "nearest"), rows)] if rows else []
        parts += [markdown(_sentence(text)) for text in paths.aside(known)]
    escapes = [(text, result) for result in results for text in result.escapes]
    if escapes:
        lines = [f"- {markdown(text)} ({code(result.nodeid)})" for text, result in escapes]
        parts += ["## Escapes control", "\n".join(lines)]
    lines = [f"- {markdown(text)}" for text in told_once(results)]
    notes = [(text, result) for result in results for text in result.notes]
    lines += [f"- {markdown(text)} ({code(result.nodeid)})" for text, result in notes]
    if lines:
        parts += ["## Notes", "\n".join(lines)]
    return _join(parts)


_CAUSE = ("id", "laws", "what", "tests")


def _row(each: Cause) -> list[str]:
    laws, tests = (" ".join(map(code, some)) for some in (each.codes, each.tests))
    return [_page(each.lead), laws, markdown(each.lead.title), tests]


_CAMPAIGN = ("test", "scenario", "runs", "faults struck", "covered", "findings", "seed")


def _campaign(result: CampaignResult) -> list[str]:
    return [
        code(result.nodeid),
        code(result.scenario),
        f"{result.runs:,}",
        f"{result.struck:,}",
        markdown(result.covered()),
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
    session=lambda results, _: index(results),
    index="index.md",
    order=2,
)
