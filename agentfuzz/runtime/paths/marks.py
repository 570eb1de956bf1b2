"""Marks: what the probes in an agent's code have seen, as texts that mean the same in any process.

Law: a mark that is known costs one look into a table; one that is new is decided here. A function
is marked only if it was called by the agent: what tools, scenarios, fixtures and laws call is the
world's. A loop is marked when its body is entered a second time by one frame. Called by probes.
"""

import os
import sys
from types import FrameType

from agentfuzz.runtime.paths.branch import BEGUN, CALLED, ROUND
from agentfuzz.runtime.user_code import PACKAGE

# Whoever is called beneath these is the world's, unless something below begins an agent.
_WORLDS = tuple(f"{PACKAGE}{name.replace('/', os.sep)}" for name in (
    "world/backend.py", "world/own_backend.py", "world/delivery.py", "world/local.py",
    "world/local_faults.py", "world/probe.py", "world/rows.py", "world/calls.py", "world/lane.py",
    "model/", "engine/scenario.py", "engine/around.py", "engine/judging.py", "invariants/",
    "search/", "plugin/",
))  # fmt: skip
_BEGINS = tuple(f"{PACKAGE}{name.replace('/', os.sep)}" for name in (
    "engine/simulation.py", "engine/loops.py", "engine/nested.py", "engine/together.py",
    "world/team/children.py", "search/memo/taping.py",
))  # fmt: skip


class Marks(dict[str, bool]):
    """The marks so far."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # that of a code asks for its constants

    def __init__(self) -> None:
        self._rounds: dict[str, set[int]] = {}  # of each loop, the frames that are in its first

    def __missing__(self, mark: str) -> None:
        """A probe is met whose mark is not known."""
        kind = mark[:2]
        if kind in (BEGUN, ROUND):
            self._round(mark, id(sys._getframe(1)))
        elif kind != CALLED or _is_agents(sys._getframe(2)):
            self[mark] = True

    def _round(self, mark: str, frame: int) -> None:
        again = ROUND + mark[2:]
        first = self._rounds.setdefault(again, set())
        if mark != again:
            first.discard(frame)
        elif frame in first:
            self[again] = self[BEGUN + again[2:]] = True
        else:
            first.add(frame)

    def forget(self) -> None:
        """Nothing was seen."""
        self.clear()
        self._rounds.clear()

    @property
    def seen(self) -> tuple[str, ...]:
        """The marks so far, in order."""
        return tuple(sorted(mark for mark in list(self) if mark[:2] != BEGUN))


def _is_agents(frame: FrameType | None) -> bool:
    """Whether what this frame has called is the agent's code, or the world's."""
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_BEGINS):
            return True
        if path.startswith(_WORLDS):
            return False
        frame = frame.f_back
    return True  # a thread of its own
