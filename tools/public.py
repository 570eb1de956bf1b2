"""The public surface: what `agentfuzz` exports, and from where. Read by `generate`.

Law: a public name is listed here once (a law by its own file); `agentfuzz/__init__.py` and
docs/api.md are written from it.
"""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

PLACES: dict[str, tuple[str, ...]] = {
    "_fuzz": ("fuzz", "regression"),
    "core.completion": ("Completion",),
    "core.errors": (
        "AgentfuzzError",
        "CassetteMiss",
        "InvalidArguments",
        "InvariantViolated",
        "KeyConflict",
        "KeyReused",
        "ModelError",
        "PlanError",
        "RateLimited",
        "SavedFileError",
        "ScenarioError",
        "StaleWrite",
        "ToolError",
        "Unauthorized",
        "UnknownTool",
    ),
    "core.faults": ("Fault", "Slot"),
    "core.history": ("History",),
    "core.plan": ("FaultPlan",),
    "core.verdict": ("Verdict", "Violation"),
    "engine.child.process": ("in_child",),
    "engine.scenario": ("Scenario", "scenario"),
    "engine.single": ("Run", "compare_entrypoints", "run"),
    "invariants": ("Invariant", "invariant"),  # and every law
    "model.behaviour": ("ModelBehaviour",),
    "model.script": ("call", "own", "ref"),
    "report.confusion": ("confusion",),
    "search.phases.sampling": ("Consistency", "repeat"),
    "world.taps.decorators": ("taps",),
    "world.team.payload": ("Claim", "Payload", "skimmed"),
    "world.world": ("World",),
}
MODULES = ("adapters", "events", "strategies", "wire")
GROUPS = (
    ("Scenarios and tests", ("_fuzz", "engine.scenario", "model.script", "model.behaviour")),
    ("Applications as they are", ("world.taps.decorators",)),
    ("The world", ("world.world", "world.team.payload", "core.completion", "engine.child.process")),
    ("One run, and many", ("engine.single", "search.phases.sampling", "report.confusion")),
    ("Histories, plans, verdicts", ("core.history", "core.faults", "core.plan", "core.verdict")),
    ("Errors", ("core.errors",)),
)


def places() -> dict[str, tuple[str, ...]]:
    """Every public name by its module, the laws among them."""
    laws = import_module("agentfuzz.invariants").LAWS
    own = {**PLACES, "invariants": tuple(sorted([*PLACES["invariants"], *laws]))}
    return {module: tuple(sorted(names)) for module, names in sorted(own.items())}


def init(edit: str) -> str:
    """agentfuzz/__init__.py."""
    from agentfuzz import __version__

    found = places()
    imports = [f"    from agentfuzz.{m} import {', '.join(names)}" for m, names in found.items()]
    return f'''"""Deterministic simulation testing for agent loops.

This file is a lazy table of contents: starting pytest imports none of Hypothesis, pydantic or a
framework. What is public is named here, with the module it lives in.

{edit}
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentfuzz import {", ".join(MODULES)}
{chr(10).join(imports)}

__version__ = "{__version__}"

_PLACES = {found!r}
_HOME = {{name: module for module, names in _PLACES.items() for name in names}}
_MODULES = {MODULES!r}

__all__ = {sorted([*MODULES, *(name for names in found.values() for name in names)])!r}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"agentfuzz.{{_HOME[name]}}"), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        return import_module(f"agentfuzz.{{name}}")
    raise AttributeError(f"module 'agentfuzz' has no attribute {{name!r}}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
'''


def api() -> str:
    """The body of docs/api.md: each public name with its signature and what it promises."""
    found = places()
    parts = []
    for title, modules in GROUPS:
        parts.append(f"## {title}")
        for module in modules:
            for name in found[module]:
                parts += _entry(name, getattr(import_module(f"agentfuzz.{module}"), name))
    parts.append("## Laws")
    laws = import_module("agentfuzz.invariants")
    for name in found["invariants"]:
        parts += _entry(name, getattr(laws, name), brief=True)
    for name in MODULES:
        parts += _module(name, import_module(f"agentfuzz.{name}"))
    return "\n\n".join(parts)


def _entry(name: str, value: Any, *, brief: bool = False) -> list[str]:
    text = inspect.cleandoc(value.__doc__ or "")
    said = text.partition("\n\n")[0] if brief else text
    lines = [f"### `{name}`", f"```text\n{_shown(name, value)}\n```", _prose(said)]
    if inspect.isclass(value) and not brief:
        members = list(_members(value))
        if members:
            lines.append("\n".join(members))
    return lines


def _prose(text: str) -> str:
    """A docstring as Markdown: an indented block is code."""
    return re.sub(r"(?m)^    (?=\S)", "    ", text)


def _shown(name: str, value: Any) -> str:
    """`name(parameters) -> result`, as Python writes it, one parameter a line if it is long."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return name
    if inspect.isclass(value):
        signature = signature.replace(return_annotation=inspect.Signature.empty)
    line = f"{name}{signature}"
    line = re.sub(r"<class '([\w.]+)'>|<function ([\w.]+)[^>]*>", lambda m: m[1] or m[2], line)
    line = re.sub(r"\b(?:agentfuzz|collections|typing|os|types)\.(?:\w+\.)*", "", line)
    if len(line) <= 96:
        return line
    inside = ",\n    ".join(re.sub(r"^~", "", part) for part in _parameters(line))
    return f"{name}(\n    {inside},\n){line[_closing(line) + 1 :]}"


def _closing(line: str) -> int:
    """Where the parenthesis of the parameters closes."""
    depth = 0
    for at, char in enumerate(line):
        depth += (char in "([{") - (char in ")]}")
        if char == ")" and not depth:
            return at
    return len(line) - 1


def _parameters(line: str) -> list[str]:
    inside, depth, parts = line[line.index("(") + 1 : _closing(line)], 0, [""]
    for char in inside:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _members(value: type) -> Iterator[str]:
    """The public methods and properties of a class of ours, a line each."""
    for name, member in vars(value).items():
        if name.startswith("_") or name == "model_config":
            continue
        function = member.fget if isinstance(member, property) else member
        function = getattr(function, "__func__", function)
        text = inspect.getdoc(function) if callable(function) else None
        if text:
            call = "" if isinstance(member, property) else "()"
            yield f"- `{name}{call}`: {' '.join(text.split())}"


def _module(name: str, module: ModuleType) -> list[str]:
    text = inspect.cleandoc(module.__doc__ or "")
    lines = [f"## `agentfuzz.{name}`", _prose(text)]
    for each in () if name == "adapters" else module.__all__:  # those have no other names
        value = getattr(module, each)
        if callable(value):
            lines += _entry(each, value)
    return lines
