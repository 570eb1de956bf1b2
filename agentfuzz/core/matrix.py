"""The coverage matrix of a campaign: what came of each fault kind at each slot. Frozen data.

Law: a cell says what was run and what broke, and nothing that was not; a kind that may strike at a
slot and has no cell there was not tried. Counted by the campaign, read by every report.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from agentfuzz.core.faults import Slot

Outcome = Literal["broken", "together", "held", "same", "beside", "idle", "untried", "opened"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault kind at one slot. `alone` counts the runs in which it struck and nothing else did,
    in whatever wording; `beside` those in which more struck: another fault, or the same again.
    `codes` counts the former that broke a law, by its code, `together` the latter, where nothing of
    what struck breaks any law alone. `same`: of all plans with one fault, those that struck here
    came to what the run without faults came to. `idle`: it can do nothing to what is crossed here.
    """

    alone: int = 0
    beside: int = 0
    same: bool = False
    idle: bool = False
    codes: Mapping[str, int] = field(default_factory=dict)
    together: Mapping[str, int] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """What is to be said of it first."""
        if self.codes:
            return "broken"
        if self.together:
            return "together"
        if self.alone:
            return "same" if self.same else "held"
        if self.beside:
            return "beside"
        return "idle" if self.idle else "untried"


UNTRIED = Cell()


@dataclass(frozen=True, slots=True)
class Row:
    """A slot that was reached, its group of crossings, and what came of each kind there. `opened`:
    only faults lead there."""

    slot: Slot
    group: str
    cells: Mapping[str, Cell]
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """`kinds` are those that may strike at each group of crossings, the simplest first; `rows` the
    slots in the order in which they were met."""

    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()

    def cell(self, row: Row, kind: str) -> Cell | None:
        """What came of a kind there; None if it is none that may strike there."""
        found = row.cells.get(kind)
        return UNTRIED if found is None and kind in self.kinds.get(row.group, ()) else found

    def outcome(self, row: Row, kind: str) -> Outcome | None:
        """What is to be said of it first. What was not tried where only faults lead is another
        thing than what was not tried at all."""
        cell = self.cell(row, kind)
        if cell is None:
            return None
        return "opened" if row.opened and cell.outcome == "untried" else cell.outcome

    def cells(self) -> Iterator[tuple[Row, str, Cell]]:
        """Every slot with every kind that may strike there."""
        for row in self.rows:
            for kind in dict.fromkeys((*self.kinds.get(row.group, ()), *row.cells)):
                yield row, kind, row.cells.get(kind, UNTRIED)

    @property
    def told(self) -> dict[str, Any]:
        """For machines. A kind that may strike at a slot and has no cell was not tried; of a cell,
        what is 0, false or empty is left out."""
        return {
            "kinds": {group: list(kinds) for group, kinds in self.kinds.items()},
            "slots": [
                {
                    "slot": str(row.slot),
                    "group": row.group,
                    **({"opened": True} if row.opened else {}),
                    "cells": {kind: _told(cell) for kind, cell in row.cells.items()},
                }
                for row in self.rows
            ],
        }


def _told(cell: Cell) -> dict[str, Any]:
    counts = {name: value for name, value in asdict(cell).items() if value}
    return {"outcome": cell.outcome, **counts}
