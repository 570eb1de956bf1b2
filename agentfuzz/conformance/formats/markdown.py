"""Markdown: the table for a pull request or a step summary, one row a verdict.

Law: no text of a loop or a tool becomes a link, a tag, a cell or a block. Called by the writer.
"""

from collections.abc import Iterator, Sequence

from agentfuzz.conformance.table import Cell, Row, Table, limits, sentence
from agentfuzz.core.escaping import code, fence, guard, markdown
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED


def page(table: Table) -> str:
    """The table as a page, ending in a line break."""
    said = f"{sentence(table)} {limits(table).capitalize()}."
    parts = [f"# agentfuzz: {code(table.loop)}", markdown(said)]
    if table.interrupted:
        parts.append("> **Warning:** the session was interrupted; this is what there was.")
    if table.tried:
        rows = [line for row in table.tried for line in _lines(row)]
        parts.append(_table(("story", "runs", "law", "verdict", "smallest plan"), rows))
    if lines := [
        f"- {code(row.story)}: {markdown(text)}" for row in table.tried for text in row.untried
    ]:
        parts += ["## Not tried", "\n".join(lines)]
    if table.left:
        rows = [[code(row.story), markdown(row.why)] for row in table.left]
        parts += ["## Not applicable", _table(("story", "why"), rows)]
    if commands := [
        table.command(row, cell) for row in table.tried for cell in row.of(VIOLATED) if cell.plan
    ]:
        parts += ["## Replay", fence("\n".join(dict.fromkeys(commands)), "sh")]
    text = "\n\n".join(parts)
    return "\n".join(guard(line) for line in text.split("\n")) + "\n"


def _lines(row: Row) -> Iterator[list[str]]:
    cells = [cell for one in (VIOLATED, HELD, NOT_EXERCISED) for cell in row.of(one)]
    for number, cell in enumerate(cells):
        first = [code(row.story), f"{row.runs:,}"] if not number else ["", ""]
        yield [*first, code(cell.law), _verdict(cell), code(cell.plan) if cell.plan else ""]


def _verdict(cell: Cell) -> str:
    said = f"**{cell.status}** {markdown(cell.code)}" if cell.status == VIOLATED else cell.status
    return said.strip()


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
