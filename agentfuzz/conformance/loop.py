"""The loop under trial: what `module:callable`, or the name of an adapter, is read as.

Law: a loop is a function `run(task, tools, model)` or, as every agent here, of a world; sync or
async; or what a framework does by default, behind its usual entrypoint or another one. What cannot
be one is an error that names the place and the cure, before anything runs. Called by the plugin, by
`tools/` and by whoever tries a loop.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from agentfuzz.adapters.contract import agent as agent_of
from agentfuzz.adapters.contract import entrypoint_of, found, names
from agentfuzz.core.codec import described, message
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError, near_miss
from agentfuzz.core.escaping import visible
from agentfuzz.core.locations import relative
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent
from agentfuzz.runtime.user_code import is_users
from agentfuzz.world.world import World

SHAPE = "run(task, tools, model)"
_NAMES = ("task", "tools", "model")
_FIELDS = frozenset(Completion.model_fields)


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop by the name under which it was asked for. `alone`: it gets a task, tools and a model,
    and so can ask no person for an approval; unless `asking` makes it a loop that does, before it
    calls the tools of these names."""

    name: str
    agent: Agent
    alone: bool = True
    asking: Callable[[Sequence[str]], Agent] | None = None

    @property
    def awaits(self) -> bool:
        """Whether it can use a tool that is async."""
        return inspect.iscoroutinefunction(_inner(self.agent))


def loop(name: str, folder: Path) -> Loop:
    """The loop that `module:callable` names, the module looked for in a folder first, or that is
    the default one of an adapter's framework. Raises AgentfuzzError."""
    module, colon, attribute = name.partition(":")
    if module.endswith(".py") or "/" in module:
        stem = Path(module).stem
        raise AgentfuzzError(
            f"{_shown(name)} names a file: say {_shown(stem)}:{attribute or 'run'}."
        )
    if module and not colon:
        return _framework(name, module)
    if not (module and attribute):
        raise AgentfuzzError(
            f"cannot read {_named(name)}: say module:callable, as in mine:run, "
            f"or the name of an adapter: {', '.join(names()) or 'there is none'}."
        )
    if module in names() and not _there(module, folder):
        return _framework(name, module, attribute)
    made: Any = _imported(module, folder)
    where = module
    for part in attribute.split("."):
        made = _attribute(made, part, module, where)
        where += f"{':' if where == module else '.'}{part}"
    return of(name, made)


def _framework(name: str, adapted: str, entrypoint: str = "") -> Loop:
    """The default loop of a framework: its usual entrypoint, or this one, each call under its id as
    key. Where calls can wait for a person, it is set up so in a story that is about that."""
    if adapted not in names():
        raise AgentfuzzError(
            f"there is no adapter {_shown(adapted)}; there is: {', '.join(names()) or 'none'}."
            f"{near_miss(adapted, names())} A loop of your own is module:callable, as in mine:run."
        )
    adapter = found(adapted)
    made = partial(agent_of, adapter, entrypoint_of(adapter, entrypoint), key="call_id")

    def asking(tools: Sequence[str]) -> Agent:
        return made(approvals=tools, session=adapter.sessions)

    return Loop(name, made(), asking=asking if adapter.pauses_for else None)


def _there(module: str, folder: Path) -> bool:
    """Whether a folder has a module of this name, which is meant before an adapter is."""
    return (folder / f"{module}.py").is_file() or (folder / module / "__init__.py").is_file()


def of(name: str, made: Any) -> Loop:
    """The loop that a callable is. Raises AgentfuzzError for what cannot be one."""
    made = getattr(made, "agentfuzz_agent", made)  # a `@fuzz` test
    if isinstance(made, Scenario) or inspect.isclass(made) or not callable(made):
        kind = "class" if inspect.isclass(made) else type(made).__name__
        raise AgentfuzzError(
            f"{_shown(name)} is a {_shown(kind)}, and no loop: name a function {SHAPE}, or an "
            "object that can be called like one."
        )
    inner = _inner(made)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise AgentfuzzError(
            f"{_shown(name)} yields, and is never run to its end by a call: name a function "
            f"{SHAPE} that goes through it and returns the last answer."
        )
    takes = _signature(name, made)
    if _fits(takes, 1) and (next(iter(takes.parameters)) == "world" or not _fits(takes, 3)):
        return Loop(name, made, alone=False)
    by_name = all(one in takes.parameters for one in _NAMES) and _fits(takes, *_NAMES)
    if not by_name and not _fits(takes, 3):
        raise AgentfuzzError(
            f"{_shown(name)} takes {_shown(str(takes))}: a loop is {SHAPE}, or a function of a "
            "world. What else it needs gets a default, or a function around it: "
            f"def {SHAPE}: return {_shown(getattr(made, '__name__', 'mine'))}(...)."
        )
    return Loop(name, _agent(made, by_name, inspect.iscoroutinefunction(inner)))


