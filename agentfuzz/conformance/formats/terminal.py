"""The terminal: a line for each broken law, and the others of a story together.

Law: plain text of at most `width` columns, no control character, no line that a CI runner obeys.
Called by the plugin.
"""

from collections.abc import Iterator

from agentfuzz.conformance.table import Cell, Row, Table, headline, limits
from agentfuzz.core.escaping import guard
from agentfuzz.core.lanes.layout import cut, plain, safe, wrap
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED

HEADERS = ("story", "runs", "verdict", "laws, and the smallest plan")
_STORY, _VERDICT = 20, 14  # columns
_FIXED = _STORY + _VERDICT + 12


def told(table: Table, *, width: int = 80, ascii_only: bool = False) -> list[str]:
    """The table in lines: the verdicts, what was not tried, what does not apply, the headline."""
    width = max(width, 70)
    page = _Page(width, ascii_only)
    found: list[str] = []
    if table.tried:
        rows = [line for row in table.tried for line in page.rows(row)]
        found += [*page.table(HEADERS, rows), ""]
    if table.left:
        rows = [[page.text(row.story, _STORY), page.wrapped(row.why, 4)] for row in table.left]
        found += [*page.table(("not applicable", "why"), rows), ""]
    said = [f"{row.story}: not tried: {one}" for row in table.tried for one in row.untried]
    said += [limits(table), *(["interrupted: this is what there was"] * table.interrupted)]
    said.append(f"{table.loop}: {headline(table)}")
    lines = [line for text in said for line in wrap(plain(text, ascii_only), width)]
    return [*found, *(safe(line, width) for line in lines)]


def replay(table: Table) -> list[str]:
    """How to see a cell again: the command of the first broken one."""
    for row in table.tried:
        for cell in row.of(VIOLATED):
            if command := table.command(row, cell):
                return [guard(f"replay: {plain(command)}")]
    return []


class _Page:
    def __init__(self, width: int, ascii_only: bool) -> None:
        self.width, self.ascii = width, ascii_only
        self.room = width - _FIXED

    def text(self, text: str, room: int) -> str:
        return cut(plain(text, self.ascii), room)

    def wrapped(self, text: str, limit: int) -> str:
        room = self.width - _STORY - 6
        return "\n".join(wrap(plain(text, self.ascii), room, limit))

    def rows(self, row: Row) -> Iterator[list[str]]:
        first = [self.text(row.story, _STORY), f"{row.runs:,}"]
        for cell in row.of(VIOLATED):
            verdict = self.text(f"{cell.status} {cell.code}".rstrip(), _VERDICT)
            yield [*first, verdict, self._broken(cell)]
            first = ["", ""]
        for one in (HELD, NOT_EXERCISED):
            laws = ", ".join(plain(cell.law, self.ascii) for cell in row.of(one))
            if laws:
                yield [*first, one, "\n".join(wrap(laws, self.room, 99))]
                first = ["", ""]

    def _broken(self, cell: Cell) -> str:
        plan = wrap(plain(cell.plan or "not confirmed", self.ascii), self.room - 2, 6)
        return "\n".join([self.text(cell.law, self.room), *(f"  {line}" for line in plan)])

    def table(self, headers: tuple[str, ...], rows: list[list[str]]) -> list[str]:
        from tabulate import tabulate

        align = ["right" if name == "runs" else "left" for name in headers]
        text = tabulate(
            [headers, *rows],
            tablefmt="plain",
            disable_numparse=True,
            colalign=align,
            preserve_whitespace=True,
        )
        return [safe(line, self.width) for line in text.split("\n")]
