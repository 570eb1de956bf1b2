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
KEPT: dict[Any, tuple[Any, Any]] = {}  # function: (declared, ToolSpec)


def spec_of(fn: Callable[..., Any], declared: Declaration) -> ToolSpec:
    """The spec of a function as it is declared, derived once per code object and signature: worlds
    are built once per run, but one `def` in a factory, or one decorator's wrapper, may stand for
    many tools.

    `KEPT` holds those of functions that are made once: who declares thousands of worlds looks there
    first. It is emptied by `forget`, for a function's defaults may be others the next time (they
    are not looked at each time: an audit hook is asked about that).
    """
    spec = _by_code(fn, declared)
    if type(fn) is FunctionType and "<locals>" not in fn.__qualname__:  # made once
        KEPT[fn] = (declared, spec)
    return spec


def forget() -> None:
    """Derive every declaration anew. Called when a simulation, a run or a campaign begins."""
    KEPT.clear()


def _by_code(fn: Callable[..., Any], declared: Declaration) -> ToolSpec:
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
