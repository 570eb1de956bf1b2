"""Sight: what an agent sees of its world beside replies: `world.state`, what a scenario has laid on
the world itself, and what it shares with its tools.

Law: to look at the world is an action like any other, and from then on what lies there is part of
all that the agent sees; what the body of a tool does with it is no look. Used by the tape, and by
the walker.
"""

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from agentfuzz.runtime.user_code import is_agents
from agentfuzz.search.memo.shared import Shared
from agentfuzz.search.memo.values import Key, Uncopied, key_of
from agentfuzz.world.world import World

LOOK = "look"  # the verb of such an action
LARGE = 100_000  # bytes: to look at more at each action takes longer than the agent does
KEEPS = "_looked_at"  # of a world: who is told of a look
OWN = frozenset({"task", "gateway", "clock", "tools", "data"})  # told otherwise, or the same always


def laid(world: World) -> frozenset[str]:
    """The names of what lies on a world when its agent begins."""
    return frozenset(name for name in vars(world) if name[0] != "_" and name not in OWN)


class Sight:
    """What was looked at of one world: these `names`; and what is `shared` with its tools."""

    def __init__(self, world: World, shared: Shared) -> None:
        self._lies = vars(world)
        self.names: list[str] = []
        self._shared = shared
        self._last: tuple[Key, ...] = ()

    def seen(self, what: Key) -> Key:
        """What is seen of an action, with all of that. Raises Uncopied."""
        if not (self.names or self._shared.looks):
            return what
        self._last = self._keys()
        return (what, *self._last)

    @property
    def same(self) -> bool:
        """Whether it is as it was at the last action, as far as that can be told."""
        try:
            return not (self.names or self._shared.looks) or self._keys() == self._last
        except Uncopied:
            return False

    def _keys(self) -> tuple[Key, ...]:
        if self._shared.large:
            raise Uncopied("large")
        try:
            keys = [key_of(look()) for look in self._shared.looks]
            self._shared.large = large = sum(map(_size, keys)) > LARGE
            keys += [key_of(self._lies.get(name)) for name in self.names]
        except Exception as error:  # deleted, or a proxy that stands for nothing
            raise Uncopied(type(error).__name__) from error
        if large or sum(map(_size, keys)) > LARGE:
            raise Uncopied("large")
        return tuple(keys)


def _size(key: Any) -> int:
    return 1 + sum(map(_size, key)) if type(key) is tuple else len(key)


@lru_cache(maxsize=64)
def _watched(names: frozenset[str]) -> type[World]:
    """A world that tells of each look at one of these names."""

    def telling(name: str) -> property:
        def told(self: World) -> dict[str, Any]:
            lies = vars(self)
            looks = lies.get(KEEPS)
            if looks is not None and is_agents(sys._getframe(1)):
                looks(name)
            return lies

        def look(self: World) -> Any:
            lies = told(self)
            if name not in lies:
                raise AttributeError(f"{World.__name__!r} object has no attribute {name!r}")
            return lies[name]

        def lay(self: World, value: Any) -> None:
            told(self)[name] = value

        def take(self: World) -> None:
            del told(self)[name]

        return property(look, lay, take)

    watching = {name: telling(name) for name in sorted(names)}
    return type(World.__name__, (World,), {"__module__": World.__module__, **watching})


def watch(world: World, names: frozenset[str], looks: Callable[[str], None]) -> None:
    """From now on `looks` is called with each of these names that the agent looks at."""
    world.__class__ = _watched(names)
    vars(world)[KEEPS] = looks
