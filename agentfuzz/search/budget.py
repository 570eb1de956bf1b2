"""The budget of a campaign: what it may cost, and what is left of it.

Law: the budget is plain data, made by the doors; whoever spends it asks the meter before each run
and stops by himself, and the meter remembers what ended first. Kept by the campaign.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agentfuzz.runtime.clock import Real

SHARE = 0.1  # of a campaign's time, in which what it found is made small and told
GRACE = 1.0  # real seconds after the end of a campaign's time in which something is confirmed


@dataclass(frozen=True, slots=True)
class Budget:
    """What a campaign may cost. `depth` is the number of faults walked exhaustively; `seconds`
    are real; `deep_runs` bounds the guided phase (a quarter of it, if something was found);
    `workers` is how many processes make its runs (0: as many as there are processors, if a run is
    dear enough); `memo` says whether runs are made without the agent where that is known to come to
    the same (`on`, `off`, or `auto`: if a run is dear enough)."""

    max_runs: int = 10_000
    max_seconds: float = 30.0
    depth: int = 2
    deep_runs: int = 200
    seed: int = 0
    workers: int = 1
    memo: str = "off"


class Spent(Protocol):
    """What was run: how many runs, and how long one took at most."""

    runs: int
    slowest: float


class Nothing:
    """Nothing was run yet."""

    runs = 0
    slowest = 0.0


class Meter:
    """What is left of a budget. `stopped` is `exhausted`, `max_runs` or `max_time`. `spent` is what
    counts the runs, `found` says whether there is something to confirm.

    The time begins after the first run, which imports and compiles; where something was found, the
    search leaves a tenth of it, at least enough to replay that, and what makes it small and
    confirms it ends within a second, or a run, of the end."""

    def __init__(self, budget: Budget, found: Callable[[], bool] = bool) -> None:
        self.budget = budget
        self.stopped = "exhausted"
        self.spent: Spent = Nothing()
        self._found = found
        self._started = Real.monotonic()
        self._until = float("inf")

    def begin(self) -> None:
        """The first run is over: the time begins, once."""
        if self._until == float("inf"):
            self._until = Real.monotonic() + self.budget.max_seconds

    def again(self) -> None:
        """What was run does not count, and its time neither."""
        self._until = float("inf")

    @property
    def seconds(self) -> float:
        """Real seconds since the campaign began."""
        return Real.monotonic() - self._started

    @property
    def remaining(self) -> float:
        """Real seconds that are left."""
        return max(self._until - Real.monotonic(), 0.0)

    @property
    def left(self) -> int:
        """Runs that may still be made."""
        return max(self.budget.max_runs - self.spent.runs, 0)

    @property
    def late(self) -> bool:
        """Whether a run more, and the replay of what was found, would take too long."""
        left, slowest = self._until - Real.monotonic(), self.spent.slowest
        return 2 * slowest > left and slowest * (1 + self._found()) > left

    @property
    def over(self) -> bool:
        """Whether no run may begin any more, not even one that confirms something."""
        return Real.monotonic() > self._until + max(GRACE - self.spent.slowest, 0.0)

    def out(self, runs: int = 1) -> bool:
        """Whether there is no budget for so many runs more; what ended it is noted."""
        if self.spent.runs + runs > self.budget.max_runs:
            self.stopped = "max_runs"
        elif self.late or (self._found() and self.remaining < SHARE * self.budget.max_seconds):
            self.stopped = "max_time"
        else:
            return False
        return True
