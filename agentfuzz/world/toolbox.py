"""The toolbox: `world.tools`, as attributes and as a mapping, for sync and async agents.

Law: a tool in the hand of an agent is a callable that remembers nothing; every call goes through
the world. Called by agents and adapters.

    world.tools.charge_card(order_id="A17", amount=42)
    world.tools["charge_card"](**arguments)
    await world.tools.aio.charge_card(order_id="A17", amount=42)
    world.tools.done(status="success", handle="ch_1")
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agentfuzz.core.completion import REASONS, STATUSES
from agentfuzz.core.errors import near_miss
from agentfuzz.core.events import Json
from agentfuzz.world.gateway import Gateway

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

    __slots__ = ("_gateway", "name")

    def __init__(self, gateway: Gateway, name: str) -> None:
        self._gateway = gateway
        self.name = name

    @property
    def description(self) -> str:
        """The function's docstring."""
        return self._gateway.specs[self.name].description

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON schema of the arguments."""
        return self._gateway.specs[self.name].schema

    @property
    def is_async(self) -> bool:
        """Whether the tool's own function is a coroutine function."""
        return self._gateway.specs[self.name].is_async

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        gateway = self._gateway
        if args:
            kwargs = gateway.specs[self.name].arguments(args, kwargs)
        return gateway.call(self.name, kwargs)

    def __repr__(self) -> str:
        return f"<tool {self.name}>"


class AsyncTool(Tool):
    """A tool whose call is awaited, whether or not its own function is async."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        gateway = self._gateway
        if args:
            kwargs = gateway.specs[self.name].arguments(args, kwargs)
        return await gateway.acall(self.name, kwargs)


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
        self._gateway.crossing()
        problem = self._gateway.complete("tool", status, reason, handle, detail, unknown)
        return {"ok": False, "error": problem} if problem else {"ok": True}


class AsyncDoneTool(DoneTool):
    """The done tool, awaited."""

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Json]:  # type: ignore[override]
        return DoneTool.__call__(self, *args, **kwargs)


class Toolbox(Mapping[str, Tool]):
    """The tools of a world by attribute and by name. The done tool is always there; iterating
    names it only when the scenario's model closes with it."""

    __slots__ = ("_aio", "_gateway")

    def __init__(self, gateway: Gateway, aio: bool = False) -> None:
        self._gateway = gateway
        self._aio = aio

    @property
    def aio(self) -> "Toolbox":
        """The same tools for an async agent."""
        return Toolbox(self._gateway, aio=True)

    def __getitem__(self, name: str) -> Tool:
        gateway = self._gateway
        if name not in gateway.specs:
            if name == DONE:
                return AsyncDoneTool(gateway, DONE) if self._aio else DoneTool(gateway, DONE)
            gateway.call(name, {})  # a backend would answer 404: so does this
        return AsyncTool(gateway, name) if self._aio else Tool(gateway, name)

    def __getattr__(self, name: str) -> Tool:
        if name.startswith("_"):  # whoever copies a toolbox asks an empty one for these
            raise AttributeError(name)
        specs = self._offered()
        if name == DONE or name in specs:
            return self[name]
        raise AttributeError(
            f"this world has no tool {name!r}; there is: {', '.join(specs) or 'none'}."
            f"{near_miss(name, specs)}"
        )

    def _offered(self) -> list[str]:
        return [name for name, spec in self._gateway.specs.items() if spec.offered]

    def __iter__(self) -> Iterator[str]:
        yield from self._offered()
        if self._gateway.offers_done:
            yield DONE

    def __len__(self) -> int:
        return len(self._offered()) + self._gateway.offers_done

    def __contains__(self, name: object) -> bool:
        return name in self._offered() or (name == DONE and self._gateway.offers_done)
