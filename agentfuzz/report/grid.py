"""Grids: the matrix of a campaign as tables for people, one for each boundary.

Law: every slot at which a fault may strike is in one, and what came of each kind there is said in
words; slots one after another of which the same is to be said are one line. A large grid is told
name by name as well. Called by the index of every format, and by the details of the terminal.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.faults import TABLES
from agentfuzz.core.findings import CampaignResult
from agentfuzz.core.lanes.words import count
from agentfuzz.core.matrix import Cell, Matrix, Outcome, Row

LARGE = 40  # lines of a campaign: more are told name by name
WIDE = 30  # kinds of one table
SIGNS: Mapping[Outcome, str] = {
    "broken": "AF101",  # whatever broke stands there
    "together": "+AF101",
    "untried": "?",
    "opened": "\u00b7",
    "held": "\u2713",
    "beside": "(\u2713)",
    "same": "=",
    "idle": "\u2013",
}
WORDS: Mapping[Outcome, str] = {
    "broken": "breaks this law",
    "together": "breaks it only with another fault",
    "untried": "not tried: the budget ended before",
    "opened": "not tried: only other faults lead here",
    "held": "struck, and every law held",
    "beside": "struck only with other faults, and broke nothing more",
    "same": "struck, and nothing came of it: the run ended as without it",
    "idle": "can do nothing here",
}
SUMS: Mapping[Outcome, str] = {  # before a number of slots, or of kinds
    "broken": "broken:",
    "together": "broken with another fault:",
    "held": "held:",
    "beside": "struck only with others:",
    "same": "no difference:",
    "untried": "not tried:",
    "idle": "can do nothing:",
    "opened": "not tried where only faults lead:",
}
_RANK = tuple(SUMS)  # the worst first
Find = Callable[[Row, str, str], str]  # the page that tells of a slot, a kind and a code


def _nowhere(row: Row, kind: str, code: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What came of a kind, at a slot or several: `codes` are the laws that broke, each with the id
    of the cause whose page tells of it, if there is one."""

    outcome: Outcome
    says: str
    codes: tuple[tuple[str, str], ...] = ()

    @property
    def sign(self) -> str:
        return SIGNS[self.outcome]


@dataclass(frozen=True, slots=True)
class Line:
    """One slot, or several one after another of which the same is to be said."""

    rows: tuple[Row, ...]
    marks: Mapping[str, Mark]

    @property
    def name(self) -> str:
        first, last = self.rows[0].slot, self.rows[-1].slot
        return str(first) if first == last else f"{first} to #{last.nth}"


@dataclass(frozen=True, slots=True)
class Named:
    """All lines of one name in one: `marks` say the worst of them, where there are several."""

    name: str
    marks: Mapping[str, Mark]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """One boundary. `names` sum up the lines of a large one; else there are none."""

    title: str
    kinds: tuple[str, ...]
    lines: tuple[Line, ...]
    names: tuple[Named, ...] = ()

    @property
    def folded(self) -> bool:
        """Whether even its names are too many to be seen at once."""
        return len(self.names) > LARGE

    @property
    def parts(self) -> Iterator[tuple[str, ...]]:
        """Its kinds, as many at a time as a table holds."""
        for begin in range(0, len(self.kinds), WIDE):
            yield self.kinds[begin : begin + WIDE]


def grids(result: CampaignResult, find: Find = _nowhere) -> tuple[Grid, ...]:
    """The tables of a campaign, in the order of the boundaries."""
    by_place: dict[str, list[Row]] = {name: [] for name in BOUNDARIES}
    for row in result.matrix.rows:
        by_place.setdefault(_place(row.slot.boundary), []).append(row)
    made = [_grid(result.matrix, place, some, find) for place, some in by_place.items()]
    made = [grid for grid in made if grid.lines]
    if sum(len(grid.lines) for grid in made) <= LARGE:
        return tuple(made)
    return tuple(replace(grid, names=named(grid)) for grid in made)


