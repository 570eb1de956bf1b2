"""JSON: the table for machines, under a schema name and version.

Law: strict JSON, equal bytes for equal tables; no durations, no host paths. Called by the writer.
"""

from agentfuzz.conformance.table import Cell, Row, Table, headline, limits
from agentfuzz.core.events import Json
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED
from agentfuzz.report.formats import json as report

SCHEMA = "agentfuzz.conformance/1"


def text(table: Table) -> str:
    """The JSON text of a table, ending in a line break."""
    return report.text(data(table))


def data(table: Table) -> dict[str, Json]:
    """The table as plain data."""
    return {
        "schema": SCHEMA,
        "loop": table.loop,
        "headline": headline(table),
        "depth": table.depth,
        "interrupted": table.interrupted,
        "limits": limits(table),
        "runs": table.runs,
        "verdicts": {one: table.count(one) for one in (VIOLATED, HELD, NOT_EXERCISED)},
        "stories": [_row(table, row) for row in table.tried],
        "not_applicable": [{"story": row.story, "why": row.why} for row in table.left],
    }


def _row(table: Table, row: Row) -> dict[str, Json]:
    return {
        "story": row.story,
        "runs": row.runs,
        "stopped": row.stopped,
        "covered": row.covered,
        "levels": [
            {"name": one.name, "done": one.done, "total": one.total, "skipped": one.skipped}
            for one in row.levels
        ],
        "not_tried": list(row.untried),
        "laws": [_cell(table, row, cell) for cell in row.cells],
    }


def _cell(table: Table, row: Row, cell: Cell) -> dict[str, Json]:
    counts = cell.runs
    broken = {
        "code": cell.code,
        "title": cell.title,
        "plan": cell.plan,
        "replay": table.command(row, cell),
    }
    return {
        "law": cell.law,
        "verdict": cell.status,
        **(broken if cell.status == VIOLATED else {}),
        "runs": {
            "held": counts.held,
            "violated": counts.violated,
            "not_exercised": counts.not_exercised,
        },
    }
