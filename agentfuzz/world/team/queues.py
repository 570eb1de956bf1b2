"""A queue of the user's own over which tasks are handed: asyncio's, or the one of threads.

Law: what is put is handed over, with all that may become of a handoff; who takes it has received
it, and accepts before its first effect. What a fault brings once more, or late, waits for room in a
queue that is full: its sender has put one item, and learns nothing of it. Everything else is the
queue's own. Used by the surface.
"""

import asyncio
import inspect
import queue
from contextvars import ContextVar
from functools import partial
from typing import Any

from agentfuzz.core.errors import ScenarioError
from agentfuzz.world.acting import ACTING, TAKING
from agentfuzz.world.team.called import Taking
from agentfuzz.world.team.handoffs import Handoff
from agentfuzz.world.team.mailbox import Letter
from agentfuzz.world.team.payload import Sent, rebuilt
from agentfuzz.world.team.state import Team

# Who acts here for having taken something from a queue, and for nothing else.
_TAKER: ContextVar[str] = ContextVar("agentfuzz_taker", default="")


class Arrived:
    """What lies in the queue: an item, with its letter if it is a task. It is in its order."""

    __slots__ = ("item", "letter")

    def __init__(self, letter: Letter | None, item: Any) -> None:
        self.letter, self.item = letter, item

    def __lt__(self, other: "Arrived") -> bool:
        first: bool = self.item < other.item
        return first


class HandoffQueue:
    """A queue whose items are handoffs to one agent. `put` and `get` are awaited where those of the
    queue inside are."""

    def __init__(self, team: Team, queue: Any, to: str) -> None:
        if not all(callable(getattr(queue, name, None)) for name in ("put", "get", "put_nowait")):
            raise ScenarioError(
                f"handoff_over({queue!r}, {to!r}): give a queue, asyncio's or that of threads."
            )
        self._team, self._queue, self._to = team, queue, to
        self._no_room: tuple[Arrived, ...] = ()

    def put(self, item: Any, *args: Any, **kwargs: Any) -> Any:
        """Hand an item over."""
        arrived = self._arrivals(item)
        if not _awaits(self._queue):
            for one in arrived[:1]:
                self._queue.put(one, *args, **kwargs)
            self._comes(*arrived[1:])
            return None

        async def puts() -> None:
            for one in arrived[:1]:
                await self._queue.put(one)
            self._comes(*arrived[1:])

        return puts()

    def put_nowait(self, item: Any) -> None:
        """The same for a queue that has room."""
        arrived = self._arrivals(item)
        for one in arrived[:1]:
            self._queue.put_nowait(one)
        self._comes(*arrived[1:])

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Take the next item."""
        found = self._queue.get(*args, **kwargs)
        if not _awaits(self._queue):
            return self._taken(found)

        async def gets() -> Any:
            return self._taken(await found)

        return gets()

    def get_nowait(self) -> Any:
        """The next item, if there is one."""
        return self._taken(self._queue.get_nowait())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def _arrivals(self, item: Any) -> tuple[Arrived, ...]:
        if item is None:  # no task, but the word that none will come
            return (Arrived(None, None),)
        handoff = Handoff(self._team, self._to, Sent(item, None), "call")
        letters = tuple(Arrived(letter, item) for letter in handoff.letters())
        if handoff.delivery == "late":
            handoff.later(partial(self._comes, *letters))
            return ()
        return () if handoff.delivery == "misrouted" else letters

    def _comes(self, *arrived: Arrived) -> None:
        """What nobody puts: it is there once there is room for it."""
        waiting, self._no_room = (*self._no_room, *arrived), ()
        for at, one in enumerate(waiting):
            try:
                self._queue.put_nowait(one)
            except (queue.Full, asyncio.QueueFull):
                self._no_room = waiting[at:]
                return

    def _taken(self, arrived: Arrived) -> Any:
        letter, item = arrived.letter, arrived.item
        if self._no_room:
            self._comes()
        if ACTING.get() in ("", _TAKER.get()):
            ACTING.set(self._to)
            _TAKER.set(self._to)
        if letter is None:
            return None
        taking = Taking(self._team, self._to, letter)
        taking.received()
        TAKING.set(taking.accepted)
        return item if letter.payload is letter.sent.json else rebuilt(item, letter.payload)


def _awaits(queue: Any) -> bool:
    return inspect.iscoroutinefunction(queue.get)
