"""Cells: what came of each fault at each slot, counted as the runs of a campaign are folded.

Law: a run costs one more step in a dictionary; everything else is worked out when the campaign is
over. What breaks beside a fault that breaks something alone is that one's doing. Filled by coverage
and the levels, told as a matrix.
"""

from collections.abc import Iterable, Mapping, Sequence

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.history import History
from agentfuzz.core.matrix import Cell, Matrix, Row
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation, unique
from agentfuzz.search.space import Space

Key = tuple[Slot, tuple[str, ...]]  # a slot, and the axes of a fault


class Cells:
    """`alone` and `beside` count the runs in which a fault struck, without others and with them."""

    def __init__(self, space: Space) -> None:
        self.alone: dict[Key, int] = {}
        self.beside: dict[Key, int] = {}
        self._codes: dict[Key, dict[str, int]] = {}
        self._together: dict[Key, dict[str, int]] = {}
        self._same: dict[Key, bool] = {}
        self._idle: dict[Key, None] = {}
        self._space = space

    def saw(self, struck: Sequence[Struck]) -> None:
        """Count the faults of one run."""
        counts = self.alone if len(struck) == 1 else self.beside
        for _, _, slot, fault in struck:
            key = slot, fault[0]
            counts[key] = counts.get(key, 0) + 1

    def broke(self, history: History, violations: Iterable[Violation]) -> None:
        """What broke in one run that was seen; not what another law says of it more exactly."""
        keys = [(event.slot, event.fault.axes) for event in history.of(Struck)]
        if len(keys) > 1 and not self._codes.keys().isdisjoint(keys):
            return
        of = self._codes if len(keys) == 1 else self._together
        for code in dict.fromkeys(violation.code for violation in unique(violations)):
            for key in keys:
                counts = of.setdefault(key, {})
                counts[code] = counts.get(code, 0) + 1

    def single(self, plan: FaultPlan, same: bool) -> None:
        """The run of a plan with one fault came to what it comes to without it, or did not."""
        for slot, fault in plan.by_slot.items():
            key = slot, fault.axes
            self._same[key] = same and self._same.get(key, True)

    def idle(self, slot: Slot, faults: Iterable[Fault]) -> None:
        """These can do nothing to what is crossed there."""
        self._idle.update(dict.fromkeys((slot, fault.axes) for fault in faults))

    @property
    def struck(self) -> Mapping[tuple[str, ...], int]:
        """How often a fault struck, by its axes."""
        found: dict[tuple[str, ...], int] = {}
        for counts in (self.alone, self.beside):
            for (_, axes), times in counts.items():
                found[axes] = found.get(axes, 0) + times
        return found

    def matrix(
        self, groups: Mapping[Slot, str], plain: int, findings: Iterable[Counterexample]
    ) -> Matrix:
        """All of it, told: the slots that were reached, by their groups (so many of them in the run
        without faults), and those at which something struck in a run with other inputs. What was
        found is in it, wherever it was met."""
        self._found(findings)
        slots: dict[Slot, dict[str, Cell]] = {slot: {} for slot in groups}
        met = (self.alone, self.beside, self._codes, self._together, self._idle)
        for slot, axes in dict.fromkeys(key for keys in met for key in keys):
            slots.setdefault(slot, {})[Fault(axes).kind] = self._cell((slot, axes))
        kinds = {group: self._kinds(group) for group in dict.fromkeys(groups.values())}
        return Matrix(
            {group: found for group, found in kinds.items() if found},
            tuple(
                Row(slot, groups.get(slot, ""), cells, opened=place >= plain)
                for place, (slot, cells) in enumerate(slots.items())
            ),
        )

    def _kinds(self, group: str) -> tuple[str, ...]:
        tried = (*self._space.all_at(group), *self._space.wordings_at(group))
        return tuple(dict.fromkeys(fault.kind for fault in tried))

    def _cell(self, key: Key) -> Cell:
        return Cell(
            alone=self.alone.get(key, 0),
            beside=self.beside.get(key, 0),
            same=self._same.get(key, False),
            idle=key in self._idle,
            codes=dict(sorted(self._codes.get(key, {}).items())),
            together=dict(sorted(self._together.get(key, {}).items())),
        )

    def _found(self, findings: Iterable[Counterexample]) -> None:
        """What runs have shown that were not folded: those that shrink, compare and repeat."""
        for cx in findings:
            of = self._codes if len(cx.plan) == 1 and not cx.plan.lasting else self._together
            for slot, fault in cx.plan:
                of.setdefault((slot, fault.axes), {}).setdefault(cx.code, 1)
