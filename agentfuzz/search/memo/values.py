"""Values as a memo keeps them: packed, so that nobody can change them, and told apart exactly.

Law: what an agent could tell apart is told apart, a tuple from a list and 1 from True; what is
taken out is a copy, but for offers, which nobody changes. Called by the tape and by the walker.
"""

import copy
import datetime
import marshal
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import PosixPath
from types import BuiltinFunctionType, SimpleNamespace
from typing import Any
from uuid import UUID

from agentfuzz.core.codec import message
from agentfuzz.providers.offer import Offer

VERSION = 2  # of marshal: without references, so that equal values are equal bytes
DEPTH = 40  # of values in values
_ATOMS = frozenset({type(None), bool, int, float, str, bytes})
_HOLDERS = frozenset({list, tuple, dict})
# Objects whose `repr` says all of them.
_TOLD = frozenset({datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
                   Decimal, UUID, PosixPath, complex})  # fmt: skip
_HEAP = 1 << 9  # of a class: it was made while Python runs
# What the classes of C code keep of an object beside its `__dict__`, whatever a class of Python's
# below them says: of those of which it can be told.
_WITHIN: dict[type, Callable[[Any], Any]] = {
    object: lambda value: None,
    SimpleNamespace: lambda value: None,
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: lambda value: bytes.__add__(value, b""),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: list(tuple.__iter__(value)),
    dict: lambda value: list(dict.items(value)),
    OrderedDict: lambda value: list(OrderedDict.items(value)),
    datetime.datetime: datetime.datetime.__repr__,
    Decimal: Decimal.__repr__,
}
_OFFER = tuple(field.name for field in fields(Offer))
_PYDANTIC = frozenset({"__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"})
Key = bytes | tuple[Any, ...]


class Uncopied(Exception):
    """This value cannot be kept."""


class Packed:
    """Arguments put away. `key` tells them from others."""

    __slots__ = ("_whole", "key")

    def __init__(self, given: tuple[Any, ...]) -> None:
        self.key = tuple(map(key_of, given))
        self._whole = [_kept(*one) for one in zip(self.key, given, strict=True)]

    def out(self) -> tuple[Any, ...]:
        """Fresh copies."""
        return tuple([_copied(*one) for one in zip(self.key, self._whole, strict=True)])


def _kept(key: Key, value: Any) -> Any:
    """What is kept of a value beside its key. Raises Uncopied."""
    if type(key) is bytes:
        return None
    if type(value) is Offer:
        return value
    try:
        return copy.deepcopy(value)
    except Exception as error:
        raise Uncopied(type(value).__name__) from error


def _copied(key: Key, kept: Any) -> Any:
    if type(key) is bytes:
        return marshal.loads(key)
    return kept if type(kept) is Offer else copy.deepcopy(kept)


def key_of(value: Any) -> Key:
    """What tells a value from others: itself, in bytes; of objects, their parts. Raises Uncopied
    for a value of which not all can be told."""
    if _bare(value, DEPTH):
        return marshal.dumps(value, VERSION)
    return _parts(value, DEPTH)


def _bare(value: Any, depth: int) -> bool:
    """Whether a value is exactly what marshal gives back. It takes any buffer for bytes."""
    kind = type(value)
    if kind in _ATOMS:
        return True
    if not depth or kind not in _HOLDERS:
        return False
    if kind is dict:
        if not _ATOMS.issuperset(map(type, value)):
            return False
        value = value.values()
    if _ATOMS.issuperset(map(type, value)):
        return True
    return all(type(one) in _ATOMS or _bare(one, depth - 1) for one in value)


