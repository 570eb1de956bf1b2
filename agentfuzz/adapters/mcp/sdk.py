"""What the MCP SDK calls things, in its versions 1 and 2.

Law: words of the SDK alone; nothing is decided here. Called by the adapter and by its lines.
"""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import anyio
import mcp
from mcp import types

from agentfuzz.core.errors import AgentfuzzError

SDK: Any = mcp
TYPES: Any = types
IS_NEW = hasattr(SDK, "MCPError")
RELEASE = tuple(int(part) for part in version("mcp").split(".")[:2])

if RELEASE < (1, 10):
    raise AgentfuzzError(f"the adapter mcp needs mcp>=1.10, and this is {version('mcp')}.")
if IS_NEW:
    from mcp.server import mcpserver as servers
else:
    from mcp.server import fastmcp as servers  # type: ignore[no-redef]

_SERVERS: Any = servers
Server = _SERVERS.MCPServer if IS_NEW else _SERVERS.FastMCP
ToolError: type[Exception] = _SERVERS.exceptions.ToolError
Tool = _SERVERS.tools.Tool
Failure: type[Exception] = SDK.MCPError if IS_NEW else SDK.McpError
FAILURES = (Failure, anyio.ClosedResourceError, anyio.BrokenResourceError)  # of a request

__all__ = ["FAILURES", "IS_NEW", "Server", "Tool", "ToolError"]


def stream() -> tuple[Any, Any]:
    """Both ends of a stream of messages: where they are sent, and where they are received."""
    return anyio.create_memory_object_stream[Any](1)


def lowlevel(server: Any) -> Any:
    """What runs over the streams that it is given."""
    return server._lowlevel_server if IS_NEW else server._mcp_server


def session(read: Any, write: Any, patience: float | None) -> AbstractAsyncContextManager[Any]:
    """A client's session over these streams, before it has shaken hands."""
    seconds: Any = patience if IS_NEW or patience is None else timedelta(seconds=patience)
    made: AbstractAsyncContextManager[Any] = SDK.ClientSession(
        read, write, read_timeout_seconds=seconds
    )
    return made


def in_process(server: Any, patience: float | None) -> AbstractAsyncContextManager[Any]:
    """The client of version 2 that calls a server without any messages."""
    made: AbstractAsyncContextManager[Any] = SDK.Client(server, read_timeout_seconds=patience)
    return made


def said(result: Any) -> str:
    """What the result of a call says in words."""
    text = "\n".join(part.text for part in result.content if getattr(part, "text", None))
    failed = result.is_error if IS_NEW else result.isError
    return f"Error: {text}" if failed else text


def number(session: Any) -> Any:
    """The id of a session's next request; None where the SDK itself tells the server that nobody
    waits for it any more, which it does from version 2 on."""
    return None if IS_NEW else session._request_id


async def take_back(session: Any, request: Any) -> None:
    """Tell the server that nobody waits for this request any more."""
    params = TYPES.CancelledNotificationParams(requestId=request)
    made = TYPES.CancelledNotification(method="notifications/cancelled", params=params)
    await session.send_notification(TYPES.ClientNotification(made))
