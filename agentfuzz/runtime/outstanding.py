"""What servers in real time have been asked on an event loop, and have not answered yet.

Law: while an answer is outstanding the clock stands still, however long it takes: a deadline of the
agent's does not come before it. That has an end in real time, after which the server is one that
does not answer. Asked by the event loop before it moves the clock.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.watchdog import current

T = TypeVar("T")

LOOK = 0.05  # real seconds between two looks
PATIENCE = 5.0  # real seconds that an answer may take; where a watchdog counts, half of what it has


def patience(share: float = 0.5) -> float:
    """Real seconds that an answer may take from now on: a share of what a watchdog would give."""
    watchdog = current()
    return PATIENCE if watchdog is None else watchdog.patience * share


class Outstanding:
    """The requests of one loop that are out."""

    def __init__(self) -> None:
        self._out: dict[object, tuple[str, float]] = {}  # whom, and until when we wait for it

    @contextmanager
    def asked(self, whom: str) -> Iterator[None]:
        """One is out until the block ends."""
        this = object()
        self._out[this] = (whom, Real.monotonic() + patience())
        try:
            yield
        finally:
            del self._out[this]

    def __bool__(self) -> bool:
        now = Real.monotonic()
        return any(until > now for _, until in self._out.values())

    def answer(self, select: Callable[[float], T]) -> T:
        """What a selector finds, once somebody has said something or we have waited long enough."""
        while self:
            if found := select(LOOK):
                return found
        return select(0)

    def unanswered(self) -> list[str]:
        """Who has not answered, for a run that hangs: a sentence each."""
        return [f"{whom} has not answered" for whom, _ in self._out.values()]