def _parts(value: Any, depth: int) -> Key:
    kind = type(value)
    name = (kind.__module__, kind.__qualname__)
    if not depth:
        raise Uncopied(kind.__name__)
    if _bare(value, depth):
        return marshal.dumps(value, VERSION)
    if kind is Offer:
        return (*name, _parts([getattr(value, name) for name in _OFFER], depth - 1))
    if isinstance(value, Enum):
        return (*name, value.name)
    if kind in _TOLD:
        return (*name, repr(value))
    if kind in (list, tuple) or (isinstance(value, tuple) and hasattr(kind, "_fields")):
        return (*name, *(_parts(one, depth - 1) for one in value))
    if kind is dict:
        pairs = value.items()
        return (*name, *((_parts(k, depth - 1), _parts(one, depth - 1)) for k, one in pairs))
    if isinstance(value, BaseException):
        return (*name, key_of_error(value, depth - 1))
    base, slots = _layout(kind)  # type: ignore[arg-type]  # of any class
    if base not in _WITHIN:
        raise Uncopied(kind.__name__)
    within = _WITHIN[base](value)
    lies = getattr(value, "__dict__", None)
    if slots <= _PYDANTIC and (lies is not None or base is not object):
        if not lies and not slots:
            return (*name, _parts(within, depth - 1))
        more = [getattr(value, slot, None) for slot in sorted(slots & _PYDANTIC)]
        more = [sorted(one) if type(one) is set else one for one in more]
        return (*name, _parts([within, lies, *more], depth - 1))
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return (*name, _parts([within, named], depth - 1))
    raise Uncopied(kind.__name__)


@lru_cache(maxsize=1024)
def _layout(kind: type) -> tuple[type, frozenset[str]]:
    """The nearest class of C code above this one, and the slots of its objects."""
    slots = {slot for one in kind.__mro__ for slot in _slots(one)} - {"__dict__", "__weakref__"}
    return next(one for one in kind.__mro__ if not _is_python(one)), frozenset(slots)


def _is_python(kind: type) -> bool:
    made = vars(kind).get("__new__")
    return bool(kind.__flags__ & _HEAP) and not isinstance(made, BuiltinFunctionType)


def _slots(kind: type) -> tuple[str, ...]:
    given = vars(kind).get("__slots__", ())
    return (given,) if isinstance(given, str) else tuple(given)


def key_of_error(error: BaseException, depth: int = DEPTH) -> Key:
    """The same of an exception: its class, its words, what it carries, and what it came of.
    Raises Uncopied."""
    kind = type(error)
    carried = [_parts(error.args, depth), _parts(vars(error), depth)]
    for other in (error.__cause__, error.__context__):
        if other is not None:
            if not depth:
                raise Uncopied(kind.__name__)
            carried.append(key_of_error(other, depth - 1))
    return ("raised", kind.__module__, kind.__qualname__, message(error), *carried)


def fresh(error: BaseException) -> BaseException:
    """The same exception as nobody has raised it yet. Raises Uncopied."""
    try:
        if isinstance(error, BaseExceptionGroup):
            made: BaseException = error.derive([fresh(one) for one in error.exceptions])
        else:
            made = copy.copy(error)
        same = type(made) is type(error) and str(made) == str(error)
    except Exception as trouble:
        raise Uncopied(type(error).__name__) from trouble
    if not same or made is error:
        raise Uncopied(type(error).__name__)
    made.__traceback__ = made.__context__ = made.__cause__ = None
    return made


def last_words(error: BaseException) -> tuple[BaseException, Key]:
    """What is kept of the exception that ends a leg, and what tells it from others: all of it, or
    where that cannot be told its class and its words, of which a history is made. Raises
    Uncopied."""
    try:
        return fresh(error), key_of_error(error)
    except Uncopied:
        if isinstance(error, BaseExceptionGroup):
            raise
    kind = type(error)
    bare = kind.__new__(kind, *error.args)
    bare.__dict__.update({k: v for k, v in vars(error).items() if _bare(v, DEPTH)})
    if message(bare) != message(error):
        raise Uncopied(kind.__name__)
    return fresh(bare), ("raised", kind.__module__, kind.__qualname__, message(error))
