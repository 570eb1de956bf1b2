"""The tap: one function of an application as a tool of a world, for one run.

Law: the world decides about a call as about every other tool's, and its body is the function as it
was; parameters that are hidden pass by the world's side. What validates arguments is whatever did
so before: a tap takes what comes. Made by `World.tap`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import FunctionType
from typing import Any, Protocol

from agentfuzz.core.codec import dump, snapshot
from agentfuzz.core.errors import ScenarioError
from agentfuzz.runtime.detours import Detour
from agentfuzz.world.acting import LEG

_NONE = object()
_WITHIN: ContextVar[tuple["Tap", ...]] = ContextVar("agentfuzz_taps", default=())


class Way(Protocol):
    """What a tap needs of the world of a leg."""

    _local: Any  # its gateway

    @property
    def leg(self) -> int: ...

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any: ...

    async def acall(self, name: str, arguments: Mapping[str, Any]) -> Any: ...


class Tap:
    """A function of this world, under a name. `body` is what the backend carries out."""

    def __init__(self, name: str, world: Way) -> None:
        self.name = name
        self._ways: dict[int, Way] = {}
        self._last = world
        self._hidden: dict[bytes, Mapping[str, Any]] = {}
        self.follows(world)

    def of(self, detour: Detour, hide: frozenset[str]) -> Callable[..., Any]:
        """Its body."""
        self._detour = detour
        self._hide = hide
        parameters = detour.signature.parameters
        self._defaults = {
            name: one.default for name, one in parameters.items() if one.default is not one.empty
        }
        self._variadic = {
            name
            for name, one in parameters.items()
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        }
        return _body(self, detour, hide)

    def follows(self, world: Way) -> None:
        """Another leg of the run begins, in this world."""
        self._ways[world.leg] = self._last = world

    def called(self, given: Mapping[str, Any]) -> Any:
        """The application calls its function."""
        if self in _WITHIN.get():
            return self._detour.carry_out(given)
        return self._way().call(self.name, self._shown(given))

    async def awaited(self, given: Mapping[str, Any]) -> Any:
        """The same of a coroutine function."""
        if self in _WITHIN.get():
            return await self._detour.carry_out(given)
        return await self._way().acall(self.name, self._shown(given))

    def _way(self) -> Way:
        return self._ways.get(LEG.get(), self._last)

    def _shown(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the world is told of a call: what was said, and is not hidden."""
        shown: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        for name, value in given.items():
            default = self._defaults.get(name, _NONE)
            if value is not default and not (name in self._variadic and not value):
                (kept if name in self._hide else shown)[name] = value
        if kept and self._last._local.moved:
            raise ScenarioError(
                f"{self.name}: {', '.join(kept)} passes by the world's side, and the agent runs "
                "in a process of its own (agentfuzz.in_child), which hands over plain arguments."
            )
        self._hidden[_mark(shown)] = kept
        return shown

    def whole(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The same call again as the function takes it."""
        kept = self._hidden.get(_mark(shown))
        if kept is None and self._hidden:  # a call that nobody made: a probe's
            kept = next(reversed(self._hidden.values()))
        return {**self._defaults, **shown, **(kept or {})}

    @contextmanager
    def within(self) -> Iterator[None]:
        """The function as it was is carried out: when it calls itself, that is its own affair."""
        token = _WITHIN.set((*_WITHIN.get(), self))
        try:
            yield
        finally:
            _WITHIN.reset(token)


def _mark(shown: Mapping[str, Any]) -> bytes:
    """What a call is known by."""
    return dump(snapshot(shown)).encode()


def _body(tap: Tap, detour: Detour, hide: frozenset[str]) -> Callable[..., Any]:
    own = detour.own  # in the closure of the body, where a probe looks for what it changes

    def body(**shown: Any) -> Any:
        args, named = detour.arguments(tap.whole(shown))
        with tap.within():
            return own(*args, **named)

    async def abody(**shown: Any) -> Any:
        args, named = detour.arguments(tap.whole(shown))
        with tap.within():
            return await own(*args, **named)

    made: Any = abody if detour.is_async else body
    code = own.__code__
    made.__code__ = made.__code__.replace(
        co_name=f"{own.__module__}.{own.__qualname__}",  # a declaration is kept by its code
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
    )
    shown = [one for name, one in detour.signature.parameters.items() if name not in hide]
    made.__name__, made.__doc__ = tap.name, own.__doc__
    made.__annotations__ = {one.name: Any for one in shown}
    made.__signature__ = inspect.Signature(
        [one.replace(annotation=Any, kind=one.KEYWORD_ONLY) for one in shown]
    )
    found: Callable[..., Any] = made
    return found


def unwrapped(function: Any) -> FunctionType | None:
    """The Python function that is called in the end; None where there is none."""
    found = inspect.unwrap(function) if callable(function) else None
    found = getattr(found, "__func__", found)
    return found if isinstance(found, FunctionType) else None
