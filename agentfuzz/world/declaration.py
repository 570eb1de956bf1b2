"""What a scenario declares about a tool, as the world keeps it.

Law: a declaration is plain data, so that equal ones share what is derived from them; what a
scenario gives as functions lives with its world and is made anew with it. Written by
`World.tool`, read by the tool's spec and by the backend.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

Dedup = Literal["none", "key", "scope", "probe"]
DEDUPS = ("none", "key", "scope", "probe")
Transport = Literal["network", "at_most_once", "local"]
# Where a tool runs, and the groups of its crossings: if it has an effect, if it only reads.
GROUPS: Mapping[str, tuple[str, str]] = {
    "network": ("write", "read"),
    "at_most_once": ("write in time", "read"),
    "local": ("local write", "local read"),
}


class Declaration(NamedTuple):
    """The words of one `@world.tool(...)`. `name` None: the function's own."""

    name: str | None = None
    effect: str | None = None
    scope: tuple[str, ...] = ()
    dedup: str = "none"
    undoes: str | None = None
    transport: str = "network"


class Hooks(NamedTuple):
    """The functions of one `@world.tool(...)`, each None where it was not given.

    `effect_if` says of a reply whether it stands for an effect; `observe` reads the user's own
    backend, a scope a row; `state` gives what the tool's body changes.
    """

    effect_if: Callable[[Any], object] | None = None
    observe: Callable[[Any], Iterable[Any]] | None = None
    state: Callable[[], Any] | None = None


NO_HOOKS = Hooks()
