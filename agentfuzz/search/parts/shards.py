"""A campaign in N parts: a shard, which runs one of them, and the merge, which folds them all.

Law: a shard runs every plan before the last level, and of that level, and of the covering array,
each Nth plan; what it claims is what it ran. The merge is the campaign as one process would have
made it: what the shards have run it takes from their files, and all else it runs itself; no file
is believed whose campaign came to other runs before. Made by the doors, held by the campaign.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from agentfuzz.archive.shards import End, Head, Shard, Writer, installed, name_of, runs
from agentfuzz.core.codec import digest, dump
from agentfuzz.core.errors import SavedFileError, ShardError
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.runtime import leaks
from agentfuzz.search.budget import Budget
from agentfuzz.search.executors import recorded
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.parts.dealing import Dealing, Turn
from agentfuzz.search.space import Space


class Below:
    """A digest of all that was run before the last level. What was cut off is no part of it: where
    that happens is the machine's doing."""

    def __init__(self) -> None:
        self._sum = sha256()

    def saw(self, plan: FaultPlan, history: History) -> None:
        """One run."""
        if history.ended is None or history.ended.how != "cut_off":
            self._sum.update(f"{plan}\n{digest(history)}\n".encode("utf-8", "backslashreplace"))

    @property
    def text(self) -> str:
        """It, as text."""
        return self._sum.hexdigest()


def head(nodeid: str, shard: int, of: int, first: History, budget: Budget, space: Space) -> Head:
    """What a file of this campaign begins with."""
    return Head(
        nodeid=nodeid,
        shard=shard,
        of=of,
        depth=budget.depth,
        seed=budget.seed,
        space=dump(space.words),
        first=digest(first),
        agentfuzz=installed(),
    )


class Share(Dealing):
    """Part `shard` of `of`, written to `folder`."""

    alone = False

    def __init__(self, folder: Path, nodeid: str, shard: int, of: int) -> None:
        self.part = f"shard {shard}/{of}"
        self.notes = (
            f"{self.part} of this campaign; the whole, with random plans, is told by python -m "
            "agentfuzz merge DIR...",
        )
        self._path, self._nodeid = folder / name_of(nodeid), nodeid
        self._shard, self._of = shard, of
        self._writer: Writer | None = None

    def begin(self, first: History, budget: Budget, space: Space) -> None:
        self.close()  # a campaign may have been begun anew
        self._below = Below()
        self._last = -1
        given = head(self._nodeid, self._shard, self._of, first, budget, space)
        self._writer = Writer(self._path, given)

    def mine(self, number: int) -> bool:
        return number % self._of == self._shard - 1

    def below(self, plan: FaultPlan, history: History) -> None:
        self._below.saw(plan, history)

    def recorded(self, plan: FaultPlan) -> None:
        self._known = len(leaks.known())

    def ran(self, plan: FaultPlan, outcome: Outcome | Died) -> None:
        if self._writer is None or self.turn is None:
            return
        data = recorded.written(outcome, leaks.known()[self._known :])
        with suppress(TypeError):  # what JSON does not know is run by the merge
            self._writer.line([*self.turn, str(plan), data])
        if self.turn.level:
            self._last = self.turn.number

    def end(self, marks: Sequence[str] | None = None) -> None:
        if self._writer is not None:
            self._writer.end(End(self._last, self._below.text), marks)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@dataclass
class _Reader:
    """A shard, and which of its runs comes next."""

    shard: Shard

    def __post_init__(self) -> None:
        self._runs = runs(self.shard.path)
        self._next = next(self._runs, None)

    def at(self, turn: Turn, plan: FaultPlan) -> object:
        """What it says of a turn, or None."""
        while self._next is not None and self._next[:2] < [*turn]:
            self._next = next(self._runs, None)
        if self._next is None or self._next[:2] != [*turn]:
            return None
        if self._next[2] != str(plan):
            raise ShardError(
                f"{self.shard.path}: ran {self._next[2][:200]!r} where {plan} comes here; "
                f"{OTHERWISE}"
            )
        return self._next[3]


OTHERWISE = (
    "the shards were made of another state of the code, or this agent does not do the same twice "
    "(AF904). Run all shards, and the merge, of one commit."
)


class Merged(Dealing):
    """All shards of a campaign, out of some folders, whose runs are folded here."""

    alone = False

    def __init__(self, nodeid: str, shards: Sequence[Shard], folders: Sequence[Path]) -> None:
        self._nodeid, self._shards, self._folders = nodeid, shards, folders

    @property
    def marks(self) -> dict[str, tuple[str, ...] | None]:
        return {f"shard {one.head.shard}/{one.head.of}": one.marks for one in self._shards}

    def begin(self, first: History, budget: Budget, space: Space) -> None:
        self._readers = [_Reader(one) for one in self._shards]
        self._below = Below()
        self._compared = False
        if not self._shards:
            raise ShardError(
                f"{', '.join(map(str, self._folders))}: no shard has run this test to its end. Run "
                "all shards with the tests that are merged, of one commit."
            )
        for one in self._shards:
            here = head(self._nodeid, one.head.shard, one.head.of, first, budget, space)
            for name in ("agentfuzz", "depth", "seed", "space"):
                was, now = getattr(one.head, name), getattr(here, name)
                if was != now:
                    raise ShardError(
                        f"{one.path}: was made with {name} {was}, and this is {now}. Merge with "
                        "the options of the shards, after --."
                    )
            if one.head.first != here.first:
                raise ShardError(f"{one.path}: its run without faults is another one; {OTHERWISE}")

    def ahead(self, number: int) -> bool:
        return number > self._shards[number % len(self._shards)].end.last

    def row_ahead(self, number: int) -> bool:
        return False  # how many rows a shard has run is known when they are asked for

    def below(self, plan: FaultPlan, history: History) -> None:
        self._below.saw(plan, history)

    def recorded(self, plan: FaultPlan) -> Outcome | None:
        turn = self.turn
        if turn is None:
            return None
        if turn.level and not self._compared:
            self._compared = True
            for one in self._shards:
                if one.end.last >= 0 and one.end.below != self._below.text:
                    raise ShardError(f"{one.path}: its runs before are other ones; {OTHERWISE}")
        reader = self._readers[turn.number % len(self._readers)]
        data = reader.at(turn, plan)
        if data is None:
            return None
        try:
            return recorded.read(plan, data)
        except SavedFileError as error:
            raise ShardError(f"{reader.shard.path}: {error}; run that shard again.") from error