def _inner(made: Any) -> Any:
    """The function that a call of this runs."""
    return made if inspect.isroutine(made) or isinstance(made, partial) else made.__call__


def _agent(function: Callable[..., Any], by_name: bool, waits: bool) -> Agent:
    """A loop as a function of a world."""

    def call(task: str, tools: Any, model: Any) -> Any:
        if by_name:
            return function(task=task, tools=tools, model=model)
        return function(task, tools, model)

    def agent(world: World) -> Any:
        return call(world.task, world.tools, world.model)

    async def async_agent(world: World) -> Any:
        return await call(world.task, world.tools.aio, world.model.aio)

    return async_agent if waits else agent


def answer(value: Any) -> Completion | None:
    """How a task has ended by what a loop returned: a completion, as it is or as a dict; anything
    else but None says that it is done, for whoever called has nothing else to go by."""
    if value is None or isinstance(value, Completion):
        return value
    if isinstance(value, Mapping) and "status" in value:
        try:
            return Completion(**{key: value[key] for key in _FIELDS & value.keys()})
        except ValidationError:
            return None  # no completion, which is a law's affair
    return Completion.success(detail=value if isinstance(value, str) else described(value))


def _imported(name: str, folder: Path) -> ModuleType:
    """The user's module. Raises AgentfuzzError: not there, or raised."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:
        missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{name}.".startswith(f"{missing}."):
            files = [path.stem for path in folder.glob("*.py")]
            raise AgentfuzzError(
                f"there is no module {_shown(name)}, neither in the folder of this call nor where "
                f"Python looks.{near_miss(name, files)} Call pytest where {_shown(name)} can be "
                "imported, or add its folder to pythonpath in the ini file."
            ) from error
        raise AgentfuzzError(
            f"the module {_shown(name)} cannot be imported: {type(error).__name__}: "
            f"{_shown(message(error))}{_place(error, folder)}. A loop's module may do nothing that "
            "needs more than Python: move it into the function."
        ) from error


def _place(error: BaseException, folder: Path) -> str:
    """The line of the user's own code that raised."""
    lines = [(frame.f_code.co_filename, number) for frame, number in walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append((error.filename, error.lineno or 0))
    users = [(path, number) for path, number in lines if is_users(path)]
    if not users:
        return ""
    return f" (at {_shown(relative(f'{users[-1][0]}:{users[-1][1]}', folder))})"


def _attribute(owner: Any, name: str, module: str, where: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        known = _callables(vars(owner) if hasattr(owner, "__dict__") else {}, module)
        raise AgentfuzzError(
            f"{_shown(where)} has no {_shown(name)}.{near_miss(name, known)} It has: "
            f"{', '.join(map(_shown, known[:12])) or 'no function'}."
        ) from None


def _callables(names: Mapping[str, Any], module: str) -> list[str]:
    """The functions of a module's own."""
    return [
        name
        for name, value in names.items()
        if callable(value) and not name.startswith("_") and value.__class__ is not type
        and getattr(value, "__module__", module) == module
    ]  # fmt: skip


def _signature(name: str, made: Any) -> inspect.Signature:
    try:
        return inspect.signature(made)
    except (TypeError, ValueError) as error:
        raise AgentfuzzError(
            f"{_shown(name)} does not say what it takes ({message(error)}): put a function {SHAPE} "
            "around it."
        ) from error


def _fits(takes: inspect.Signature, *given: int | str) -> bool:
    """Whether a call with so many values, or with these names, fits."""
    names = [one for one in given if isinstance(one, str)]
    values = [None] * sum(one for one in given if isinstance(one, int))
    try:
        takes.bind(*values, **dict.fromkeys(names))
    except TypeError:
        return False
    return True


def _named(text: str) -> str:
    return f"'{_shown(text)}'" if text else "an empty name"


def _shown(text: str) -> str:
    return visible(text[:200])
