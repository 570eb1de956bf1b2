"""The tap: one function of an application as a tool of a world, for one run.

Law: the world decides about a call as about every other tool's, and its body is the function as it
was; parameters that are hidden pass by the world's side. What validates arguments is whatever did
so before: a tap takes what comes. Made by `World.tap`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from types import FunctionType
from typing import Any, NamedTuple, Protocol

from agentfuzz.core.errors import ScenarioError
from agentfuzz.runtime.detours import Detour
from agentfuzz.world.acting import BESIDE, LEG
from agentfuzz.world.tools import KEY, Anything

_NONE = object()
_OTHERS = "others"
_WITHIN: ContextVar[tuple["Tap", ...]] = ContextVar("agentfuzz_taps", default=())


class Way(Protocol):
    """What a tap needs of the world of a leg."""

    _local: Any  # its gateway

    @property
    def leg(self) -> int: ...

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any: ...

    async def acall(self, name: str, arguments: Mapping[str, Any]) -> Any: ...


class Says(NamedTuple):
    """What is said of a tapped function: its hidden parameters, the paths into them that name the
    intent (`self.name`), its own name for the key, and the parameter whose object it is of."""

    hide: frozenset[str]
    paths: tuple[str, ...] = ()
    key: str | None = None
    owner: str = ""

    def parameters(self, signature: inspect.Signature) -> list[inspect.Parameter]:
        """Those that the world is told of."""
        found = [one for name, one in signature.parameters.items() if name not in self.hide]
        named = [one.replace(name=KEY) if one.name == self.key else one for one in found]
        shown = [one.replace(annotation=Any, kind=one.KEYWORD_ONLY) for one in named]
        if self.owner:
            shown.append(inspect.Parameter(self.owner, inspect.Parameter.KEYWORD_ONLY))
        if self.paths:
            other = inspect.Parameter.VAR_KEYWORD
            shown.append(inspect.Parameter(_OTHERS, other, annotation=Anything))
        return shown


class Tap:
    """A function of this world, under a name. `body` is what the backend carries out."""

    def __init__(self, name: str, world: Way) -> None:
        self.name = name
        self._ways: dict[int, Way] = {}
        self._last = world
        self._beside: Mapping[str, Any] = {}  # of the last call
        self._objects: list[object] = []
        self.follows(world)

    def of(self, detour: Detour, says: Says) -> Callable[..., Any]:
        """Its body."""
        self._detour = detour
        self._says = says
        parameters = detour.signature.parameters
        self._defaults = {
            name: one.default for name, one in parameters.items() if one.default is not one.empty
        }
        self._variadic = {
            name
            for name, one in parameters.items()
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        }
        return _body(self, detour, says)

    def follows(self, world: Way) -> None:
        """Another leg of the run begins, in this world."""
        self._ways[world.leg] = self._last = world

    def called(self, given: Mapping[str, Any]) -> Any:
        """The application calls its function."""
        if self in _WITHIN.get():
            return self._detour.carry_out(given)
        with self.within(), self._beside_it(given):
            return self._way().call(self.name, self._shown(given))

    async def awaited(self, given: Mapping[str, Any]) -> Any:
        """The same of a coroutine function."""
        if self in _WITHIN.get():
            return await self._detour.carry_out(given)
        with self.within(), self._beside_it(given):
            return await self._way().acall(self.name, self._shown(given))

    def _way(self) -> Way:
        return self._ways.get(LEG.get(), self._last)

    def _said(self, given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The parameters of a call that somebody has given."""
        for name, value in given.items():
            default = self._defaults.get(name, _NONE)
            if value is not default and not (name in self._variadic and not value):
                yield name, value

    def _shown(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the world is told of a call: what was said and is not hidden, what of the hidden
        names the intent, and which object it is of."""
        says = self._says
        shown = {name: value for name, value in self._said(given) if name not in says.hide}
        if says.key and says.key in shown:
            shown[KEY] = shown.pop(says.key)
        for path in says.paths:
            root, *words = path.split(".")
            shown[path] = reduce(getattr, words, given[root])
        if says.owner:
            shown[says.owner] = self._numbered(given[says.owner])
        return shown

    def _numbered(self, owner: object) -> str:
        """An object as the run knows it: `Till 2` is the second one of whom something was asked."""
        at = next((n for n, one in enumerate(self._objects, 1) if one is owner), 0)
        if not at:
            self._objects.append(owner)
            at = len(self._objects)
        kind = owner if isinstance(owner, type) else type(owner)
        return f"{kind.__name__} {at}"

    @contextmanager
    def _beside_it(self, given: Mapping[str, Any]) -> Iterator[None]:
        """What is hidden of a call passes by the world's side, however late its body runs."""
        kept = {name: value for name, value in self._said(given) if name in self._says.hide}
        if kept and self._last._local.moved:
            raise ScenarioError(
                f"{self.name}: {', '.join(kept)} passes by the world's side, and the agent runs "
                "in a process of its own (agentfuzz.in_child), which hands over plain arguments."
            )
        self._beside = kept
        token = BESIDE.set((self, kept))
        try:
            yield
        finally:
            BESIDE.reset(token)

    def whole(self, shown: Mapping[str, Any]) -> dict[str, Any]:
        """The same call again as the function takes it."""
        says, beside = self._says, BESIDE.get()
        kept = self._beside  # of a call that nobody made, a probe's
        if isinstance(beside, tuple) and beside[0] is self:
            kept = beside[1]
        told = {says.key if name == KEY and says.key else name: v for name, v in shown.items()}
        known = {n: v for n, v in told.items() if n in self._detour.signature.parameters}
        return {**self._defaults, **known, **kept}

    @contextmanager
    def within(self) -> Iterator[None]:
        """The function as it was is carried out: when it calls itself, that is its own affair."""
        token = _WITHIN.set((*_WITHIN.get(), self))
        try:
            yield
        finally:
            _WITHIN.reset(token)


def _body(tap: Tap, detour: Detour, says: Says) -> Callable[..., Any]:
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
    made.__name__, made.__doc__ = tap.name, own.__doc__
    made.__signature__ = inspect.Signature(says.parameters(detour.signature))
    made.__annotations__ = {
        one.name: Any for one in made.__signature__.parameters.values() if one.name != _OTHERS
    }
    found: Callable[..., Any] = made
    return found


def unwrapped(function: Any) -> FunctionType | None:
    """The Python function that is called in the end; None where there is none."""
    found = inspect.unwrap(function) if callable(function) else None
    found = getattr(found, "__func__", found)
    return found if isinstance(found, FunctionType) else None
