"""What a request offers the model: tools, and how much it may do with them, say and leave out.

Law: plain data. Read out of requests by the codecs (see `terms`), made of what a caller of
`world.model` hands over; the simulated model plans within it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Json = Any
Choice = Literal["auto", "none", "required"]
ANY_OBJECT: Mapping[str, Json] = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Offer:
    """What one request offers. `tools` are those that it names (None: it does not say), of which
    `only` these may be called, where they are fewer; `choice` is whether they must or must not be.
    `answer` is the JSON schema of an answer in words, `most_calls` of one turn, `longest` the
    tokens that may be written, `stops` the texts that end it, `choices` how many answers. `early`
    are the ways in which its provider ends a turn before its end (None: it does not say). What is
    there `besides` may be called as well, though nobody has named it."""

    tools: tuple[Mapping[str, Json], ...] | None = None
    only: tuple[str, ...] | None = None
    choice: Choice = "auto"
    answer: Mapping[str, Json] | None = None
    most_calls: int | None = None
    longest: int | None = None
    stops: tuple[str, ...] = ()
    choices: int = 1
    early: tuple[str, ...] | None = None
    besides: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        """The tools that may be called; None where that is not said."""
        if self.choice == "none":
            return ()
        if self.tools is None:
            return self.only
        named = (tool["name"] for tool in self.tools)
        told = tuple(name for name in named if self.only is None or name in self.only)
        return (*told, *(name for name in self.besides if name not in told))

    def allows(self, name: str) -> bool:
        """Whether a tool may be called."""
        names = self.names
        return names is None or name in names

    def schema(self, name: str) -> Mapping[str, Json]:
        """The JSON schema of a tool's arguments, as far as it was told."""
        found = (tool.get("schema") for tool in self.tools or () if tool["name"] == name)
        return next(found, None) or ANY_OBJECT


NOT_SAID = Offer()
_DONE = "done"  # as the world has it


def offered(tools: Any) -> Offer:
    """What a caller of `world.model(messages, tools)` offers: names, mappings or objects with a
    name, and beside any of them the done tool. Where one has no name, nothing is said."""
    if isinstance(tools, Offer):
        return tools
    if tools is None:
        return NOT_SAID
    named = [name_of(tool) for tool in tools]
    if not all(named):
        return NOT_SAID
    return Offer(tuple({"name": name} for name in named), besides=(_DONE,) if named else ())


def name_of(tool: Any) -> str:
    """The name of a tool as callers write one; empty where it has none."""
    if isinstance(tool, str):
        return tool
    if isinstance(tool, Mapping):
        inner = tool.get("function")
        return str((inner if isinstance(inner, Mapping) else tool).get("name") or "")
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", ""))
