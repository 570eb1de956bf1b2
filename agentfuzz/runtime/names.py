"""The names by which modules know what is replaced: a function may be imported by name anywhere.

Law: every module that was imported or changed since it was last looked at is looked at, for what
it has, not for what it could fetch. What is put back is whatever is left of it in any module. Used
by virtual time, for each `agentfuzz.run`.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from agentfuzz.runtime.versions import Version, version

_FREEZER = "freezegun.api"  # where what is real and what is not are both at home
_without: dict[frozenset[Any], dict[str, Version]] = {}  # what is wanted: who had none of it


class _Place(NamedTuple):
    """A name in a module, and what it stands for."""

    module: str
    names: dict[str, Any]
    name: str
    value: Any


class Exchange:
    """Of each pair the second, wherever a module knows the first by a name, until `undo`. `spares`
    says of which module (by its name) which of the first stay. Pairs are of functions and classes,
    which compare by identity."""

    def __init__(
        self, pairs: Iterable[tuple[Any, Any]], spares: Callable[[str, Any], bool]
    ) -> None:
        self._new = dict(pairs)
        self._old = {new: old for old, new in self._new.items()}
        self._modules = dict(sys.modules)
        self._held: list[int] = []
        self._places = [
            place
            for place in _changed(self._modules, self._new)
            if not spares(place.module, place.value)
        ]
        for place in self._places:
            place.names[place.name] = self._new[place.value]

    def begin(self) -> None:
        """All is in its place: whoever holds more of it at the end has got it in between."""
        held = self._holders()
        mine = Counter(place.value for place in self._places)
        self._held = [count - mine[old] for count, old in zip(held, self._new, strict=True)]

    def undo(self) -> None:
        """Put back what was real: where it was, in modules that were imported since, and, where
        somebody holds what is not that did not at the beginning, in all others."""
        for _, names, name, old in self._places:
            if names.get(name) is self._new[old]:
                names[name] = old
        loaded, before = dict(sys.modules), self._modules
        if self._holders() == self._held:
            loaded = {name: one for name, one in loaded.items() if before.get(name) is not one}
        self._put_back(loaded)

    def _put_back(self, modules: Mapping[str, Any]) -> None:
        for _, names, name, new in [*_places(modules, self._old)]:
            names[name] = self._old[new]

    def _holders(self) -> list[int]:
        """By how many each of what is put in is held."""
        return [sys.getrefcount(new) for new in self._old]


def _changed(modules: Mapping[str, Any], wanted: Mapping[Any, Any]) -> Iterator[_Place]:
    """Where the modules have what is wanted; without a look at those that had nothing of it at the
    last look, and have not changed."""
    key = frozenset(wanted)
    known = _without.pop(key, {})
    _without.clear()
    without, looked_at = dict[str, Version](), dict[str, Any]()
    for module, found in modules.items():
        before, names = known.get(module), getattr(found, "__dict__", None)
        if before is not None and before.is_of(names):
            without[module] = before
            continue
        looked_at[module] = found
        if isinstance(found, ModuleType) and (now := version(vars(found), before)):
            without[module] = now
    for place in _places(looked_at, wanted):
        without.pop(place.module, None)
        yield place
    _without[key] = without


def _places(modules: Mapping[str, Any], wanted: Mapping[Any, Any]) -> Iterator[_Place]:
    """Where the modules have what is wanted. No `id`: it tells each audit hook of its use, and
    that takes longer than all the rest."""
    kinds = frozenset(map(type, wanted))
    for module, found in modules.items():
        names = getattr(found, "__dict__", None)
        if not isinstance(names, dict) or module == _FREEZER:
            continue
        values = [*names.values()]  # at once: a thread may change them
        if [value for value in values if type(value) in kinds and value in wanted]:
            for name, value in [*names.items()]:
                if type(value) in kinds and value in wanted:
                    yield _Place(module, names, name, value)
