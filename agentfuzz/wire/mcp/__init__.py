"""The MCP face: a world's tools as a Model Context Protocol server, on the official SDK (2.x).

Law: a tools/call request is one crossing of the tool boundary, and what strikes there has the form
that the protocol gives it; over HTTP a tools/list request is a crossing, too. Called by agents
under test and by the HTTP server of `world.serve()`:

    async with memory_client(world) as client:       in memory, in virtual time
        await client.call_tool("charge_card", {"order_id": "A17", "amount": 42})
    mount(world)                                     an ASGI app: streamable HTTP
    python -m agentfuzz mcp module:scenario          a process that speaks over its stdio

What an agent's client sees: a refusal of the backend, an exception of a tool's body or bad
arguments are a result with `isError`; an unknown tool is the protocol's own error -32602; a
timeout is a response that never comes, which the client's own read timeout has to end; a lost
connection breaks this one request; a 429 is `isError` with the seconds to wait; a damaged reply is
the text that it is.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

try:
    from mcp import Client
    from mcp.server.lowlevel import Server
    from mcp.shared.memory import create_client_server_memory_streams
except ImportError as error:
    raise ImportError(
        f"agentfuzz.wire.mcp needs the MCP SDK ({error}): pip install 'mcp>=2,<3'."
    ) from error

import anyio
from mcp_types import SetLevelRequestParams

from agentfuzz.wire.mcp.asking import context
from agentfuzz.wire.mcp.call import Answers
from agentfuzz.wire.mcp.exchange import Host
from agentfuzz.wire.mcp.faults import at_request
from agentfuzz.wire.mcp.http import Mounted
from agentfuzz.wire.mcp.listing import annotations, hints, listed, tool_list
from agentfuzz.wire.mcp.showing import handlers
from agentfuzz.world.world import World

__all__ = ["annotations", "context", "hints", "memory_client", "mount", "server", "tool_list"]


def server(world: World) -> Any:
    """The world as a low-level MCP server: for `mcp.Client(server(world))` and for any transport
    of the SDK."""
    answers = Answers(world)

    async def on_list_tools(ctx: Any, params: Any) -> Any:
        await at_request(world, ctx, "list")
        return listed(world, None if params is None else params.cursor)

    async def on_call_tool(ctx: Any, params: Any) -> Any:
        return await answers.answer(ctx, params.name, params.arguments or {})

    def schema(name: str) -> Any:
        return world.tools[name].schema if name in world.tools else None

    made: Any = Server(
        "agentfuzz",
        version=_version(),
        get_tool_input_schema=schema,
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )
    level = SetLevelRequestParams, answers.steps.set_level
    for method, (given, answer) in {"logging/setLevel": level, **handlers(world, answers)}.items():
        made.add_request_handler(method, given, answer)
    made.middleware.clear()  # telemetry
    return made


def _version() -> str:
    try:
        return metadata.version("pytest-agentfuzz")
    except metadata.PackageNotFoundError:  # run from its source
        return "0"


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


def mount(world: World, host: Host | None = None) -> Mounted:
    """The world as an ASGI app that speaks streamable HTTP at whatever path it is mounted. A `host`
    can close a connection before anything was sent; ASGI itself has no word for that, and without
    one a lost reply ends in the middle."""
    return Mounted(server(world), host)
