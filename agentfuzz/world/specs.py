"""The specs of tools that are declared again and again, derived once.

Law: a spec is kept by the code of its function and what is declared of it; equal declarations share
one. Called by the gateway for each declaration of each world.
"""

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from agentfuzz.world.declaration import Declaration
from agentfuzz.world.tools import ToolSpec

_SPECS: dict[tuple[object, ...], tuple[Any, ToolSpec]] = {}
# Of functions that are made once: the words with which they were declared, and the spec. Who
# declares thousands of worlds looks here first.
KEPT: dict[Any, tuple[tuple[Any, ...], ToolSpec]] = {}


def spec_of(fn: Callable[..., Any], declared: Declaration) -> ToolSpec:
    """The spec of a function as it is declared, derived once per code object and signature: worlds
    are built once per run, but one `def` in a factory, or one decorator's wrapper, may stand for
    many tools.
    """
    label: str = declared.name or str(getattr(fn, "__name__", "tool"))
    inner = inspect.unwrap(fn) if hasattr(fn, "__wrapped__") else fn
    code = getattr(inner, "__code__", None)
    if code is None:
        return ToolSpec(fn, label, declared)
    signature = (dict(inner.__annotations__), inner.__defaults__, dict(inner.__kwdefaults__ or {}))
    known = (code, label, declared)
    kept = _SPECS.get(known)
    if kept is None or kept[0] != signature:
        kept = _SPECS[known] = (signature, ToolSpec(fn, label, declared))
    return kept[1]


def keep(fn: Any, words: tuple[Any, ...], spec: ToolSpec) -> None:
    """The function was declared with these words. What is made within another one is made anew for
    each world; nobody else would find it."""
    if type(fn) is FunctionType and "<locals>" not in fn.__qualname__:
        KEPT[fn] = (words, spec)


def forget() -> None:
    """Derive every declaration anew: a function's defaults may be others the next time (they are
    not looked at each time: an audit hook is asked about that). Called when a simulation, a run or
    a campaign begins."""
    KEPT.clear()
