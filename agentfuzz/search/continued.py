"""A campaign that goes on where the last session's budget ended.

Law: a level with two faults or more begins at its first plan that no session has run since what
leads to it last changed, and goes round; what is told as covered is what this session ran. The same
file and the same code give the same session. Made by the doors, held by the campaign.
"""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from agentfuzz.archive import frontier
from agentfuzz.archive.frontier import Frontier, Place
from agentfuzz.archive.shards import installed
from agentfuzz.core.codec import digest, dump
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.budget import Budget
from agentfuzz.search.dealing import Dealing
from agentfuzz.search.space import Space


class Continued(Dealing):
    """Its frontier is kept in `folder`."""

    def __init__(self, folder: Path, nodeid: str) -> None:
        self._path, self._nodeid = frontier.path_of(folder, nodeid), nodeid
        self._campaign = ""
        self._known = Frontier("")

    def begin(self, first: History, budget: Budget, space: Space) -> None:
        self._campaign = f"{installed()}\n{dump(space.words)}\n{digest(first)}"

    def start(self, depth: int, parents: Iterable[FaultPlan]) -> Place:
        lines = [self._campaign, str(depth), *map(str, parents)]
        text = "\n".join(lines).encode("utf-8", "backslashreplace")
        self._known = frontier.load(self._path, sha256(text).hexdigest())
        return self._known.place

    def stopped(self, coming: Place | None, done: int) -> str:
        known = self._known
        if coming == known.place:
            return ""  # nothing of it was run
        finished = coming is None or coming.number < known.place.number
        if coming is None or finished:
            frontier.forget(self._path)
        else:
            now = Frontier(known.fingerprint, coming, known.done + done, known.sessions + 1)
            frontier.save(self._path, self._nodeid, now)
        if coming is None or not known.sessions:
            return ""
        together = "all" if finished else f"{known.done + done:,}"
        return (
            f"from the {_ordinal(known.place.number + 1)} on; {together} in "
            f"{known.sessions + 1:,} sessions since its runs last changed"
        )


def _ordinal(n: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{n:,}{'th' if n // 10 % 10 == 1 else ends.get(n % 10, 'th')}"
