"""The toolbox: `world.tools`, as attributes and as a mapping, for sync and async agents.

Law: a tool in the hand of an agent is a callable that remembers nothing; every call goes through
the world. Called by agents and adapters.

    world.tools.charge_card(order_id="A17", amount=42)
    world.tools["charge_card"](**arguments)
    await world.tools.aio.charge_card(order_id="A17", amount=42)
    world.tools.done(status="success", handle="ch_1")
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from agentfuzz.core.completion import REASONS, STATUSES
from agentfuzz.core.errors import near_miss
from agentfuzz.core.history import Json

if TYPE_CHECKING:
    from agentfuzz.world.world import World

DONE = "done"
DONE_SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": list(STATUSES)},
        "reason": {
            "type": "string",
            "enum": sorted({reason for reasons in REASONS.values() for reason in reasons}),
        },
        "handle": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "detail": {"type": "string", "default": ""},
    },
    "required": ["status"],
    "additionalProperties": False,
}


class Tool:
    """One tool of a world. Call it; or read its `name`, `description` and `schema`."""

    __slots__ = ("_world", "name")

    def __init__(self, world: "World", name: str) -> None:
        self._world = world
        self.name = name

    @property
    def description(self) -> str:
        """The function's docstring."""
        return self._world.specs[self.name].description

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON schema of the arguments."""
        return self._world.specs[self.name].schema

    @property
    def is_async(self) -> bool:
        """Whether the tool's own function is a coroutine function."""
        return self._world.specs[self.name].is_async

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        world = self._world
        if args:
            kwargs = world.specs[self.name].arguments(args, kwargs)
        return world.call(self.name, kwargs)

    def __repr__(self) -> str:
        return f"<tool {self.name}>"


class AsyncTool(Tool):
    """A tool whose call is awaited, whether or not its own function is async."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        world = self._world
        if args:
            kwargs = world.specs[self.name].arguments(args, kwargs)
        return await world.acall(self.name, kwargs)


class DoneTool(Tool):
    """The done tool: the completion event of the task."""

    __slots__ = ()

    @property
    def description(self) -> str:
        return "End the task. Call it exactly once, when nothing is left to do."

    @property
    def schema(self) -> dict[str, Json]:
        return DONE_SCHEMA

    @property
    def is_async(self) -> bool:
        return False

    def __call__(
        self,
        status: Any = None,
        reason: Any = "",
        handle: Any = None,
        detail: Any = "",
        **unknown: Any,
    ) -> dict[str, Json]:
        self._world.crossing()
        problem = self._world.complete("tool", status, reason, handle, detail, unknown)
        return {"ok": False, "error": problem} if problem else {"ok": True}


class AsyncDoneTool(DoneTool):
    """The done tool, awaited."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Json]:  # type: ignore[override]
        return DoneTool.__call__(self, *args, **kwargs)


class Toolbox(Mapping[str, Tool]):
    """The tools of a world by attribute and by name. The done tool is always there; iterating
    names it only when the scenario's model closes with it."""

    __slots__ = ("_aio", "_world", "offers_done")

    def __init__(self, world: "World", aio: bool = False) -> None:
        self._world = world
        self._aio = aio
        self.offers_done = False

    @property
    def aio(self) -> "Toolbox":
        """The same tools for an async agent."""
        box = Toolbox(self._world, aio=True)
        box.offers_done = self.offers_done
        return box

    def __getitem__(self, name: str) -> Tool:
        if name == DONE:
            return AsyncDoneTool(self._world, DONE) if self._aio else DoneTool(self._world, DONE)
        if name not in self._world.specs:
            self._world.call(name, {})  # a backend would answer 404: so does this
        return AsyncTool(self._world, name) if self._aio else Tool(self._world, name)

    def __getattr__(self, name: str) -> Tool:
        if name == DONE or name in self._world.specs:
            return self[name]
        raise AttributeError(
            f"this world has no tool {name!r}; there is: {', '.join(self._world.specs) or 'none'}."
            f"{near_miss(name, self._world.specs)}"
        )

    def __iter__(self) -> Iterator[str]:
        yield from self._world.specs
        if self.offers_done:
            yield DONE

    def __len__(self) -> int:
        return len(self._world.specs) + self.offers_done

    def __contains__(self, name: object) -> bool:
        return name in self._world.specs or (name == DONE and self.offers_done)
