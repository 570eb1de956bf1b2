"""The blocks of a session, told again when all of it is known: as wide as the terminal and in its
colours, and each cause once.

Law: nothing but the text changes; a test whose causes another one tells says so in short, and how
to bring its own back. Only a test that pytest shows tells for others. A replay is told as it is.
Used by the session, before pytest shows failures.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.lanes import shows_ascii_only
from agentfuzz.core.lanes.layout import wrap
from agentfuzz.plugin.findings import Broken, Findings
from agentfuzz.telling.block import again, block
from agentfuzz.telling.causes import Cause, causes

WIDEST = 160  # columns: a longer line is not read as one
_MARKS = re.compile(
    r"^(?P<code>AF\d{3})(?= )|^(?P<strike>  !)(?= )|(?P<lost>-{3,}x|x-{3,}|<~+)",
    re.MULTILINE,
)


class Retold:
    """The failed reports of one session, each with the result that it is about."""

    def __init__(self, config: pytest.Config, findings: Findings) -> None:
        self._config, self._findings = config, findings
        self._reports: list[tuple[Any, CampaignResult]] = []

    def keep(self, report: pytest.TestReport, result: CampaignResult) -> None:
        """Remember a report that shows findings."""
        if hasattr(report, "agentfuzz_after"):
            self._reports.append((report, result))

    def tell(self, results: Sequence[CampaignResult], pages: Mapping[str, str]) -> None:
        """Write the texts of all reports anew; `pages` are those that were written, by the ids of
        findings."""
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None:
            return
        once = self._findings.replay is None
        failed = {result.nodeid for report, result in self._reports if report.failed}
        every = causes([cx for one in results if one.nodeid in failed for cx in one.new])
        writer, ascii_only = reporter._tw, shows_ascii_only(reporter._tw._file)
        width = max(min(writer.fullwidth, WIDEST), 40)
        for report, result in self._reports:
            told = every if once and report.failed else causes(result.new)
            ids = {cx.id for cx in result.new}
            mine = [one for one in told if any(cx.id in ids for cx in one.findings)]
            blocks = [_text(one, result.nodeid, pages, ascii_only, width) for one in mine]
            text = "\n\n".join([*blocks, *(_fitted(one, width) for one in report.agentfuzz_after)])
            crash = getattr(report.longrepr, "reprcrash", None)  # a text, where a test was forked
            line = crash.message if crash else str(report.longrepr).partition("\n")[0]
            shown = coloured(text, writer) if writer.hasmarkup else text
            self._findings.show(report, Broken(line, shown))


def _text(cause: Cause, nodeid: str, pages: Mapping[str, str], ascii_only: bool, width: int) -> str:
    page = pages.get(cause.id, "")
    if cause.lead.nodeid == nodeid:
        return block(cause, ascii_only=ascii_only, width=width, at=page)
    return again(cause, nodeid, ascii_only=ascii_only, width=width, at=page)


def _fitted(text: str, width: int) -> str:
    """Lines of at most `width` columns, each with the indent that it has."""
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += [f"{indent}{part}" for part in wrap(line[len(indent) :], width - len(indent))]
    return "\n".join(lines)


def coloured(text: str, writer: Any) -> str:
    """The codes of laws, what marks a fault, and arrows of what was lost, in the colours of pytest:
    `writer` is its terminal's. The text must be escaped already."""

    def mark(found: re.Match[str]) -> str:
        return str(writer.markup(found[0], red=True, bold=found.lastgroup != "lost"))

    return _MARKS.sub(mark, text)
