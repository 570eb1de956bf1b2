"""The table of a loop: every bundled story by every law that is asked there.

Law: a verdict is one of three, and a broken law stands beside the smallest plan that was shown
twice; what was not tried is said. Frozen data, no durations: equal runs give equal tables. Made by
the trial, told by formats/ and the badge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from agentfuzz.core.findings import LawCount, Level
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED, Status

NEVER = LawCount()
OPTION, AGAIN = "--agentfuzz-loop", "--agentfuzz-replay"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one law says in one story. `plan` is the smallest that breaks it (`no faults`, where it
    takes none), `code` and `title` what breaks then; empty where it was seen and not confirmed.
    `runs` is how often it held, was broken, and was not exercised."""

    law: str
    status: Status
    code: str = ""
    title: str = ""
    plan: str = ""
    runs: LawCount = NEVER


@dataclass(frozen=True, slots=True)
class Row:
    """A loop in one story: a cell for each law, or `why` the story says nothing about it.
    `untried` is what was left out of what could have been tried."""

    story: str
    cells: tuple[Cell, ...] = ()
    runs: int = 0
    stopped: str = ""
    covered: str = ""
    levels: tuple[Level, ...] = ()
    untried: tuple[str, ...] = ()
    why: str = ""

    def of(self, status: Status) -> list[Cell]:
        """The laws with this verdict."""
        return [cell for cell in self.cells if cell.status == status]

    @property
    def cut_short(self) -> bool:
        """Whether plans with one fault were left out."""
        return any(
            one.total is not None and one.done + one.skipped < one.total for one in self.levels
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A loop in the bundled stories. `depth` is how many faults a plan had at most."""

    loop: str
    rows: tuple[Row, ...] = ()
    depth: int = 1
    interrupted: bool = False

    @property
    def tried(self) -> list[Row]:
        """The stories that say something about it."""
        return [row for row in self.rows if not row.why]

    @property
    def left(self) -> list[Row]:
        """The stories that say nothing about it."""
        return [row for row in self.rows if row.why]

    @property
    def kept(self) -> list[Row]:
        """The stories in which it broke no law."""
        return [row for row in self.tried if not row.of(VIOLATED)]

    @property
    def laws(self) -> list[str]:
        """The names of all laws, without what they were given."""
        return sorted({name(cell.law) for row in self.tried for cell in row.cells})

    @property
    def runs(self) -> int:
        return sum(row.runs for row in self.rows)

    def count(self, status: Status) -> int:
        """How many verdicts there are of a kind."""
        return sum(len(row.of(status)) for row in self.tried)

    def command(self, row: Row, cell: Cell) -> str:
        """What is typed to see a cell's plan again, or an empty text."""
        if not cell.plan:
            return ""
        return f"pytest {OPTION} {quote(self.loop)} {AGAIN} {quote(f'{row.story}:{cell.plan}')}"


def name(law: str) -> str:
    """The name of a law without what it was given."""
    return law.partition("(")[0]


def worst(cells: Sequence[Cell]) -> Status | None:
    """What several laws of one name come to in a story."""
    found = {cell.status for cell in cells}
    return next((one for one in (VIOLATED, HELD, NOT_EXERCISED) if one in found), None)


def headline(table: Table) -> str:
    """`mine:run keeps every law in 12 of 30 stories: 40 verdicts VIOLATED, 310 HELD, ...`"""
    if not table.tried:
        return f"nothing was tested: none of {len(table.rows)} stories says anything about the loop"
    counts = ", ".join(f"{table.count(one):,} {one}" for one in (VIOLATED, HELD, NOT_EXERCISED))
    return (
        f"broke no law in {len(table.kept)} of {len(table.tried)} stories "
        f"({table.runs:,} runs): {counts}"
    )


def sentence(table: Table) -> str:
    """The headline as a sentence."""
    said = headline(table)
    return f"{said[:1].upper()}{said[1:]}."


def limits(table: Table) -> str:
    """What the stories were tried with, and with what they were not."""
    if not table.depth:
        return "tried: the run without faults, and no plan"
    few = "one fault" if table.depth == 1 else f"up to {table.depth} faults"
    return f"tried: plans with {few}, bursts and outages; plans with more faults were not"
