"""Detours: functions whose calls are led elsewhere, whoever holds the function, and since when.

Law: the function stays the object that it was, with its signature, defaults and attributes; while
its detour is open its code is that of a stub, and when the run is over it has its own again. Opened
by taps, closed with the isolation of a run.

The code is exchanged, not the name: an application, or a framework that it was handed to long
before, holds the function itself.
"""

import inspect
from collections.abc import Mapping
from itertools import count
from types import CodeType, FunctionType
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

_GENERATES = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


class Led(Protocol):
    """Where the calls of a function go."""

    def called(self, given: Mapping[str, Any]) -> Any:
        """A call, by the names of its parameters."""
        ...

    async def awaited(self, given: Mapping[str, Any]) -> Any:
        """The same of a coroutine function."""
        ...


class Detour:
    """The detour of one function: made once, opened and closed as often as there are runs. `own` is
    the function as it was, for whoever carries it out."""

    def __init__(self, function: FunctionType, number: int) -> None:
        self.number = number
        self.is_async = inspect.iscoroutinefunction(function)
        self.own = _twin(function)
        self.signature = inspect.signature(self.own)  # of its code, whatever it says of itself
        self._code = function.__code__
        self._stub = _stub(self._code, self.signature, self.is_async, number)

    def fits(self, function: FunctionType) -> bool:
        """Whether the function is still what it was when this was made."""
        own = self.own
        return (function.__code__, function.__defaults__, function.__kwdefaults__) == (
            *(self._code, own.__defaults__, own.__kwdefaults__),
        )

    def open(self, function: FunctionType, led: Led) -> None:
        """Lead the calls of the function elsewhere."""
        _OPEN[self.number] = (function, led)
        function.__code__ = self._stub

    def close(self, function: FunctionType) -> None:
        """Give it its own code back."""
        function.__code__ = self._code

    def arguments(self, given: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """These values of its parameters, as the function is called with them."""
        args: list[Any] = []
        named: dict[str, Any] = {}
        rest = any(one.kind is one.VAR_POSITIONAL for one in self.signature.parameters.values())
        for name, one in self.signature.parameters.items():
            if name not in given:
                continue
            if one.kind is one.VAR_POSITIONAL:
                args.extend(given[name])
            elif one.kind is one.VAR_KEYWORD:
                named.update(given[name])
            elif one.kind is one.POSITIONAL_ONLY or (rest and one.kind is not one.KEYWORD_ONLY):
                args.append(given[name])
            else:
                named[name] = given[name]
        return args, named

    def carry_out(self, given: Mapping[str, Any]) -> Any:
        """Call the function as it was."""
        args, named = self.arguments(given)
        return self.own(*args, **named)


_MADE: WeakKeyDictionary[FunctionType, Detour] = WeakKeyDictionary()
_NUMBERED: WeakValueDictionary[int, Detour] = WeakValueDictionary()
_NUMBERS = count(1)
_OPEN: dict[int, tuple[FunctionType, Led]] = {}


def generates(function: FunctionType) -> bool:
    """Whether calls of it have more than one answer: then it can have no detour."""
    return bool(function.__code__.co_flags & _GENERATES)


def of(function: FunctionType) -> Detour:
    """The detour of a function, which is not open yet. Raises ValueError where one is."""
    detour = _MADE.get(function)
    if detour is not None and detour.number in _OPEN:
        raise ValueError("its calls are led elsewhere already")
    if detour is None or not detour.fits(function):
        detour = _MADE[function] = Detour(function, next(_NUMBERS))
        _NUMBERED[detour.number] = detour
    return detour


def close() -> None:
    """Every function has its own code again."""
    while _OPEN:
        number, (function, _) = _OPEN.popitem()
        _NUMBERED[number].close(function)


def through(number: int, given: Mapping[str, Any]) -> Any:
    """A function with a detour is called."""
    found = _OPEN.get(number)
    return _NUMBERED[number].carry_out(given) if found is None else found[1].called(given)


async def athrough(number: int, given: Mapping[str, Any]) -> Any:
    """A coroutine function with a detour is awaited."""
    found = _OPEN.get(number)
    if found is None:
        return await _NUMBERED[number].carry_out(given)
    return await found[1].awaited(given)


def _twin(function: FunctionType) -> FunctionType:
    """The function as it is now, under another identity."""
    twin = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    twin.__qualname__ = function.__qualname__
    return twin


def _stub(code: CodeType, signature: inspect.Signature, is_async: bool, number: int) -> CodeType:
    """Code with the parameters of this one, and as many free variables, that goes through."""
    bare = [
        one.replace(annotation=one.empty, default=one.empty)
        for one in signature.parameters.values()
    ]
    parameters = str(signature.replace(parameters=bare, return_annotation=signature.empty))
    given = ", ".join(f"{name!r}: {name}" for name in signature.parameters)
    outside = ", ".join(code.co_freevars)
    way = "athrough" if is_async else "through"
    text = [
        f"def _outside({outside}):",
        f"    {'async ' if is_async else ''}def _stub{parameters}:",
        f"        from {__name__} import {way} as _agentfuzz_way",
        f"        return {'await ' if is_async else ''}_agentfuzz_way({number}, {{{given}}})",
        f"        ({outside},)" if outside else "",
        "    return _stub",
    ]
    room: dict[str, Any] = {}
    exec(compile("\n".join(text), "<detour>", "exec"), room)
    stub: CodeType = room["_outside"](*code.co_freevars).__code__
    return stub.replace(
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
    )
