"""A campaign that goes on where the last session's budget ended.

Law: a level with two faults or more begins at its first plan that no session has run since what
leads to it last changed, and goes round; the covering array before it is run once by all sessions
together. What is told as covered is what this session ran. The same file and the same code give the
same session. In between the place is kept now and then, for one that is killed; not beyond what was
found, which nobody has saved yet. Made by the doors, held by the campaign.
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from agentfuzz.archive import frontier
from agentfuzz.archive.frontier import Frontier, Place
from agentfuzz.archive.shards import installed
from agentfuzz.core.codec import digest, dump
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.runtime.clock import Real
from agentfuzz.search.budget import Budget
from agentfuzz.search.parts.dealing import Dealing
from agentfuzz.search.parts.shards import Below
from agentfuzz.search.space import Space

OFTEN = 5.0  # real seconds from one place that is kept to the next


class Continued(Dealing):
    """Its frontier is kept in `folder`."""

    def __init__(self, folder: Path, nodeid: str) -> None:
        self._path, self._nodeid = frontier.path_of(folder, nodeid), nodeid
        self._campaign = ""
        self._known = Frontier("")
        self._now: Frontier | None = None  # once the campaign is over
        self._rows = 0
        self._finished = self._kept = self._last = False
        self._next = Real.monotonic() + OFTEN

    def begin(self, first: History, budget: Budget, space: Space) -> None:
        if self._kept:  # begun anew: of what was run nothing counts
            self._keep(self._known)
        self._depth, self._last, self._kept = budget.depth, False, False
        self._campaign = f"{installed()}\n{dump(space.words)}\n{digest(first)}"
        self._below, self._now, self._finished = Below(), None, False
        self._rows = self._known.rows

    def below(self, plan: FaultPlan, history: History) -> None:
        self._below.saw(plan, history)

    def start(self, depth: int, parents: Iterable[FaultPlan]) -> Place:
        plans = list(map(str, parents))
        lines = [self._campaign, self._below.text, str(depth), *plans]
        text = "\n".join(lines).encode("utf-8", "backslashreplace")
        known = frontier.load(self._path, sha256(text).hexdigest())
        self._known = known if known.place.parent < len(plans) else Frontier(known.fingerprint)
        self._rows = self._known.rows
        self._last = depth == self._depth  # a level before it leaves the place in that one alone
        return self._known.place

    def rows(self) -> int:
        return self._rows

    def covered(self, rows: int) -> None:
        self._rows = rows
        if self._due():
            self._keep(replace(self._known, rows=rows))

    def comes(self, place: Place, done: int) -> None:
        if place != self._known.place and self._due():
            self._keep(self._at(place, done))

    def stopped(self, coming: Place | None, done: int) -> str:
        known = self._known
        if coming == known.place:  # nothing of it was run
            return ""
        finished = coming is None or coming.number < known.place.number
        self._finished = finished
        if coming is not None and not finished:
            self._now = self._at(coming, done)
        if coming is None or not known.sessions:
            return ""
        together = "all" if finished else f"{known.done + done:,}"
        return (
            f"from the {_ordinal(known.place.number + 1)} on; {together} in "
            f"{known.sessions + 1:,} sessions since its runs last changed"
        )

    def _at(self, place: Place, done: int) -> Frontier | None:
        """This place, after so many plans of this session; None where all have come round."""
        known = self._known
        if place.number < known.place.number:
            return None
        counts = (known.done + done, known.sessions + 1, self._rows)
        return Frontier(known.fingerprint, place, *counts)

    def _due(self) -> bool:
        now = Real.monotonic()
        if not self._last or now < self._next:
            return False
        self._next = now + OFTEN
        return not self.unsaved()

    def _keep(self, found: Frontier | None) -> None:
        self._kept = True
        if found is None or found == Frontier(found.fingerprint):
            frontier.forget(self._path)
        else:
            frontier.save(self._path, self._nodeid, found)

    def close(self) -> None:
        """Keep where it stopped; what was begun anew counts once."""
        if self._finished:
            self._keep(None)
        elif self._now is not None:
            self._keep(self._now)
        elif self._rows > self._known.rows:
            self._keep(replace(self._known, rows=self._rows))


def _ordinal(n: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{n:,}{'th' if n // 10 % 10 == 1 else ends.get(n % 10, 'th')}"
