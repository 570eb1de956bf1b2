"""A queue of the user's own over which tasks are handed: asyncio's, or the one of threads.

Law: what is put is handed over, with all that may become of a handoff; who takes it has received
it, and accepts before its first effect. Everything else is the queue's own. Used by the surface.
"""

import inspect
from contextvars import ContextVar
from functools import partial
from typing import Any

from agentfuzz.world.acting import ACTING, TAKING
from agentfuzz.world.team.called import Taking
from agentfuzz.world.team.handoffs import Handoff
from agentfuzz.world.team.mailbox import Letter
from agentfuzz.world.team.payload import Sent, rebuilt
from agentfuzz.world.team.state import Team

# Who acts here for having taken something from a queue, and for nothing else.
_TAKER: ContextVar[str] = ContextVar("agentfuzz_taker", default="")


class HandoffQueue:
    """A queue whose items are handoffs to one agent. `put` and `get` are awaited where those of the
    queue inside are."""

    def __init__(self, team: Team, queue: Any, to: str) -> None:
        self._team, self._queue, self._to = team, queue, to

    def put(self, item: Any, *args: Any, **kwargs: Any) -> Any:
        """Hand an item over."""
        arrived = self._arrivals(item)
        if not _awaits(self._queue):
            for letter in arrived:
                self._queue.put(letter, *args, **kwargs)
            return None

        async def puts() -> None:
            for letter in arrived:
                await self._queue.put(letter)

        return puts()

    def put_nowait(self, item: Any) -> None:
        """The same for a queue that has room."""
        for letter in self._arrivals(item):
            self._queue.put_nowait(letter)

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

    def _arrivals(self, item: Any) -> tuple[tuple[Letter | None, Any], ...]:
        if item is None:  # no task, but the word that none will come
            return ((None, None),)
        handoff = Handoff(self._team, self._to, Sent(item, None), "call")
        letters = tuple((letter, item) for letter in handoff.letters())
        if handoff.delivery == "late":
            late = letters[0]
            handoff.later(partial(self._queue.put_nowait, late))
            return ()
        return () if handoff.delivery == "misrouted" else letters

    def _taken(self, arrived: tuple[Letter | None, Any]) -> Any:
        letter, item = arrived
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
