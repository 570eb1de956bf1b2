"""The protocol of an executor, and the one that does nothing: every run is made where it is asked
for. Held by the runner.
"""

from collections.abc import Iterable
from typing import Protocol

from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.outcome import Outcome


class Died(Exception):
    """The process in which this plan was run is gone; `how` it ended, in words."""

    def __init__(self, plan: FaultPlan, how: str) -> None:
        super().__init__(f"{plan}: {how}")
        self.plan = plan
        self.how = how


class Executor(Protocol):
    """Makes runs ahead. `trouble` says why it could not, if so."""

    @property
    def trouble(self) -> str: ...

    def expect(self, plans: Iterable[FaultPlan]) -> None:
        """These will be asked for, in this order; some, or the last of them, perhaps not."""
        ...

    def expect_last(self, plans: Iterable[FaultPlan]) -> None:
        """The same of plans that come after what was expected earlier."""
        ...

    def expect_again(self, plans: Iterable[FaultPlan]) -> None:
        """The same of plans that were run before, to see whether they come out the same."""
        ...

    def look(self, plan: FaultPlan, *, wait: bool = True) -> Outcome | None:
        """The run of a plan that will be asked for, if it was made ahead (or is being made: then
        it is waited for, if `wait`)."""
        ...

    def take(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan, if it was made ahead (or is being made: then it is waited for).
        Raises Died."""
        ...

    def give_up(self, why: str) -> None:
        """Make nothing ahead any more."""
        ...

    def close(self) -> None:
        """Nothing more is asked for."""
        ...


class Inline:
    """Makes nothing ahead."""

    trouble = ""

    def expect(self, plans: Iterable[FaultPlan]) -> None:
        """Forgets them."""

    expect_last = expect_again = expect

    def look(self, plan: FaultPlan, *, wait: bool = True) -> None:
        """Has none."""

    def take(self, plan: FaultPlan) -> None:
        """Has none."""

    def give_up(self, why: str) -> None:
        """Does nothing anyhow."""

    def close(self) -> None:
        """Has nothing to end."""
