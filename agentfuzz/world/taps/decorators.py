"""The functions that an application hands to its framework as tools, noted as it does.

Law: the framework's own decorator runs as ever, and gives what it gives; which function it was
handed is all that is kept. Called by users around the import of their application.

    with agentfuzz.taps("openai_agents", "shop.framework:register") as tools:
        import shop.agents
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from itertools import chain, count
from types import FunctionType
from typing import Any

from agentfuzz.core.errors import ScenarioError, near_miss
from agentfuzz.runtime.versions import vars_of

# Where each framework takes functions: `module:name`, or `module:Class.method`.
FRAMEWORKS: Mapping[str, tuple[str, ...]] = {
    "agno": ("agno.tools:tool", "agno.tools.function:Function.from_callable"),
    "anthropic": ("anthropic:beta_tool", "anthropic:beta_async_tool"),
    "autogen": ("autogen_core.tools:FunctionTool.__init__",),
    "crewai": ("crewai.tools:tool",),
    "google_adk": ("google.adk.tools:FunctionTool.__init__",),
    "langchain": (
        "langchain_core.tools:tool",
        "langchain_core.tools:StructuredTool.from_function",
    ),
    "llama_index": ("llama_index.core.tools:FunctionTool.from_defaults",),
    "llm": ("llm:Tool.function",),
    "mcp": ("mcp.server.fastmcp:FastMCP.add_tool", "mcp.server.mcpserver:MCPServer.add_tool"),
    "openai_agents": ("agents:function_tool",),
    "pydantic_ai": ("pydantic_ai.tools:Tool.__init__",),
    "smolagents": ("smolagents:tool",),
    "strands": ("strands:tool",),
}
ALIASES = {"langgraph": "langchain"}
# Packages whose own functions are no tools of an application that uses them.
_THEIR_OWN = frozenset(
    place.partition(":")[0].partition(".")[0] for places in FRAMEWORKS.values() for place in places
) | {"langchain", "langgraph"}


def is_theirs(function: FunctionType) -> bool:
    """Whether a function is a framework's own."""
    return (function.__module__ or "").partition(".")[0] in _THEIR_OWN


def alike(one: FunctionType, other: FunctionType) -> bool:
    """Whether both were made by the same `def`."""
    return _made_by(one) == _made_by(other)


def _made_by(function: FunctionType) -> tuple[object, ...]:
    """Its `def`, also while its calls are led elsewhere."""
    code = function.__code__
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return (function.__module__, function.__qualname__, code.co_firstlineno, parameters)


class Taps(Mapping[str, Any]):
    """The functions that were noted, by their names."""

    def __init__(self) -> None:
        self._found: dict[str, FunctionType] = {}

    def note(self, function: FunctionType) -> None:
        """A framework was handed this one."""
        if not is_theirs(function):
            self.keep(function)

    def keep(self, function: FunctionType) -> None:
        """This one is a tool, whoever it is of."""
        name = function.__name__
        names = chain((name, f"{function.__module__}.{name}"), (f"{name}_{n}" for n in count(2)))
        free = next(one for one in names if alike(self._found.get(one, function), function))
        self._found[free] = function

    def tap(self, world: Any, /, **declared: Mapping[str, Any]) -> None:
        """Tap every one of them: `tools.tap(world, book={"effect": "booking"})`. What a tool is not
        named here for, it does not do: it reads. The words are those of `World.tap`."""
        for name in declared:
            if name not in self._found:
                raise ScenarioError(
                    f"taps: no tool {name!r} was noted; there is {', '.join(self) or 'none'}."
                    f"{near_miss(name, self._found)}"
                )
        for name, function in self._found.items():
            world.tap(function, **{"name": name, **declared.get(name, {})})

    def __getitem__(self, name: str) -> FunctionType:
        try:
            return self._found[name]
        except KeyError:
            raise KeyError(
                f"no tool {name!r} was noted; there is {', '.join(self) or 'none'}."
                f"{near_miss(name, self._found)}"
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@contextmanager
def taps(*places: str) -> Iterator[Taps]:
    """Note the functions that are handed to these decorators, or constructors, within.

    A place is `"module:name"` or `"module:Class.method"`, or a framework's name for all of its own
    (`"openai_agents"`, `"langchain"`, `"pydantic_ai"`, ...). Raises ScenarioError for a place that
    there is not.
    """
    if not places:
        raise ScenarioError(
            f"taps() needs a place: 'module:decorator', or one of {', '.join(FRAMEWORKS)}."
        )
    found = Taps()
    with noting(found, *places):
        yield found


def imported() -> list[str]:
    """The frameworks that this process has imported."""
    return [
        name
        for name, places in FRAMEWORKS.items()
        if any(place.partition(":")[0] in sys.modules for place in places)
    ]


@contextmanager
def noting(found: Taps, *places: str) -> Iterator[None]:
    """The same, noted there."""
    undo = list[tuple[Any, str, Any]]()
    try:
        for place in places:
            undo += _noting(place, found) if ":" in place else _all_of(place, found)
        yield
    finally:
        for owner, name, own in reversed(undo):
            setattr(owner, name, own)


def _all_of(framework: str, found: Taps) -> list[tuple[Any, str, Any]]:
    """The same in each place that this release of a framework has."""
    framework = ALIASES.get(framework, framework)
    if framework not in FRAMEWORKS:
        raise ScenarioError(
            f"taps({framework!r}): say 'module:decorator', or one of {', '.join(FRAMEWORKS)}."
            f"{near_miss(framework, FRAMEWORKS)}"
        )
    undo, missing = list[tuple[Any, str, Any]](), list[str]()
    for place in FRAMEWORKS[framework]:
        try:
            undo += _noting(place, found)
        except ScenarioError as error:
            missing.append(str(error))
    if not undo:
        raise ScenarioError(" ".join(missing))
    return undo


def _noting(place: str, found: Taps) -> list[tuple[Any, str, Any]]:
    """Put something that notes in this place, under each name that it has by now. What is to be
    put back."""
    module, _, path = place.partition(":")
    *outer, name = path.split(".")
    try:
        owner: Any = import_module(module)
        for word in outer:
            owner = getattr(owner, word)
        own = vars(owner)[name] if outer else getattr(owner, name)
    except (ImportError, AttributeError, KeyError) as error:
        raise ScenarioError(f"taps({place!r}): {type(error).__name__}: {error}.") from error
    if isinstance(own, (staticmethod, classmethod)):
        noting: Any = type(own)(_wrapped(own.__func__, found))
    else:
        noting = _wrapped(own, found)
    holders = [(owner, name)] if outer else list(_holders(own))
    for holder, as_name in holders:
        setattr(holder, as_name, noting)
    return [(holder, as_name, own) for holder, as_name in holders]


def _holders(own: Any) -> Iterator[tuple[Any, str]]:
    """Where a function is known by now: a package shows what a module of it defines."""
    for module in list(sys.modules.values()):
        names = vars_of(module) or {}
        if [value for value in list(names.values()) if value is own]:
            yield from [(module, name) for name, value in list(names.items()) if value is own]


def _wrapped(own: Callable[..., Any], found: Taps) -> Callable[..., Any]:
    """The same decorator, or constructor; whatever function it gets, or the decorator that it
    returns, is noted."""

    @wraps(own)
    def noting(*args: Any, **kwargs: Any) -> Any:
        given = [one for one in (*args, *kwargs.values()) if isinstance(one, FunctionType)]
        for function in given[:1]:
            found.note(function)
        made = own(*args, **kwargs)
        return made if given or not isinstance(made, FunctionType) else _wrapped(made, found)

    return noting
