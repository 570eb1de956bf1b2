"""Foresight: what a level is about to ask for, told to those who make runs ahead.

Law: it changes nothing of what is run or told, nor of what is noted; plans come to others in the
order in which they will be asked for. Made by the levels, before the one whose turn it is has
ended; asked by the walk of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from agentfuzz.archive.frontier import FIRST, Place
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.executors.executor import Executor
from agentfuzz.search.phases.systematic import Came, Level, every, in_turn

PARENTS = 16  # of a level, that are expected at a time, and as many before their turn
ROWS = 32  # of a covering array, that are expected at a time, and as many before their turn
FEW = 8  # plans that are left before a level: what comes after them is expected from then on
COMING = 8  # parents whose plans are expected beside those of the one whose turn it is
NEAR = 3  # of these, what they lead to is waited for: beyond that a budget may have ended


class Foresight:
    """Of a `level` of its own, whose plans begin at `start`, those whose number is to be made
    `ahead`; of its first parents it is `known` what they came to, so that nobody waits for that.
    When it is `late`, nobody waits for what a parent leads to before its turn."""

    def __init__(
        self,
        level: Level,
        others: Executor,
        ahead: Callable[[int], bool] = every,
        start: Place = FIRST,
        known: Sequence[Came] = (),
        late: Callable[[], bool] = bool,
    ) -> None:
        self._level = level
        self._late = late
        self._others = others
        self._ahead = ahead
        self._turns, start = in_turn(level.parents, start)
        self._left_out = start.child  # of the first parent
        self._first = start.number - start.child
        self._again = self._expected = 0  # parents, and parents whose plans are expected
        self.near(0)
        for came in known:
            self._expects(came)
        self._further(0, near=0)

    def near(self, turn: int) -> None:
        """The parents that come soon are run again."""
        if turn + PARENTS > self._again:
            begun, self._again = self._again, turn + 2 * PARENTS
            self._others.expect_again([one for _, one in self._turns[begun : self._again]])

    def now(self, turn: int, plans: Iterable[tuple[int, FaultPlan]], after: int) -> None:
        """The plans of this parent are asked for now, those of the next one have numbers that
        begin with `after`."""
        if self._expected == turn:
            self._others.expect([plan for n, plan in plans if self._ahead(n)])
            self._expected, self._first = turn + 1, after
        self._further(turn + 1, near=NEAR)

    def _further(self, turn: int, near: int) -> None:
        """The plans of parents that come soon are expected, too, so that nobody waits at the turn;
        as far as it is known what those lead to, or will be of those that are near."""
        while self._expected < min(turn + COMING, len(self._level.parents)) and not self._late():
            wait = self._expected < turn + near
            found = self._others.look(self._turns[self._expected][1], wait=wait)
            if found is None:
                return
            self._expects((found.history, found.crossings))

    def _expects(self, came: Came) -> None:
        place, parent = self._turns[self._expected]
        first = self._first if place or not self._expected else 0
        plans = [*self._level.numbered(parent, *came, first)]
        out = 0 if self._expected else self._left_out
        self._others.expect_last([plan for n, plan in plans[out:] if self._ahead(n)])
        self._expected, self._first = self._expected + 1, first + len(plans)


def foreseen(
    level: Level,
    others: Executor | None,
    ahead: Callable[[int], bool],
    start: Place,
    known: Sequence[Came] = (),
    late: Callable[[], bool] = bool,
) -> Foresight | None:
    """See `Foresight`; None where nobody makes runs ahead."""
    return None if others is None else Foresight(level, others, ahead, start, known, late)


def soon(
    numbered: Iterator[tuple[int, FaultPlan]], others: Executor, ahead: Callable[[int], bool]
) -> Iterator[tuple[int, FaultPlan]]:
    """The same plans; those that come soon, and are to be made `ahead`, expected."""
    here: list[tuple[int, FaultPlan]] = []
    while True:
        following = [*islice(numbered, ROWS)]
        others.expect_last([plan for n, plan in following if ahead(n)])
        yield from here
        if not following:
            return
        here = following
