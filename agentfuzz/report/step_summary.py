"""The summary of a step of a CI: the causes of a session on one Markdown page.

Law: what does not fit is left out whole, the last causes first, and counted; no text of a tested
agent becomes a link, a tag or a table cell of its own. Called by the format of GitHub.
"""

from collections.abc import Iterable, Sequence

from agentfuzz.core.escaping import code, fence, guard, markdown
from agentfuzz.core.lanes.layout import lanes
from agentfuzz.core.lanes.words import count
from agentfuzz.report.account import Account
from agentfuzz.telling import story as stories
from agentfuzz.telling.causes import Cause, counted

_LINES = 50  # of a table or a list
_ROWS = 60  # of a sequence
_WORDS, _NAME = 2_000, 300  # characters of a text, of a name


def summary(account: Account, room: int) -> str:
    """The page, in at most `room` bytes of UTF-8; empty where not even its head fits."""
    found = account.causes
    page, told = _text(_head(account, found)), 0
    if _size(page) + _size(_more(len(found))) > room:
        return ""
    for cause in found:
        part = _text(_cause(cause))
        if _size(page) + _size(part) + _size(_more(len(found))) > room:
            break
        page, told = page + part, told + 1
    return page + (_more(len(found) - told) if told < len(found) else "")


def _more(number: int) -> str:
    return f"\n{count(number, 'more cause')}: see the reports.\n"


def _head(account: Account, found: Sequence[Cause]) -> Iterable[str]:
    results = account.results
    told = counted([cx for result in results for cx in result.findings])
    runs = count(sum(result.runs for result in results), "run")
    yield f"## agentfuzz: {told} in {count(len(results), 'campaign')}, {runs}"
    if unfinished := [result.nodeid for result in results if result.stopped == "interrupt"]:
        yield f"The session was interrupted in {', '.join(map(code, unfinished[:_LINES]))}."
    if untested := [(text, result.nodeid) for result in results for text in result.untested]:
        yield "Not tested:"
        yield _cut(
            [f"- {markdown(text[:_WORDS])} ({code(name[:_NAME])})" for text, name in untested]
        )
    if found:
        head = "| laws | what | test | id |\n| --- | --- | --- | --- |"
        yield f"{head}\n{_cut([_row(one) for one in found])}"


def _row(one: Cause) -> str:
    laws = " ".join([*map(code, one.codes), *["(known)"] * one.known])
    more = f" +{len(one.tests) - 1}" * (len(one.tests) > 1)
    what, test = one.lead.title[:_NAME], one.lead.nodeid[:_NAME]
    cells = (laws, markdown(what), code(test) + more, code(one.id[:_NAME]))
    return f"| {' | '.join(cells)} |"


def _cut(lines: list[str]) -> str:
    """Lines of a table or a list; of many the first."""
    more = len(lines) - _LINES
    if more <= 0:
        return "\n".join(lines)
    last = f"| | {more:,} more | | |" if lines[0].startswith("|") else f"- {more:,} more"
    return "\n".join([*lines[:_LINES], last])


def _cause(cause: Cause) -> Iterable[str]:
    story = stories.tell(cause.lead)
    yield f"### {markdown(story.headline[:_NAME])}"
    yield markdown(story.sentence[:_WORDS])
    if cause.breaks:
        yield f"It {markdown(cause.breaks)}."
    yield from (f"> **Warning:** {markdown(warning)}" for warning in story.warnings)
    faults = [f"- {markdown(fault.words)}: {code(fault.plan)}" for fault in story.faults]
    yield "\n".join(faults) if faults else markdown(f"{story.shrink}.")
    if story.rows:
        yield fence("\n".join(lanes(story.rows, width=96, limit=_ROWS)))
    if story.location:
        yield f"Code: {code(story.location[:_NAME])}"
    if story.hint:
        yield f"Hint: {markdown(story.hint[:_WORDS])}"
    if elsewhere := cause.places[1:]:
        yield "Also met here:"
        yield _cut([f"- {code(one.nodeid[:_NAME])} under {code(one.plan)}" for one in elsewhere])
    yield fence(story.replay, "sh")


def _text(parts: Iterable[str]) -> str:
    """Parts with a blank line before each, and no line that a runner would take as a command."""
    text = "".join(f"\n{part}\n" for part in parts if part)
    return "\n".join(map(guard, text.split("\n")))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))
