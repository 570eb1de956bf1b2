"""The store: what an agent writes down to find again when its process has died.

Law: a value is copied on its way in and on its way out, so that nothing a process held in memory
survives by accident; each write is a crossing, at which the process may die before or after. Used
by agents as a mapping, `world.store["cursor"] = 3`; a loop with a store of its own (a file,
SQLite, a checkpointer) marks its writes with `world.saving` instead.
"""

from collections.abc import Callable, Iterator, MutableMapping
from copy import deepcopy
from functools import partial
from typing import Any

from agentfuzz.core.codec import described
from agentfuzz.core.errors import Crash, ScenarioError

Saving = Callable[[str, Any, Callable[[Any], Callable[[], object]]], None]
MISSING: Any = object()  # the value of a name that is to be deleted


class Store(MutableMapping[str, Any]):
    """A durable mapping of names to anything that can be copied. `saving` is asked for who writes
    it: the run holds its store, and not the other way round."""

    __slots__ = ("_data", "_saving")

    def __init__(self, data: dict[str, Any], saving: Callable[[], Saving | None]) -> None:
        self._data = data
        self._saving = saving

    def __getitem__(self, key: str) -> Any:
        return copied(self._data[key])

    def __setitem__(self, key: str, value: Any) -> None:
        try:
            kept = copied(value)
        except Exception as error:
            raise ScenarioError(
                f"world.store[{key!r}] = {described(value)[:80]} cannot be copied "
                f"({type(error).__name__}: {error}); write plain data, as into a file."
            ) from error
        self._save(key, kept)

    def __delitem__(self, key: str) -> None:
        if key not in self._data:
            raise KeyError(key)
        self._save(key, MISSING)

    def _save(self, key: str, value: Any) -> None:
        saving = self._saving()
        if saving is None:  # the run is over and gone
            raise Crash
        saving(key, value, partial(self._write, key))

    def _write(self, key: str, value: Any) -> Callable[[], object]:
        """Write, or delete, and return what takes it back."""
        before = self._data.get(key, MISSING)
        if value is MISSING:
            self._data.pop(key, None)
        else:
            self._data[key] = value
        return partial(self._write, key, before)

    def claim(self, key: str, value: Any = True) -> bool:
        """Write the value if there is none under this key yet, in one step, and say whether it
        was written: an insert with a unique key, by which two workers agree on one."""
        if key in self._data:
            return False
        self[key] = value
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._data))

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"Store({self._data!r})"


def half(value: Any) -> Any:
    """What a write that was interrupted leaves of a value: its first half, or None."""
    if isinstance(value, dict):
        return dict(list(value.items())[: len(value) // 2])
    return value[: len(value) // 2] if isinstance(value, (str, bytes, list, tuple)) else None


def copied(value: Any) -> Any:
    """A deep copy; one of plain data takes half of the time."""
    try:
        return _plain(value, {})
    except (_NotPlain, RecursionError):
        return deepcopy(value)


class _NotPlain(Exception):
    """Other things than dicts and lists of texts and numbers."""


_SCALARS = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any, known: dict[int, Any]) -> Any:
    """A copy, in which what was one object twice is one again."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if id(value) in known:
        return known[id(value)]
    if kind is list:
        items = known[id(value)] = []
        items += [_plain(item, known) for item in value]
        return items
    if kind is not dict or not all(type(name) is str for name in value):
        raise _NotPlain
    made = known[id(value)] = {}
    for name, item in value.items():
        made[name] = item if type(item) in _SCALARS else _plain(item, known)
    return made
