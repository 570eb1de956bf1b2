"""The terminal: the blocks of findings, and the summary of a session.

Law: plain text of at most `width` columns, no colour (the doors add it), no control character,
no line that a CI runner obeys. Called by the pytest door.
"""

from collections.abc import Iterable, Mapping, Sequence

from agentfuzz.core.escaping import stem
from agentfuzz.core.findings import CampaignResult, Counterexample, told_once
from agentfuzz.core.lanes.layout import cells, plain, safe, wrap
from agentfuzz.core.lanes.words import count
from agentfuzz.report import paths
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
    """The lines of the `agentfuzz` section: one headline, campaigns, findings, what was not
    tested, what escaped control, notes, and the path of the report if one was written."""
    if not results:
        return ["no campaign was run"]
    every = causes([cx for result in results for cx in result.findings])
    told = [one for one in every if not one.known]
    page = Page(max(width, 40), ascii_only)
    page.text(headline(results), indent=0)
    page.blank()
    page.lines += _table(_campaign_rows(results, page), _CAMPAIGNS, page)
    if told:
        page.blank()
        page.lines += _table(_cause_rows(told, page), _CAUSES, page)
    page.blank()
    for one in every:
        if one.known:
            page.text(_known(one), indent=0)
    several, names = len(results) > 1, shortened([result.nodeid for result in results])
    for result in results:
        where = f" ({names[result.nodeid]})" if several else ""
        for text in result.untested:
            page.text(f"not tested: {text}{where}", indent=0)
        for text in result.unjudged:
            page.text(f"not judged: {text}{where}", indent=0)
    for result in results:
        where = f" ({names[result.nodeid]})" if several else ""
        for text in result.escapes:
            page.text(f"warning: {text}{where}", indent=0)
    for text in paths.lines(results):
        page.text(text, indent=0)
    for text in told_once(results):
        page.text(f"note: {text}", indent=0)
    said: dict[str, list[str]] = {}
    for result in results:
        for text in (*_condensed(result.notes), *result.made):
            said.setdefault(text, []).append(names[result.nodeid])
    for text, tests in said.items():
        where = f" ({tests[0] if len(tests) == 1 else f'{len(tests)} tests'})" if several else ""
        page.text(f"note: {text}{where}", indent=0)
    if report is not None:
        page.text(f"report: {report}", indent=0)
    while not page.lines[-1]:
        page.lines.pop()
    return page.lines


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


def _condensed(notes: Sequence[str]) -> list[str]:
    """Notes, with one for all saved findings that are still there."""
    still = [text for text in notes if text.endswith(": still there")]
    if len(still) < 2:
        return list(notes)
    first = f"replayed {len(still):,} saved findings: still there"
    return [first, *(text for text in notes if text not in still)]


_CAMPAIGNS = ("test", "runs", "findings", "covered")
_CAUSES = ("laws", "id", "test", "what")


def _campaign_rows(results: Sequence[CampaignResult], page: Page) -> list[list[str]]:
    room = max(page.width // 2 - 8, 12)
    names = shortened([result.nodeid for result in results], room)
    tests = [_text(names[result.nodeid], page) for result in results]
    runs = [f"{result.runs:,}" for result in results]
    used = max(map(cells, [*tests, "test"])) + max(map(len, [*runs, "runs"])) + len("findings") + 8
    return [
        [
            test,
            run,
            str(len(result.findings)),
            "\n".join(wrap(_text(result.covered(), page), max(page.width - used, 12))),
        ]
        for test, run, result in zip(tests, runs, results, strict=True)
    ]


def _text(text: str, page: Page) -> str:
    return plain(text, page.ascii)


def _cause_rows(told: Sequence[Cause], page: Page) -> list[list[str]]:
    """`AF101 +2`, the id, its test and how many more, and what happens."""
    laws = [f"{_text(one.lead.code, page)}{_more(one.codes)}" for one in told]
    ids = [_text(one.id, page) for one in told]
    what = [_text(one.lead.title, page) for one in told]
    tests = [_more(one.tests) for one in told]
    used = sum(max(map(cells, column)) for column in (laws, ids, what, tests)) + 8
    names = shortened([one.lead.nodeid for one in told], max(page.width - used, 12))
    shown = [
        f"{_text(names[o.lead.nodeid], page)}{more}" for o, more in zip(told, tests, strict=True)
    ]
    return [list(row) for row in zip(laws, ids, shown, what, strict=True)]


def _more(several: Sequence[str]) -> str:
    return f" +{len(several) - 1}" if len(several) > 1 else ""


def _table(rows: list[list[str]], headers: Sequence[str], page: Page) -> list[str]:
    from tabulate import tabulate

    align = [("right" if name in ("runs", "findings") else "left") for name in headers]
    text = tabulate([headers, *rows], tablefmt="plain", disable_numparse=True, colalign=align)
    return [safe(f"  {line}", page.width) for line in text.split("\n")]
