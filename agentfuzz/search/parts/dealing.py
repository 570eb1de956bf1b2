"""Dealing: which plans of its last level a campaign runs, and which others have run for it.

Law: what comes before the last level every shard runs as a whole, for that says which plans the
level has; only the level, and the covering array of pairs, is dealt out, by the number of a plan
in its order. Asked by the levels and by the runner; this one keeps all to itself.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from agentfuzz.archive.frontier import FIRST, Place
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.budget import Budget
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.space import Space


class Turn(NamedTuple):
    """The number of a plan that is dealt: in the covering array, or in the last level."""

    level: bool
    number: int


class Dealing:
    """A campaign in one part. `turn` is that of the plan that is being run, None where nothing is
    dealt; `part` names the part that is run, if it is one; `notes` say more of it; `alone` says
    that its runs count for nobody else; `unsaved` whether it has found what the next session would
    not meet again by itself."""

    alone = True
    part = ""
    notes: tuple[str, ...] = ()
    turn: Turn | None = None
    unsaved: Callable[[], bool] = bool

    def begin(self, first: History, budget: Budget, space: Space) -> None:
        """The campaign has made its first run. Raises ShardError."""

    def mine(self, number: int) -> bool:
        """Whether the plan of this number is run here, or taken from others."""
        return True

    def ahead(self, number: int) -> bool:
        """Whether its run may be made ahead."""
        return self.mine(number)

    def row_ahead(self, number: int) -> bool:
        """The same of a row of the covering array."""
        return self.mine(number)

    def start(self, depth: int, parents: Iterable[FaultPlan]) -> Place:
        """Where the level of these parents begins."""
        return FIRST

    def rows(self) -> int:
        """How many rows of its covering array others have run."""
        return 0

    def covered(self, rows: int) -> None:
        """So many of them have been run now, with those of others."""

    def comes(self, place: Place, done: int) -> None:
        """This plan of a level is run now, after so many others."""

    def stopped(self, coming: Place | None, done: int) -> str:
        """That level has ended before `coming`, or is whole (None): what is to be told of other
        sessions."""
        return ""

    def below(self, plan: FaultPlan, history: History) -> None:
        """A run of a level that is not dealt."""

    def recorded(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan, if others have made it. Raises Died, ShardError."""
        return None

    def ran(self, plan: FaultPlan, outcome: Outcome | Died) -> None:
        """The run of a plan was made here."""

    @property
    def marks(self) -> dict[str, tuple[str, ...] | None]:
        """What the runs that others have made left of error paths, by their parts; None where
        nobody watched."""
        return {}

    def end(self, marks: Sequence[str] | None = None) -> None:
        """The search is over, and its runs have left these marks of error paths; None where nobody
        watched. Raises ShardError."""

    def close(self) -> None:
        """The campaign is over, whether or not its search came to an end."""
