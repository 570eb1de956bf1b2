"""Shared: what the code of an agent and that of its scenario both name: globals, what functions
close over, attributes of a class, fixtures.

Law: a tool's body may change it and the agent look at it, so it is part of all that the agent sees.
What they reach by other ways (a file) is not found here; the audit is there for that.
Found once by whoever tapes an agent, and looked at by its sight.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from threading import Lock, RLock
from types import (
    CellType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.runtime.user_code import is_users
from agentfuzz.runtime.versions import vars_of
from agentfuzz.world.world import World

MOST = 2_000  # functions that are read
Place = tuple[int, str]
Look = Callable[[], Any]
# What holds nothing that a tool could tell an agent, or what never changes.
_NOTHING = (
    ModuleType,
    MemberDescriptorType,
    GetSetDescriptorType,
    logging.Logger,
    re.Pattern,
    ContextVar,
    type(Lock()),
    type(RLock()),
    Completion,
    World,
)
_UNBOUND = CellType()
_UNCHANGED = frozenset({str, bytes, bool, int, float, type(None)})


class Shared:
    """What two functions both name: `looks` give it as it is now; it is `large` if it was once, and
    is looked at no more."""

    def __init__(self, agent: object, build: object) -> None:
        self.large = False
        tools = [*_places(build)]
        places = {place for place, _, _ in tools}
        values = {id(value) for _, _, value in tools if type(value) not in _UNCHANGED}
        looks = {
            place: look
            for place, look, value in _places(agent)
            if place in places or id(value) in values
        }
        self.looks = [*looks.values()]


def _places(begin: object) -> Iterator[tuple[Place, Look, Any]]:
    """Where the functions of users that this one comes to find what is no function, and that."""
    coming, known = [begin], dict[int, Any]()
    while coming and len(known) < MOST:
        one = coming.pop()
        if id(one) in known:
            continue
        known[id(one)] = one
        for place, look in _named(one):
            value = look()
            kind = type(value)  # a proxy may stand for nothing now, and say so when asked
            if issubclass(kind, property):
                coming += filter(None, (value.fget, value.fset, value.fdel))
            elif callable(value) or issubclass(kind, staticmethod | classmethod):
                coming.append(value)
            elif not issubclass(kind, _NOTHING):
                yield place, look, value


def _named(one: Any) -> Iterator[tuple[Place, Look]]:
    """What a function, or a class, of a user's names."""
    kind = type(one)
    if kind is FunctionType:
        yield from _of_function(one)
        if hasattr(one, "__wrapped__"):
            yield from _fixtures(one)
            yield _place(one.__wrapped__)
    elif issubclass(kind, staticmethod | classmethod):
        yield _place(one.__func__)
    elif issubclass(kind, partial):
        yield from map(_place, (one.func, *one.args, *one.keywords.values()))
    elif kind is MethodType:
        yield _place(one.__func__)
        yield from _of_object(one.__self__)
    else:
        yield from _of_object(one)
        with suppress(Exception):  # an object may answer whatever it is asked, or raise
            yield _place(one.__wrapped__)


def _fixtures(test: FunctionType) -> Iterator[tuple[Place, Look]]:
    """What a test is called with beside its world."""
    for cell in test.__closure__ or ():
        given = None if cell == _UNBOUND else cell.cell_contents
        if type(given) is dict:
            for name in given:
                yield (id(given), str(name)), partial(given.__getitem__, name)


def _of_object(one: Any) -> Iterator[tuple[Place, Look]]:
    """What an object of a user's class has, and its class."""
    if issubclass(type(one), type):
        yield from _of_class(one)
        return
    found = [*_of_class(type(one))]
    lies = _lies(one) if found else {}
    yield from found
    yield from (((id(lies), name), partial(lies.__getitem__, name)) for name in [*lies])


def _lies(one: Any) -> dict[str, Any]:
    """What lies in an object, or a module, which is not asked: it may be imported only then."""
    lies = vars_of(one)
    return lies if type(lies) is dict else {}


def _of_class(kind: type) -> Iterator[tuple[Place, Look]]:
    for base in kind.__mro__:
        functions = [one for one in vars(base).values() if type(one) is FunctionType]
        if any(is_users(one.__code__.co_filename) for one in functions):
            for name in [*vars(base)]:
                if not name.startswith("__") or name == "__call__" or name == "__init__":
                    yield (id(base), name), partial(vars(base).__getitem__, name)


def _of_function(function: FunctionType) -> Iterator[tuple[Place, Look]]:
    if not is_users(function.__code__.co_filename):
        return
    for cell in function.__closure__ or ():
        if cell != _UNBOUND:
            yield (id(cell), ""), partial(getattr, cell, "cell_contents")
    for given in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        if type(given) not in _UNCHANGED:
            yield _place(given)
    there = function.__globals__
    names = set(_names(function.__code__))
    for name in sorted(names & there.keys()):
        yield (id(there), name), partial(there.__getitem__, name)
        if issubclass(type(there[name]), ModuleType):
            lies = _lies(there[name])
            if is_users(str(lies.get("__file__") or "<")):
                for inner in sorted(names & lies.keys()):
                    yield (id(lies), inner), partial(lies.__getitem__, inner)


def _place(value: Any) -> tuple[Place, Look]:
    return (id(value), ""), partial(_same, value)


def _same(value: Any) -> Any:
    return value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _names(one)
