"""The terminal: the blocks of findings, and the summary of a session.

Law: plain text of at most `width` columns, no colour (the doors add it), no control character,
no line that a CI runner obeys. Called by the pytest door.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from agentfuzz.core.escaping import stem
from agentfuzz.core.findings import CampaignResult, Counterexample, told_once
from agentfuzz.core.lanes.layout import cells, cut, plain, safe, wrap
from agentfuzz.core.lanes.words import count
from agentfuzz.report import paths
from agentfuzz.report.index import is_fixed
from agentfuzz.telling.block import Page, block
from agentfuzz.telling.causes import Cause, causes, counted
from agentfuzz.telling.names import shortened


def blocks(
    findings: Sequence[Counterexample],
    *,
    ascii_only: bool = False,
    width: int = 80,
    at: Mapping[str, str] = {},
) -> str:
    """A block for each cause of these findings; `at` are the pages, by the ids of findings."""
    return "\n\n".join(
        block(one, ascii_only=ascii_only, width=width, at=at.get(one.id, ""))
        for one in causes(findings)
    )


def pages(results: Iterable[CampaignResult], folder: str, suffix: str) -> dict[str, str]:
    """The path of the page on which each finding of a session is told, by its id."""
    told = causes([cx for result in results for cx in result.findings])
    return {cx.id: f"{folder}/{stem(one.id)}{suffix}" for one in told for cx in one.findings}


def summary(
    results: Sequence[CampaignResult],
    *,
    report: str | None,
    ascii_only: bool = False,
    width: int = 80,
) -> list[str]:
    """The lines of the `agentfuzz` section: what is fixed, one headline, campaigns, findings, what
    held where nothing was found, what was not tested, what escaped control, notes, and the path of
    the report if one was written. What is true of several tests is said once."""
    if not results:
        return ["no campaign was run"]
    every = causes([cx for result in results for cx in result.findings])
    told = [one for one in every if not one.known]
    page = Page(max(width, 40), ascii_only)
    _said(page, results, "note", lambda one: filter(is_fixed, one.notes))
    page.text(headline(results), indent=0)
    page.blank()
    page.lines += _campaign_lines(results, page)
    if told:
        page.blank()
        page.lines += _cause_lines(told, page)
    page.blank()
    for one in every:
        if one.known:
            page.text(_known(one), indent=0)
    _said(page, results, "", lambda one: filter(None, [one.clean * _clean(one)]), most=_CLEAN)
    _said(page, results, "held", _held, most=_CLEAN)
    _said(page, results, "not tested", lambda one: one.untested)
    _said(page, results, "not judged", lambda one: one.unjudged)
    _said(page, results, "warning", lambda one: one.escapes)
    for text in paths.lines(results):
        page.text(text, indent=0)
    for text in told_once(results):
        page.text(f"note: {text}", indent=0)
    _said(page, results, "note", lambda one: (*_condensed(one.notes), *one.made))
    if report is not None:
        page.text(f"report: {report}", indent=0)
    while not page.lines[-1]:
        page.lines.pop()
    return page.lines


_LINES = 40  # of what one campaign covered
_CLEAN = 3  # of what held, without being asked for more
_NAMED = 3  # tests of which one thing is true


def _said(
    page: Page,
    results: Sequence[CampaignResult],
    what: str,
    texts: Callable[[CampaignResult], Iterable[str]],
    most: int = 0,
) -> None:
    """Each text once, at most so many of them, with the tests of which it is true."""
    names = shortened([result.nodeid for result in results])
    said: dict[str, list[str]] = {}
    for result in results:
        for text in dict.fromkeys(texts(result)):
            said.setdefault(text, []).append(names[result.nodeid])
    for text, tests in [*said.items()][: most or None]:
        where = f"{len(tests):,} tests" if len(tests) > _NAMED else ", ".join(tests)
        shown = f"{text} ({where})" if len(results) > 1 else text
        page.text(f"{what}: {shown}" if what else shown, indent=0)
    if most and len(said) > most:
        page.text(f"{what or 'clean run'}: {len(said) - most:,} more with -vv", indent=0)


def _clean(result: CampaignResult) -> bool:
    """Whether it was a campaign, and nothing was found."""
    return bool(result.levels) and not result.findings


def _held(result: CampaignResult) -> Iterable[str]:
    """The laws that came into play in a campaign that found nothing."""
    laws = [name for name, n in result.laws.items() if n.held and not n.violated]
    return [", ".join(laws)] if laws and _clean(result) else []


def _known(cause: Cause) -> str:
    """A line for what the baseline knows."""
    laws = f"{cause.lead.code}{_more(cause.codes)}"
    where = f"{cause.lead.nodeid}{_more(cause.tests)}"
    return f"known: {laws} {cause.lead.title}  {cause.id} ({where})"


def headline(results: Sequence[CampaignResult]) -> str:
    """`1 campaign, 214 runs, 612 faults struck, 9.1 s: 1 finding. Seed 7.`"""
    seeds = sorted({result.seed for result in results})
    parts = [
        count(len(results), "campaign"),
        count(sum(result.runs for result in results), "run"),
        f"{count(sum(result.struck for result in results), 'fault')} struck",
        f"{sum(result.seconds for result in results):.1f} s",
    ]
    findings = counted([cx for result in results for cx in result.findings])
    stopped = sorted({result.stopped for result in results} - {"exhausted"})
    cut_short = f" Stopped by {' and '.join(stopped)}." if stopped else ""
    return (
        f"{', '.join(parts)}: {findings}.{cut_short} "
        f"Seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}."
    )


_SEEN = re.compile(r"(.*): seen under (.*), and not confirmed: (.*)")


def _condensed(notes: Sequence[str]) -> list[str]:
    """Notes but what is fixed, with one for all saved findings that are still there, and one for
    all that is not confirmed for one reason."""
    still = [text for text in notes if text.endswith(": still there")]
    first = [f"replayed {len(still):,} saved findings: still there"] if len(still) > 1 else still
    seen: dict[str, list[str]] = {}
    for found in filter(None, map(_SEEN.fullmatch, notes)):
        seen.setdefault(found[3], []).append(f"{found[1]} ({found[2]})")
    doubts = [f"seen, and not confirmed, {why}: {'; '.join(all)}" for why, all in seen.items()]
    rest = [
        one for one in notes if one not in still and not is_fixed(one) and not _SEEN.fullmatch(one)
    ]
    return [*first, *rest, *doubts]


_CAMPAIGNS = ("test", "runs", "findings", "covered")
_NARROW = ("runs", "findings", "test; what was covered")
_CAUSES = ("laws", "id", "test", "what")
_SHORT = ("laws", "id", "what; in which test")


def _campaign_lines(results: Sequence[CampaignResult], page: Page) -> list[str]:
    """Each test with its runs and findings, and what was covered; where a name takes half of a
    line, that stands below it."""
    names = shortened([result.nodeid for result in results])
    tests = [_text(names[result.nodeid], page) for result in results]
    runs = [f"{result.runs:,}" for result in results]
    found = [str(len(result.findings)) for result in results]
    covered = [_text(result.covered(), page) for result in results]
    name = max(map(cells, [*tests, "test"]))
    beside = name <= max(page.width // 2 - 8, 12)
    used = max(map(len, [*runs, "runs"])) + len("findings") + 6 + (name + 2) * beside
    room = max(page.width - used, 12)
    told = ["\n".join(wrap(text, room, _LINES)) for text in covered]
    if beside:
        rows = [list(row) for row in zip(tests, runs, found, told, strict=True)]
        return _table(rows, _CAMPAIGNS, page)
    fitted = shortened([result.nodeid for result in results], room)
    below = [
        f"{_text(fitted[result.nodeid], page)}\n{text}"
        for result, text in zip(results, told, strict=True)
    ]
    return _table([list(row) for row in zip(runs, found, below, strict=True)], _NARROW, page)


def _text(text: str, page: Page) -> str:
    return plain(text, page.ascii)


def _cause_lines(told: Sequence[Cause], page: Page) -> list[str]:
    """`AF101 +2`, the id, its test and how many more, and what happens; where a line has no room
    for them, the test has one of its own."""
    laws = [f"{_text(one.lead.code, page)}{_more(one.codes)}" for one in told]
    ids = [_text(one.id, page) for one in told]
    what = [_text(one.lead.title, page) for one in told]
    short = shortened([one.lead.nodeid for one in told])
    tests = [f"{_text(short[one.lead.nodeid], page)}{_more(one.tests)}" for one in told]
    used = sum(max(map(cells, column)) for column in (laws, ids, tests, what)) + 8
    if used <= page.width:
        return _table(
            [list(row) for row in zip(laws, ids, tests, what, strict=True)], _CAUSES, page
        )
    lines = []
    lead = max(map(cells, [*laws, "laws"])) + 4
    room = page.width - lead - max(map(cells, [*ids, "id"])) - 2
    shown = ["\n".join(wrap(text, max(room, 12))) for text in what]
    table = _table([list(row) for row in zip(laws, ids, shown, strict=True)], _SHORT, page)
    lines.append(table.pop(0))
    for text, test in zip(shown, tests, strict=True):
        lines += [table.pop(0) for _ in text.split("\n")]
        lines.append(safe(f"{'':{lead}}{cut(test, page.width - lead, tail=True)}", page.width))
    return lines


def _more(several: Sequence[str]) -> str:
    return f" +{len(several) - 1}" if len(several) > 1 else ""


def _table(rows: list[list[str]], headers: Sequence[str], page: Page) -> list[str]:
    from tabulate import tabulate

    align = [("right" if name in ("runs", "findings") else "left") for name in headers]
    text = tabulate([headers, *rows], tablefmt="plain", disable_numparse=True, colalign=align)
    return [safe(f"  {line}", page.width) for line in text.split("\n")]