def named(grid: Grid) -> tuple[Named, ...]:
    """The lines of a grid name by name, in the order in which the names were met."""
    by_name: dict[str, list[Line]] = {}
    for line in grid.lines:
        slot = line.rows[0].slot
        by_name.setdefault(str(slot).rpartition("#")[0], []).append(line)
    return tuple(_named(grid, name, tuple(lines)) for name, lines in by_name.items())


def _named(grid: Grid, name: str, lines: tuple[Line, ...]) -> Named:
    if len(lines) == 1:
        return Named(name, lines[0].marks, ())
    return Named(name, _worst(grid.kinds, lines), lines)


def _place(boundary: str) -> str:
    """What happens to the process is one table, wherever it happens."""
    known = BOUNDARIES.get(boundary)
    return "process" if known is not None and known.of_process else boundary


def _grid(matrix: Matrix, boundary: str, rows: Sequence[Row], find: Find) -> Grid:
    known = BOUNDARIES.get(boundary)
    title = known.told.title if known is not None and known.told is not None else boundary
    there = {kind for row in rows for kind in (*matrix.kinds.get(row.group, ()), *row.cells)}
    table = TABLES.get(boundary)
    ordered = [fault.kind for fault in table.all()] if table is not None else []
    kinds = tuple(kind for kind in dict.fromkeys((*ordered, *sorted(there))) if kind in there)
    lines = tuple(_line(matrix, some, kinds, find) for some in _alike(rows))
    return Grid(title, kinds, tuple(line for line in lines if line.marks))


def _alike(rows: Sequence[Row]) -> Iterator[tuple[Row, ...]]:
    """Slots of one name, by number, those one after another with the same cells together."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(str(row.slot).rpartition("#")[0], []).append(row)
    for every in by_name.values():
        some: list[Row] = []
        for row in sorted(every, key=lambda one: one.slot.nth):
            last = some[-1] if some else row
            if some and (
                (row.group, row.opened, row.cells) != (last.group, last.opened, last.cells)
                or row.slot.nth != last.slot.nth + 1
            ):
                yield tuple(some)
                some = []
            some.append(row)
        yield tuple(some)


def _line(matrix: Matrix, rows: tuple[Row, ...], kinds: Sequence[str], find: Find) -> Line:
    first = rows[0]
    marks = {}
    for kind in kinds:
        cell, outcome = matrix.cell(first, kind), matrix.outcome(first, kind)
        if cell is not None and outcome is not None:
            broken = tuple((code, find(first, kind, code)) for code in cell.codes or cell.together)
            marks[kind] = Mark(outcome, _says(cell, outcome, len(rows)), broken)
    return Line(rows, marks)


def _says(cell: Cell, outcome: Outcome, slots: int) -> str:
    """What came of a kind at a slot (each of so many), in a line."""
    alone, beside = count(cell.alone, "run"), count(cell.beside, "run")
    others = f"; with others in {beside}" if cell.beside else ""
    said = {
        "broken": f"breaks {_broken(cell.codes)}, of {alone} alone{others}",
        "together": f"breaks {_broken(cell.together)} with another fault, alone in {alone} nothing",
        "untried": "not tried",
        "opened": "not tried, only other faults lead here",
        "held": f"every law held in {alone}{others}",
        "beside": f"struck only with others, in {beside}",
        "same": f"no difference in {alone}{others}",
        "idle": "can do nothing here",
    }[outcome]
    return f"{said}{', at each' * (slots > 1)}"


def _broken(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{code} in {count(times, 'run')}" for code, times in codes.items())


def _worst(kinds: Sequence[str], lines: Sequence[Line]) -> dict[str, Mark]:
    found: dict[str, Mark] = {}
    for kind in kinds:
        marks = [(line.marks[kind], len(line.rows)) for line in lines if kind in line.marks]
        if not marks:
            continue
        at = Counter[Outcome]()
        codes: dict[str, str] = {}
        for mark, slots in marks:
            at[mark.outcome] += slots
            for code, page in mark.codes:
                codes[code] = codes.get(code) or page
        worst = min(at, key=_RANK.index)
        says = ", ".join(
            f"{says} {count(at[one], 'slot')}" for one, says in SUMS.items() if at[one]
        )
        found[kind] = Mark(worst, says, tuple(codes.items()))
    return found
