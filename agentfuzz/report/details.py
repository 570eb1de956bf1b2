"""Details of a campaign for `-vv`: how often each law, fault kind and tool came into play, and what
came of each kind at each name.

Law: every count is one of the result's own. Called by the pytest session.
"""

from collections.abc import Iterator

from agentfuzz.core import escaping
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.lanes.layout import cut
from agentfuzz.core.matrix import Outcome
from agentfuzz.report.grid import Grid, Mark, grids, named

Table = tuple[list[list[str | int]], list[str]]  # rows and headers
ABREAST = 5  # names in a table
_WIDEST = 20  # cells of a name
_WORDS: dict[Outcome, str] = {"idle": "-", "untried": "not tried", "opened": ""}


def details(result: CampaignResult) -> list[str]:
    """Lines with one table of laws, one of fault kinds, one of tools, and one for each boundary."""
    from tabulate import tabulate

    laws: list[list[str | int]] = [
        [escaping.terminal(name), count.held, count.violated, count.not_exercised]
        for name, count in result.laws.items()
    ]
    kinds: list[list[str | int]]
    kinds = [[escaping.terminal(kind), count] for kind, count in result.kinds.items()]
    tools: list[list[str | int]]
    tools = [[escaping.terminal(name), count] for name, count in result.tools.items()]
    lines = ["", escaping.terminal(f"{result.nodeid}: {result.clean}")]
    tables: list[Table] = [
        (laws, ["law", "held", "violated", "not exercised"]),
        (kinds, ["fault", "struck"]),
        (tools, ["tool", "called"]),
        *(table for grid in grids(result) for table in _tables(grid)),
    ]
    for rows, headers in tables:
        if rows:
            lines += ["", *tabulate(rows, headers, disable_numparse=True).splitlines()]
    return lines


def _tables(grid: Grid) -> Iterator[Table]:
    every = named(grid)
    for begin in range(0, len(every), ABREAST):
        some = every[begin : begin + ABREAST]
        names = [cut(escaping.terminal(one.name), _WIDEST) for one in some]
        rows: list[list[str | int]] = [
            [escaping.terminal(kind), *(_cell(one.marks.get(kind)) for one in some)]
            for kind in grid.kinds
            if any(kind in one.marks for one in some)
        ]
        yield rows, [escaping.terminal(grid.title), *names]


def _cell(mark: Mark | None) -> str:
    if mark is None:
        return ""
    codes = escaping.terminal(" ".join(code for code, _ in mark.codes))
    also = "+" * (mark.outcome == "together")
    return f"{also}{codes}" if codes else _WORDS.get(mark.outcome, mark.outcome)
