"""MCP: a world behind a server of the SDK, and an application's sessions.

Law: client, server and protocol are the SDK's; the loop is a plain one, which calls what the server
lists and shows its model what comes back. Works with versions 1 (from 1.10 on) and 2. A server of
the SDK with the tools of a world, for whatever client:

    server = MCPServer("shop", tools=adapters.mcp.tools(world))

An application's own sessions, with whatever server (see `world.taps.sessions`):

    adapters.mcp.tap(world, charge={"effect": "charge", "scope": ("order_id",)})

The plain loop, `contract.agent(adapters.mcp.ADAPTER, "remote", retries=1)`, has its own words:
`turns`, the `patience` of the client with each request, how often it `retries` a request that
failed on its way, whether it `cancels` those that it gives up, and whether it `reconnects` then.
"""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any

from agentfuzz.adapters import _mcp_sdk as sdk
from agentfuzz.adapters._mcp_line import InProcess, Line
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Setup
from agentfuzz.adapters.contract.adapter import Entrypoint
from agentfuzz.world.taps.sessions import Sessions, tap
from agentfuzz.world.world import World

__all__ = ["ADAPTER", "Sessions", "model", "outcome", "tap", "tools"]

TURNS = 12
PATIENCE = 90.0  # of a client whose server is far away, in virtual seconds


class MCP(Adapter):
    """The MCP SDK, client and server."""

    name = "mcp"
    package = "mcp"
    needs = ">=1.10"
    quiet: Mapping[str, str] = {"OTEL_SDK_DISABLED": "true"}
    limits: Mapping[str, Limit] = {"turns": Limit("turns", TURNS)}
    meets: Mapping[str, str] = {
        "raised": "told",
        "soft": "told",
        "cancelled": "told",
        "invalid": "told",
        "unknown": "told",
        "in_process:cancelled": "ended",
    }

    @property
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """`memory`: a session over streams; a tool fails in its server. `remote`: the same, and
        replies get lost between the two. `in_process`: the client of version 2 on the server."""
        ways: dict[str, Entrypoint] = {"memory": self.memory, "remote": self.remote}
        return {**ways, "in_process": self.in_process} if sdk.IS_NEW else ways

    def tool(self, bridge: Bridge) -> Any:
        return sdk.Tool.from_function(_function(bridge), description=bridge.description)

    def model(self, world: World, *, agent: str | None = None) -> Any:
        return world.model

    def ended(self, result: Any) -> Ended | None:
        return result if isinstance(result, Ended) else None

    def soft(self, error: Exception) -> BaseException:
        return sdk.ToolError(str(error))

    async def memory(self, setup: Setup) -> Ended:
        """Streams in memory."""
        return await self._loop(setup, Line)

    async def remote(self, setup: Setup) -> Ended:
        """Streams on which replies get lost."""
        return await self._loop(setup, Line, patience=PATIENCE, loses=True)

    async def in_process(self, setup: Setup) -> Ended:
        """No streams."""
        return await self._loop(setup, InProcess)

    async def _loop(self, setup: Setup, line: type[Line], **words: Any) -> Ended:
        options = {**words, **setup.options}
        turns = options.pop("turns", TURNS)
        messages: list[dict[str, Any]] = [{"role": "user", "content": setup.world.task}]
        async with line(self.offered(setup), **options) as server:
            names = await server.names()
            for _ in range(turns):
                turn = await setup.world.model.aio(messages, names)
                calls = list({call["id"]: call for call in turn["tool_calls"]}.values())
                messages.append({**turn, "tool_calls": calls})
                if turn["stop"] == "length":
                    return Ended(turn["content"], "length")
                if not calls:
                    return Ended(turn["content"], "completed" if turn["content"] else "error")
                said = await server.calls(calls)
                for call, text in zip(calls, said, strict=True):
                    shown = {"role": "tool", "tool_call_id": call["id"], "content": text}
                    messages.append(shown)
        return Ended(why="limit")


def _function(bridge: Bridge) -> Callable[..., Any]:
    """A function with a tool's parameters, from which the SDK makes its schema."""
    fields = bridge.args_model.model_fields

    async def call(**given: Any) -> str:
        sent = {n: v for n, v in given.items() if v is not None or fields[n].is_required()}
        return await bridge.acall(sent)

    parameters = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            annotation=field.annotation,
            default=Parameter.empty if field.is_required() else None,
        )
        for name, field in fields.items()
    ]
    made: Any = call
    made.__name__ = bridge.name
    made.__signature__ = Signature(parameters, return_annotation=str)
    return call


ADAPTER = MCP()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
