"""The agentfuzz section at the end of a session.

Law: with `-q` it is one headline, whole however long it is; with `-vv` it has the details. Called
by the session.
"""

from collections.abc import Sequence

from agentfuzz.core import escaping
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.lanes import shows_ascii_only
from agentfuzz.plugin.reporting import Reporting
from agentfuzz.plugin.shown.retold import WIDEST
from agentfuzz.report.details import details
from agentfuzz.report.formats import terminal


def of(
    results: Sequence[CampaignResult],
    more: Sequence[str],
    written: Reporting,
    *,
    verbosity: int,
    width: int,
) -> list[str]:
    """Its lines on a terminal of this width; `more` are those of the session itself."""
    width = max(min(width, WIDEST), 40)
    lines = terminal.summary(results, report=written.shown or None, width=width)
    if verbosity < 0:
        lines = lines[: [*lines, ""].index("")]
    if verbosity > 1:
        lines += [line for result in results for line in details(result)]
    unfinished = [cx for r in results if r.stopped == "interrupt" for cx in r.new]
    if unfinished:  # no test report shows them
        at = written.pages(results)
        told = terminal.blocks(unfinished, ascii_only=shows_ascii_only(), width=width, at=at)
        lines += ["", *told.splitlines()]
    return [*lines, *map(escaping.terminal, more)]
