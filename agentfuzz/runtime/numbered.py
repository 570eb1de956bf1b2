"""Tasks and futures by their number: what asyncio keeps in sets has the same order in every run.

Law: an address decides nothing, neither the order in which tasks begin nor the one in which they
end or are closed, and each can tell how it ended. Made by the virtual event loop.
"""

import asyncio
import weakref
from collections.abc import Iterable
from typing import Any

from agentfuzz.runtime import unheard

# What of asyncio waits for several at once, and leaves it to its caller to ask how they ended.
_TOGETHER = ("_wait.<locals>.", "as_completed.<locals>.", "_AsCompletedIterator.")


class _Numbered:
    """Hashed by its number in the run, not by its address: a set of tasks (`asyncio.wait`, a
    framework's bookkeeping) has the same order in every run. Kept until the end of its leg: what
    the garbage collector meets has no time of its own."""

    _number: int
    _group: object | None = None
    called = ""

    def __hash__(self) -> int:
        return self._number

    def add_done_callback(self: Any, callback: Any, **named: Any) -> None:
        if getattr(callback, "__qualname__", "").startswith(_TOGETHER):
            self._group = getattr(callback, "__self__", callback)
        super().add_done_callback(callback, **named)  # type: ignore[misc]

    def fate(self: Any) -> unheard.Fate | None:
        if not self.done() or self.cancelled():
            return None
        return unheard.Fate(self._exception, not self._log_traceback, self._group)


class NumberedTask(_Numbered, asyncio.Task[Any]):
    """A task of a virtual loop."""

    kind = "task"

    def __init__(self, coro: Any, *, loop: Any, name: Any = None, **given: Any) -> None:
        loop.made += 1
        self._number = loop.made
        if name is None:  # asyncio counts those of the whole process
            name = f"Task-{self._number}"
        super().__init__(coro, loop=loop, name=name, **given)
        unheard.made(self)

    @property
    def called(self) -> str:  # type: ignore[override]
        name = unheard.named(self.get_coro())
        error: BaseException | None = self._exception
        if name.endswith(".__call__") and error is not None and error.__traceback__ is not None:
            name = unheard.named(error.__traceback__.tb_frame.f_locals.get("self"))  # the tool's
        return name


class NumberedFuture(_Numbered, asyncio.Future[Any]):
    """A future of a virtual loop: work for an executor, or what somebody is told by."""

    kind = "work"

    def __init__(self, *, loop: Any) -> None:
        super().__init__(loop=loop)
        loop.futures += 1
        self._number = loop.futures


class InOrder(weakref.WeakKeyDictionary[Any, bool]):
    """A weak set in the order in which it was filled."""

    def add(self, one: Any) -> None:
        self[one] = True

    def discard(self, one: Any) -> None:
        self.pop(one, None)


def in_order(items: Iterable[Any] = ()) -> Any:
    """A set; of coroutines, whose hash is an address, their collection in the order given."""
    found = dict.fromkeys(items)
    return found.keys() if any(map(asyncio.iscoroutine, found)) else set(found)
