"""The terminal: the blocks of findings, and the summary of a session.

Law: plain text of at most `width` columns, no colour (the doors add it), no control character,
no line that a CI runner obeys. Called by the pytest door.
"""

from collections.abc import Sequence

from agentfuzz.core.findings import CampaignResult, Counterexample, told_once
from agentfuzz.core.lanes.layout import cells, cut, plain, safe, wrap
from agentfuzz.core.lanes.words import count
from agentfuzz.report import paths
from agentfuzz.telling.block import Page, block


def blocks(findings: Sequence[Counterexample], *, ascii_only: bool = False) -> str:
    """Every law and subject, one block a plan: what else breaks under the same plan is a line in
    it, and so is each further cause of what was told before."""
    by_plan: dict[str, list[Counterexample]] = {}
    block_of: dict[tuple[str, str, str], str] = {}
    for cx in findings:
        bug, plan = (cx.nodeid, *cx.violation.signature), str(cx.plan)
        by_plan.setdefault(block_of.setdefault(bug, plan), []).append(cx)
    return "\n\n".join(
        block(first, ascii_only=ascii_only, also=also) for first, *also in by_plan.values()
    )


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
    findings = [(result, cx) for result in results for cx in result.findings]
    page = Page(max(width, 40), ascii_only)
    page.text(headline(results), indent=0)
    page.blank()
    page.lines += _table(_campaign_rows(results, page), _CAMPAIGNS, page)
    if findings:
        page.blank()
        page.lines += _table([_finding_row(cx, page) for _, cx in findings], _FINDINGS, page)
    page.blank()
    several = len(results) > 1
    for result in results:
        where = f" ({_name(result.nodeid)})" if several else ""
        for text in result.untested:
            page.text(f"not tested: {text}{where}", indent=0)
        for text in result.unjudged:
            page.text(f"not judged: {text}{where}", indent=0)
    for result in results:
        where = f" ({_name(result.nodeid)})" if several else ""
        for text in result.escapes:
            page.text(f"warning: {text}{where}", indent=0)
    for text in paths.lines(results):
        page.text(text, indent=0)
    for text in told_once(results):
        page.text(f"note: {text}", indent=0)
    said: dict[str, list[str]] = {}
    for result in results:
        for text in (*result.notes, *result.made):
            said.setdefault(text, []).append(_name(result.nodeid))
    for text, names in said.items():
        where = f" ({names[0] if len(names) == 1 else f'{len(names)} tests'})" if several else ""
        page.text(f"note: {text}{where}", indent=0)
    if report is not None:
        page.text(f"report: {report}", indent=0)
    while not page.lines[-1]:
        page.lines.pop()
    return page.lines


def headline(results: Sequence[CampaignResult]) -> str:
    """`1 campaign, 214 runs, 612 faults struck, 9.1 s: 1 finding. Seed 7.`"""
    seeds = sorted({result.seed for result in results})
    parts = [
        count(len(results), "campaign"),
        count(sum(result.runs for result in results), "run"),
        f"{count(sum(result.struck for result in results), 'fault')} struck",
        f"{sum(result.seconds for result in results):.1f} s",
    ]
    findings = count(sum(len(result.findings) for result in results), "finding")
    stopped = sorted({result.stopped for result in results} - {"exhausted"})
    cut_short = f" Stopped by {' and '.join(stopped)}." if stopped else ""
    return (
        f"{', '.join(parts)}: {findings}.{cut_short} "
        f"Seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}."
    )


_CAMPAIGNS = ("test", "runs", "findings", "covered")
_FINDINGS = ("code", "id", "test", "title")


def _name(nodeid: str) -> str:
    return nodeid.rpartition("::")[2]


def _campaign_rows(results: Sequence[CampaignResult], page: Page) -> list[list[str]]:
    tests = [cut(_text(result.nodeid, page), max(page.width // 2 - 8, 12), tail=True)
             for result in results]  # fmt: skip
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


def _finding_row(cx: Counterexample, page: Page) -> list[str]:
    test = cut(_text(cx.nodeid, page), max(page.width - 58, 12), tail=True)
    return [_text(cx.code, page), _text(cx.id, page), test, _text(cx.title, page)]


def _table(rows: list[list[str]], headers: Sequence[str], page: Page) -> list[str]:
    from tabulate import tabulate

    align = [("right" if name in ("runs", "findings") else "left") for name in headers]
    text = tabulate([headers, *rows], tablefmt="plain", disable_numparse=True, colalign=align)
    return [safe(f"  {line}", page.width) for line in text.split("\n")]
