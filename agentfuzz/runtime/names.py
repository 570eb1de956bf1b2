"""The names by which modules know what is replaced: a function may be imported by name anywhere.

Law: every module that was imported or changed since it was last looked at is looked at, for what
it has, not for what it could fetch. What is put back is whatever is left of it in any module. Used
by virtual time, for each `agentfuzz.run`.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from agentfuzz.runtime.versions import Looked, vars_of

_FREEZER = "freezegun.api"  # where what is real and what is not are both at home
_looked: dict[frozenset[Any], Looked] = {}  # what is wanted: who has it


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
        self._held: list[int] = []
        key = frozenset(self._new)
        self._looked = _looked.get(key) or Looked()
        _looked.clear()
        places = self._look()
        self._places = [one for one in places if not spares(one.module, one.value)]
        for place in self._places:
            place.names[place.name] = self._new[place.value]
        self._looked.mark()
        _looked[key] = self._looked

    def _look(self) -> list[_Place]:
        """Where the modules have what is wanted."""
        modules, found = self._looked.changed(), defaultdict[str, list[_Place]](list)
        for place in _places(modules, self._new):
            found[place.module].append(place)
        return self._looked.note(modules, found)

    def begin(self) -> None:
        """All is in its place: whoever holds more of it at the end has got it in between."""
        held = self._holders()
        mine = Counter(place.value for place in self._places)
        self._held = [count - mine[old] for count, old in zip(held, self._new, strict=True)]

    def undo(self) -> None:
        """Put back what was real: where it was, in modules that were imported since, and, where
        somebody holds what is not that did not at the beginning, in all others."""
        unchanged = self._looked.unchanged()
        for _, names, name, old in self._places:
            if names.get(name) is self._new[old]:
                names[name] = old
        self._looked.restored(unchanged)
        same = self._holders() == self._held
        self._put_back(self._looked.newcomers() if same else dict(sys.modules))

    def _put_back(self, modules: Mapping[str, Any]) -> None:
        for _, names, name, new in [*_places(modules, self._old)]:
            names[name] = self._old[new]

    def _holders(self) -> list[int]:
        """By how many each of what is put in is held."""
        return [sys.getrefcount(new) for new in self._old]


def _places(modules: Mapping[str, Any], wanted: Mapping[Any, Any]) -> Iterator[_Place]:
    """Where the modules have what is wanted. No `id`: it tells each audit hook of its use, and
    that takes longer than all the rest."""
    kinds = frozenset(map(type, wanted))
    for module, found in modules.items():
        names = vars_of(found)
        if not isinstance(names, dict) or module == _FREEZER:
            continue
        values = [*names.values()]  # at once: a thread may change them
        if [value for value in values if type(value) in kinds and value in wanted]:
            for name, value in [*names.items()]:
                if type(value) in kinds and value in wanted:
                    yield _Place(module, names, name, value)
