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
from inspect import unwrap
from threading import Lock, RLock
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.runtime.user_code import is_users
from agentfuzz.world.world import World

MOST = 2_000  # functions that are read
Place = tuple[int, str]
Look = Callable[[], Any]
# What holds nothing that a tool could tell an agent, or what never changes.
_NOTHING = (logging.Logger, re.Pattern, ContextVar, type(Lock()), type(RLock()), Completion, World)
_UNBOUND = CellType()
_UNCHANGED = frozenset({str, bytes, bool, int, float, type(None)})


class Shared:
    """What two functions both name: `looks` give it as it is now."""

    def __init__(self, agent: object, build: object) -> None:
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
    coming, known = [begin], set[int]()
    while coming and len(known) < MOST:
        one = coming.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        with suppress(ValueError):  # a circle of wrappers
            for place, look in _named(one):
                value = look()
                kind = type(value)  # a proxy may stand for nothing now, and say so when asked
                if callable(value) or issubclass(kind, ModuleType | staticmethod | classmethod):
                    coming.append(value)
                elif not issubclass(kind, _NOTHING):
                    yield place, look, value


def _named(one: Any) -> Iterator[tuple[Place, Look]]:
    """What a function, or a class, of a user's names."""
    if isinstance(one, FunctionType) and hasattr(one, "__wrapped__"):
        yield from _fixtures(one)
    if isinstance(one, partial):
        one = one.func
    one = unwrap(one) if callable(one) else getattr(one, "__func__", one)
    if isinstance(one, MethodType):
        one = one.__func__
    if isinstance(one, type):
        yield from _of_class(one)
    elif isinstance(one, FunctionType):
        if is_users(one.__code__.co_filename):
            yield from _of_function(one)
    elif callable(one):
        yield from _of_class(type(one))


def _fixtures(test: FunctionType) -> Iterator[tuple[Place, Look]]:
    """What a test is called with beside its world."""
    for cell in test.__closure__ or ():
        given = None if cell == _UNBOUND else cell.cell_contents
        if type(given) is dict:
            for name in given:
                yield (id(given), str(name)), partial(given.__getitem__, name)


def _of_class(kind: type) -> Iterator[tuple[Place, Look]]:
    functions = [one for one in vars(kind).values() if isinstance(one, FunctionType)]
    if any(is_users(one.__code__.co_filename) for one in functions):
        for name in vars(kind):
            if not name.startswith("__") or name == "__call__" or name == "__init__":
                yield (id(kind), name), partial(vars(kind).__getitem__, name)


def _of_function(function: FunctionType) -> Iterator[tuple[Place, Look]]:
    for cell in function.__closure__ or ():
        if cell != _UNBOUND:
            yield (id(cell), ""), partial(getattr, cell, "cell_contents")
    for given in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        if type(given) not in _UNCHANGED:
            yield (id(given), ""), partial(_same, given)
    there = function.__globals__
    names = set(_names(function.__code__))
    for name in sorted(names & there.keys()):
        yield (id(there), name), partial(there.__getitem__, name)
        module = there[name]
        if issubclass(type(module), ModuleType) and is_users(
            getattr(module, "__file__", None) or "<"
        ):
            for inner in sorted(names & vars(module).keys()):
                yield (id(vars(module)), inner), partial(vars(module).__getitem__, inner)


def _same(value: Any) -> Any:
    return value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _names(one)
