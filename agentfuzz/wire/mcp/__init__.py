"""The MCP face: a world's tools as a Model Context Protocol server, on the official SDK (2.x).

Law: a tools/call request is one crossing of the tool boundary, and what strikes there has the form
that the protocol gives it; listing costs nothing. Called by agents under test and by the HTTP
server of `world.serve()`:

    async with memory_client(world) as client:       in memory, in virtual time
        await client.call_tool("charge_card", {"order_id": "A17", "amount": 42})
    mount(world)                                     an ASGI app: streamable HTTP
    python -m agentfuzz mcp module:scenario          a process that speaks over its stdio

What an agent's client sees: a refusal of the backend, an exception of a tool's body or bad
arguments are a result with `isError`; an unknown tool is the protocol's own error -32602; a
timeout is a response that never comes, which the client's own read timeout has to end; a lost
connection breaks this one request (MCPError -32000 in Python); a 429 is `isError` with the seconds
to wait; a damaged reply is the text that it is.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

try:
    import mcp_types as types
    from mcp import Client
    from mcp.server.lowlevel import Server
    from mcp.shared.memory import create_client_server_memory_streams
except ImportError as error:
    raise ImportError(
        f"agentfuzz.wire.mcp needs the MCP SDK ({error}): pip install 'mcp>=2,<3'."
    ) from error

import anyio

from agentfuzz.wire.mcp.call import Answers
from agentfuzz.wire.mcp.http import Mounted
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.world import World


def annotations(effect: str | None, dedup: str) -> Any:
    """What a tool's declaration means in the protocol's hints, as `ToolAnnotations`."""
    if effect is None:
        return types.ToolAnnotations(read_only_hint=True)
    return types.ToolAnnotations(
        read_only_hint=False, destructive_hint=True, idempotent_hint=dedup != "none"
    )


def hints(annotations: Any, effect: str = "effect") -> dict[str, Any]:
    """The other way: `effect` and `dedup` for `world.tool`, from a tool of an MCP tool list.

    `annotations` is a `ToolAnnotations`, its JSON object, or None; what they do not say is what
    the protocol says: not read-only, destructive, not idempotent. `effect` is the effect's name
    (say the tool's), where there is one. Hints are claims of a server: say more if you know more.
    An idempotent tool gets dedup="scope"; its `scope=` are all its parameters, if you know no
    better: `tuple(tool.input_schema["properties"])`.
    """
    if _hint(annotations, "readOnlyHint", "read_only_hint"):
        return {"effect": None, "dedup": "none"}
    idempotent = _hint(annotations, "idempotentHint", "idempotent_hint")
    return {"effect": effect, "dedup": "scope" if idempotent else "none"}


def _hint(annotations: Any, wire: str, python: str) -> bool:
    """One hint whose default is false. (A destructive tool and an additive one both have an
    effect, so that hint decides nothing here.)"""
    if isinstance(annotations, Mapping):
        return annotations.get(wire, annotations.get(python)) is True
    return getattr(annotations, python, None) is True


def tool_list(world: World) -> list[Any]:
    """The tools that the world offers, as MCP tools: the done tool too when it is offered."""
    found = []
    for name in world.tools:
        tool = world.tools[name]
        spec = None if name == DONE else world.gateway.specs[name]
        said = types.ToolAnnotations(read_only_hint=False, destructive_hint=False)
        found.append(
            types.Tool(
                name=name,
                description=tool.description or None,
                input_schema=tool.schema,
                annotations=said if spec is None else annotations(spec.effect, spec.dedup),
            )
        )
    return found


def server(world: World) -> Any:
    """The world as a low-level MCP server: for `mcp.Client(server(world))` and for any transport
    of the SDK."""
    answers = Answers(world)

    async def on_list_tools(ctx: Any, params: Any) -> Any:
        return types.ListToolsResult(tools=tool_list(world))

    async def on_call_tool(ctx: Any, params: Any) -> Any:
        return await answers.answer(ctx, params.name, params.arguments or {})

    def schema(name: str) -> Any:
        return world.tools[name].schema if name in world.tools else None

    made: Any = Server(
        "agentfuzz",
        get_tool_input_schema=schema,
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )
    made.middleware.clear()  # telemetry
    return made


@asynccontextmanager
async def memory_client(
    world: World, *, read_timeout_seconds: float | None = None
) -> AsyncIterator[Any]:
    """An official client (`mcp.Client`; its `.session` is the ClientSession) that is connected
    and initialised: JSON-RPC in memory, no sockets, no threads, virtual time.

    `read_timeout_seconds` (virtual) is the client's patience with every request; without one it
    waits for ever for a lost response, as the SDK does, and the run is cut off as hung.
    """
    async with Client(_pipe(world), read_timeout_seconds=read_timeout_seconds) as client:
        yield client


@asynccontextmanager
async def _pipe(world: World) -> AsyncIterator[Any]:
    """The world's server at the other end of two memory streams: a transport for a client."""
    made = server(world)
    async with create_client_server_memory_streams() as (ours, theirs):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.run, *theirs, made.create_initialization_options())
            try:
                yield ours
            finally:
                tasks.cancel_scope.cancel()


def mount(world: World) -> Mounted:
    """The world as an ASGI app that speaks streamable HTTP at whatever path it is mounted."""
    return Mounted(server(world))
