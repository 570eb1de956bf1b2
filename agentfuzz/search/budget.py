"""The budget of a campaign: what it may cost, and what is left of it.

Law: the budget is plain data, made by the doors; whoever spends it asks the meter before each run
and stops by himself, and the meter remembers what ended first. Kept by the campaign.
"""

from collections.abc import Callable
from dataclasses import dataclass

from agentfuzz.runtime.clock import Real


@dataclass(frozen=True, slots=True)
class Budget:
    """What a campaign may cost. `depth` is the number of faults walked exhaustively; `seconds`
    are real; `deep_runs` bounds the guided phase (a quarter of it, if something was found)."""

    max_runs: int = 10_000
    max_seconds: float = 30.0
    depth: int = 2
    deep_runs: int = 200
    seed: int = 0


class Meter:
    """What is left of a budget. `stopped` is `exhausted`, `max_runs` or `max_time`."""

    def __init__(self, budget: Budget, runs: Callable[[], int]) -> None:
        self.budget = budget
        self.stopped = "exhausted"
        self._runs = runs
        self._started = Real.monotonic()

    @property
    def seconds(self) -> float:
        """Real seconds since the campaign began."""
        return Real.monotonic() - self._started

    @property
    def left(self) -> int:
        """Runs that may still be made."""
        return max(self.budget.max_runs - self._runs(), 0)

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return self.seconds > self.budget.max_seconds

    def out(self, runs: int = 1) -> bool:
        """Whether there is no budget for so many runs more; what ended it is noted."""
        if runs > self.left:
            self.stopped = "max_runs"
        elif self.late:
            self.stopped = "max_time"
        else:
            return False
        return True
