"""HTML: one self-contained page, a grid of stories by laws, and each story with its plans.

Law: as every page of a report: no network, no script, every text autoescaped. Called by the writer.
"""

from agentfuzz.conformance.table import Cell, Row, Table, limits, name, sentence, worst
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED
from agentfuzz.report.formats import html as report

SIGNS = {VIOLATED: "\u2715", HELD: "\u2713", NOT_EXERCISED: "\u00b7", None: ""}


def page(table: Table) -> str:
    """The page of a table."""
    return report.page(
        "conformance.html.j2",
        table=table,
        sentence=sentence(table),
        limits=limits(table),
        grid=[(row, _signs(table, row)) for row in table.tried],
        ordered=_ordered,
        signs=SIGNS,
    )


def _signs(table: Table, row: Row) -> list[tuple[str, str]]:
    """For each law what it comes to in a story: the verdict and its sign."""
    found = [worst([c for c in row.cells if name(c.law) == law]) for law in table.laws]
    return [(one or "not asked", SIGNS[one]) for one in found]


def _ordered(row: Row) -> list[Cell]:
    return [cell for one in (VIOLATED, HELD, NOT_EXERCISED) for cell in row.of(one)]
