"""A framework's own store, whose writes are saves of the world: the process may die before one, or
right after.

Law: the store does what it does, and what it has written survives because it does (a file, a
database, an object that a run keeps). Called by adapters.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from agentfuzz.adapters.contract.adapter import Setup
from agentfuzz.world.world import World


def saves(name: str, method: Callable[..., Any]) -> Any:
    """A method, sync or async, of a store that has its `world`, as a save of this name."""
    return _within(method, lambda store: store.world.saving(name))


class Saved:
    """A store in a world. `saves` says which of its methods are saves, and of which name; all else
    is asked of the store as it is."""

    def __init__(self, world: World, store: Any, saves: Mapping[str, str]) -> None:
        self.world, self._store, self._saves = world, store, saves

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in self._saves:
            return found
        return _within(found, lambda *_: self.world.saving(self._saves[name]))


def kept(setup: Setup, name: str, messages: Sequence[Any]) -> None:
    """What was said is now in the session, where that is a list: a save of this name."""
    if setup.session is not None:
        with setup.world.saving(name):
            setup.session[:] = messages


def _within(method: Callable[..., Any], saving: Callable[..., AbstractContextManager[Any]]) -> Any:
    if iscoroutinefunction(method):

        @wraps(method)
        async def awrites(*args: Any, **kwargs: Any) -> Any:
            with saving(*args[:1]):
                return await method(*args, **kwargs)

        return awrites

    @wraps(method)
    def writes(*args: Any, **kwargs: Any) -> Any:
        with saving(*args[:1]):
            return method(*args, **kwargs)

    return writes
