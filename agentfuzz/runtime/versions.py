"""Whether a dictionary has changed since it was last looked at, and which modules have.

Law: "no" is said only where the interpreter's own count of its changes says so (PEP 509, up to
Python 3.13); where there is none, everything may have changed. Used where all modules are looked
through, of which a large application has thousands.
"""

import ctypes
import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

_AT = object.__basicsize__ + ctypes.sizeof(ctypes.c_ssize_t)  # behind the number of its items


class Version(NamedTuple):
    """A dictionary, where the number of its changes lies, and that number at a look."""

    names: dict[str, Any]
    changes: ctypes.c_uint64
    seen: int

    def is_of(self, names: object) -> bool:
        """Whether this dictionary is the same one, and as it was."""
        return names is self.names and self.changes.value == self.seen


def version(names: dict[str, Any], before: Version | None) -> Version | None:
    """How it is now; None where nobody counts. To be asked before what is in it is read."""
    if not _COUNTS:
        return None
    if before is not None and before.names is names:
        count = before.changes
    else:
        count = ctypes.c_uint64.from_address(id(names) + _AT)
    return Version(names, count, count.value)


def vars_of(one: Any) -> Any:
    """What a module has, or an object; None where nobody can tell. It is not asked: a lazy module
    (`importlib.util.LazyLoader`) would be imported by that."""
    try:
        return object.__getattribute__(one, "__dict__")
    except Exception:
        return None


def _is_module(one: Any) -> bool:
    return issubclass(type(one), ModuleType)


def loaded() -> tuple[Version | None, Mapping[str, Any]]:
    """The modules of this process, and their version; the same mapping as long as it holds."""
    global _loaded
    if _loaded[0] is None or not _loaded[0].is_of(sys.modules):
        _loaded = version(sys.modules, _loaded[0]), dict(sys.modules)
    return _loaded


class Looked:
    """What was found in each module of this process, as long as it has not changed since."""

    def __init__(self) -> None:
        self._loaded: Version | None = None
        self._known: dict[str, Version] = {}
        self._found: dict[str, list[Any]] = {}
        self._rest: list[str] = []  # without a count, or not looked at yet
        self._marked: dict[str, Version] = {}  # what was found there is changed

    def changed(self) -> dict[str, Any]:
        """The modules that are to be looked at anew, by name; `note` is to be told next of each
        what is in it."""
        known, loaded = self._known, sys.modules
        if self._loaded is None or not self._loaded.is_of(loaded):
            self._loaded = version(loaded, self._loaded)
            for name in [*known]:
                if not self._knows(name, loaded.get(name)):
                    del known[name]
            self._rest = [name for name in [*loaded] if name not in known]
            self._found = {name: one for name, one in self._found.items() if name in known}
        changed = [name for name, one in known.items() if one.changes.value != one.seen]
        found = {name: loaded[name] for name in (*self._rest, *changed) if name in loaded}
        for name, one in found.items():
            now = version(vars_of(one), known.get(name)) if _is_module(one) else None
            if now is not None:
                known[name] = now
        self._rest = [name for name in found if name not in known]
        return found

    def note(self, looked_at: Iterable[str], found: Mapping[str, list[Any]]) -> list[Any]:
        """What was found in those that were looked at; all that is known by now."""
        for name in looked_at:
            self._found.pop(name, None)
        self._found.update(found)
        return [one for each in self._found.values() for one in each]

    def newcomers(self) -> dict[str, Any]:
        """The modules that were imported since."""
        if self._loaded is not None and self._loaded.is_of(sys.modules):
            return {}
        return {name: one for name, one in [*sys.modules.items()] if not self._knows(name, one)}

    def _knows(self, name: str, module: Any) -> bool:
        known = self._known.get(name)
        return known is not None and known.names is vars_of(module)

    def mark(self) -> None:
        """All that was found has been changed by now, by who is going to put it back."""
        self._marked = {n: self._now(n) for n in self._found if n in self._known}

    def unchanged(self) -> list[str]:
        """Of what was marked, what nobody has changed since."""
        return [name for name, one in self._marked.items() if one.changes.value == one.seen]

    def restored(self, names: Iterable[str]) -> None:
        """These were put back: they are as they were when they were looked at."""
        self._known.update((name, self._now(name)) for name in names)

    def _now(self, name: str) -> Version:
        before = self._known[name]
        return before._replace(seen=before.changes.value)


def _counts() -> bool:
    """Whether what lies there changes with each change, and only then."""
    names: dict[str, Any] = {"one": 1}
    if names.__sizeof__() < _AT + ctypes.sizeof(ctypes.c_uint64):
        return False
    count = ctypes.c_uint64.from_address(id(names) + _AT)
    seen = [count.value]
    for name, value in (("two", 2), ("two", 3), ("one", 2), ("one", None)):
        names[name] = value
        seen.append(count.value)
    del names["two"]
    seen.append(count.value)
    names.update(one=1)
    seen.append(count.value)
    rest = [(names.get("one"), "one" in names, [*names], count.value) for _ in range(3)]
    return len({*seen}) == len(seen) and {one[-1] for one in rest} == {seen[-1]}


_COUNTS = _counts()
_loaded: tuple[Version | None, Mapping[str, Any]] = (None, {})
