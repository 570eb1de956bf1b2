"""What a scenario declares about a tool, as the world keeps it.

Law: a declaration is plain data, so that equal ones share what is derived from them; what a
scenario gives as functions lives with its world and is made anew with it. Written by
`World.tool`, read by the tool's spec and by the backend.
"""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

from agentfuzz.core.errors import ScenarioError

Dedup = Literal["none", "key", "scope", "probe"]
DEDUPS = ("none", "key", "scope", "probe")
Transport = Literal["network", "at_most_once", "local", "guessed"]
# Where a tool runs, and the groups of its crossings: if it has an effect, if it only reads.
GROUPS: Mapping[str, tuple[str, str]] = {
    "network": ("write", "read"),
    "at_most_once": ("write in time", "read"),
    "local": ("local write", "local read"),
    "guessed": ("guessed write", "guessed read"),  # a service that nobody has declared
}


class Declaration(NamedTuple):
    """The words of one `@world.tool(...)`. `name` None: the function's own; `scope` None: every
    argument but the key; `observed`: it has an `observe=`; `offered`: it is a tool for models, and
    no resource or prompt."""

    name: str | None = None
    effect: str | None = None
    scope: tuple[str, ...] | None = None
    dedup: str = "none"
    undoes: str | None = None
    transport: str = "network"
    observed: bool = False
    offered: bool = True


class Hooks(NamedTuple):
    """The functions of one `@world.tool(...)`, each None where it was not given.

    `effect_if` says of a reply whether it stands for an effect; `observe` reads the user's own
    backend, a scope a row (its world is bound to it); `state` gives what the tool's body changes.
    """

    effect_if: Callable[[Any], object] | None = None
    observe: Callable[[], Iterable[Any]] | None = None
    state: Callable[[], Any] | None = None


NO_HOOKS = Hooks()


def at_once(found: Any) -> Any:
    """What a function of the user's has returned. Raises TypeError where it is yet to be awaited:
    nobody awaits it here."""
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        raise TypeError("it is async, and has to be a plain function")
    return found


def misused(
    word: str, tool: str, function: Callable[..., Any], what: str, cure: str
) -> ScenarioError:
    """The error of a function that a scenario gave a tool: which one, what it did, and the cure."""
    inner: Any = function.func if isinstance(function, partial) else function
    code = getattr(inner, "__code__", None)
    line = f", {os.path.basename(code.co_filename)}:{code.co_firstlineno}" if code else ""
    name = getattr(inner, "__name__", type(inner).__name__)
    return ScenarioError(f"{word}= of tool {tool!r} ({name}{line}) {what}. {cure}")
