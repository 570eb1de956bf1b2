"""Tasks and futures by their number: what asyncio keeps in sets has the same order in every run.

Law: an address decides nothing, neither the order in which tasks begin nor the one in which they
end or are closed, and each can tell how it ended. Made by the virtual event loop.
"""

import asyncio
import sys
import weakref
from collections.abc import Iterable
from typing import Any

from agentfuzz.runtime import unheard
from agentfuzz.runtime.unheard import made


class _Numbered:
    """Hashed by its number in the run, not by its address: a set of tasks (`asyncio.wait`, a
    framework's bookkeeping) has the same order in every run. Kept until the end of its leg: what
    the garbage collector meets has no time of its own."""

    _number = 0
    _group: object | None = None
    called = ""

    def __hash__(self: Any) -> int:
        found: int = self._number
        if not found:
            self._loop.numbered += 1
            found = self._number = self._loop.numbered
        return found

    def fate(self: Any) -> unheard.Fate | None:
        if not self.done() or self.cancelled():
            return None
        return unheard.Fate(self._exception, not self._log_traceback, self._group)


class NumberedTask(_Numbered, asyncio.Task[Any]):
    """A task of a virtual loop."""

    kind = "task"

    def __init__(self, coro: Any, *, loop: Any, name: Any = None, **given: Any) -> None:
        loop.made += 1
        self._nth = loop.made
        self._unnamed = name is None
        super().__init__(coro, loop=loop, name=name, **given)
        made(self)

    def get_name(self) -> str:
        """Its name, or its number in the leg: asyncio counts those of the whole process."""
        return f"Task-{self._nth}" if self._unnamed else super().get_name()

    def set_name(self, name: object, /) -> None:
        self._unnamed = False
        super().set_name(name)

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


class InOrder(weakref.WeakKeyDictionary[Any, bool]):
    """A weak set in the order in which it was filled."""

    def add(self, one: Any) -> None:
        self[one] = True

    def discard(self, one: Any) -> None:
        self.pop(one, None)


def in_order(items: Iterable[Any] = ()) -> Any:
    """What `wait` and `as_completed` make of the futures that they are given: those are waited for
    together. Of coroutines, whose hash is an address, tasks are made in the order given."""
    group, found = object(), list(dict.fromkeys(items))
    if sys._getframe(1).f_code.co_name != "wait":  # which refuses coroutines
        found = [asyncio.ensure_future(one) if asyncio.iscoroutine(one) else one for one in found]
    for one in found:
        if isinstance(one, _Numbered):
            one._group = group
    return set(found)
