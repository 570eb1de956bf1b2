"""An image of values: equal texts for equal states, to see whether a call has changed anything.

Law: looking changes nothing, and costs no more than a bounded number of values; what lies beyond,
in a file or at the other end of a connection, is not seen. Called by the probe of a body.

Seen are containers, the attributes of objects, and of a function what it closes over, the names of
its module that it uses, and its defaults; of a class of the user's, its own plain attributes.
"""

import inspect
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from agentfuzz.core.codec import described
from agentfuzz.runtime.user_code import is_own, is_users
from agentfuzz.world.world import World

MAX_NODES = 20_000
_PLAIN = (str, int, float, bool, bytes, type(None))


def image(value: object) -> str:
    """The image of a value."""
    return _Image().of(value)


def image_of_body(function: Any) -> str:
    """The image of all that a tool's body may change, as far as it can be seen from here."""
    return _Image().function(inspect.unwrap(function))


class _Image:
    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._kept: list[object] = []  # so that no id is used twice
        self._left = MAX_NODES

    def of(self, value: object) -> str:
        self._left -= 1
        if isinstance(value, _PLAIN):
            return f"{type(value).__name__} {value!r}"
        if self._left < 0 or id(value) in self._seen:
            return "..."
        self._seen.add(id(value))
        self._kept.append(value)
        if isinstance(value, Mapping):
            return self._pairs(value.items())
        if isinstance(value, (list, tuple, deque)):
            return f"[{', '.join(map(self.of, value))}]"
        if isinstance(value, (set, frozenset)):
            return f"{{{', '.join(sorted(map(self.of, value)))}}}"
        return self._object(value)

    def _object(self, value: object) -> str:
        if isinstance(value, ModuleType):
            return "a module"
        if isinstance(value, (FunctionType, MethodType, partial)):
            return self.function(value)
        if isinstance(value, type):
            return self._own(value)
        if isinstance(value, World):
            return self.of(value.state)
        if is_own(_file(type(value))):
            return type(value).__qualname__  # the harness is no state of a tool
        names = vars(value) if hasattr(value, "__dict__") else {}
        slots = {
            name: getattr(value, name)
            for kind in type(value).__mro__
            for name in _slots(kind)
            if hasattr(value, name)
        }
        if not (names or slots):
            return described(value)
        return f"{self.of(type(value))} {self._pairs({**names, **slots}.items())}"

    def _own(self, kind: type) -> str:
        """A class, and what it keeps itself."""
        own = {
            key: item
            for base in reversed(kind.__mro__)
            if is_users(_file(base))
            for key, item in vars(base).items()
            if not key.startswith("__") and isinstance(item, (*_PLAIN, dict, list, set, deque))
        }
        return f"{kind.__qualname__} {self._pairs(own.items())}"

    def function(self, value: Any) -> str:
        """What a function may change; of a method its object, of a partial its parts too."""
        if isinstance(value, partial):
            return f"{self.of(value.func)} {self.of(value.args)} {self.of(value.keywords)}"
        if isinstance(value, MethodType):
            return f"{self.of(value.__self__)} {self.function(value.__func__)}"
        if not isinstance(value, FunctionType):
            return self._object(value)
        if not is_users(value.__code__.co_filename):
            return value.__qualname__
        used = [(name, value.__globals__.get(name)) for name in sorted(_names(value.__code__))]
        closed = zip(
            value.__code__.co_freevars, map(_content, value.__closure__ or ()), strict=True
        )
        return self._pairs([*used, *closed, ("defaults", value.__defaults__)])

    def _pairs(self, pairs: Iterable[tuple[object, object]]) -> str:
        return f"{{{', '.join(f'{self.of(a)}: {self.of(b)}' for a, b in list(pairs))}}}"


def _names(code: CodeType) -> set[str]:
    """The names that a function and those inside of it look up in their module."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def _slots(kind: type) -> tuple[str, ...]:
    given = vars(kind).get("__slots__", ())
    return (given,) if isinstance(given, str) else tuple(given)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # nothing is in it yet
        return None


def _file(kind: type) -> str:
    """Where a class is defined, as far as it says."""
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or "<"
