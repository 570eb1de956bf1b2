"""MCP clients: an application's own sessions, with whatever server.

Law: the session, its transport and its server are real; each call of a tool is one of the world's,
and its body is the call itself. What a server says of its tools (`readOnlyHint`) is believed where
nothing is declared. Called by scenario authors:

    adapters.mcp.tap(world, charge={"effect": "charge", "scope": ("order_id",)})

Works with every client that asks through `mcp.ClientSession` (version 1 or 2 of the SDK).
"""

from collections.abc import Mapping
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from agentfuzz.core.errors import ScenarioError
from agentfuzz.runtime import detours
from agentfuzz.world.acting import LEG
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.tools import Anything
from agentfuzz.world.world import World

# The call of a session that is made here: it goes with the call, as late as that may arrive.
_ASKED: ContextVar[Mapping[str, Any] | None] = ContextVar("agentfuzz_mcp_asked", default=None)


def tap(world: World, **declared: Mapping[str, Any]) -> None:
    """Make a tool of this world of each tool that the application calls through an MCP session.

    `declared` says by their names what they do, in the words of `World.tool`:
    `charge={"effect": "charge", "scope": ("order_id",)}`; what is not named is believed to read.
    Between session and server lies a `network` unless `transport` says otherwise; what fails there
    comes as the SDK's own error.
    """
    sdk = import_module("mcp")
    sessions = Sessions(world, sdk)
    for name, words in declared.items():
        sessions.declare(name, words)
    world.raise_as(timeout=sessions.timed_out, error=sessions.closed)
    world._taps = (*world._taps, sessions)
    sessions.calls.open(sdk.ClientSession.call_tool, sessions)


class Sessions:
    """All MCP sessions of a process, for one run. `calls` is the detour of their calls."""

    def __init__(self, world: World, sdk: Any) -> None:
        self.calls = detours.of(sdk.ClientSession.call_tool)
        self._sdk = sdk
        self._types = import_module("mcp_types" if hasattr(sdk, "MCPError") else "mcp.types")
        self._worlds = {world.leg: world}
        self._last = world

    def declare(self, name: str, words: Mapping[str, Any]) -> None:
        """A tool of the world: what the server's does."""

        async def body(**arguments: Anything) -> object:
            given = _ASKED.get()
            if given is None or given["name"] != name:
                raise ScenarioError(f"{name}: no MCP session asks for it; only one can call it.")
            return _said(await self.calls.carry_out(given))

        body.__code__ = body.__code__.replace(co_name=f"mcp.{name}")
        self._last.tool(**{"name": name, **words})(body)

    def follows(self, world: World) -> None:
        """Another leg of the run begins, in this world."""
        self._worlds[world.leg] = self._last = world

    async def awaited(self, given: Mapping[str, Any]) -> Any:
        """A session is asked to call a tool."""
        name, arguments = given["name"], dict(given.get("arguments") or {})
        world = self._worlds.get(LEG.get(), self._last)
        if name not in world.gateway.specs:
            self.declare(name, {})
        token = _ASKED.set(given)
        try:
            reply = await world.acall(name, arguments)
        finally:
            _ASKED.reset(token)
        return reply.result if isinstance(reply, (_Text, _Fields)) else self._spoken(reply)

    def called(self, given: Mapping[str, Any]) -> Any:
        raise NotImplementedError("a session's calls are awaited")

    def _spoken(self, reply: object) -> Any:
        """A reply that no server gave, as a result of the protocol."""
        text = self._types.TextContent(type="text", text=as_text(reply))
        return self._types.CallToolResult(content=[text])

    def timed_out(self, message: str) -> Exception:
        """The session's own read timeout."""
        return self._error(408, message)

    def closed(self, message: str) -> Exception:
        """The connection went away."""
        return self._error(-32000, f"Connection closed ({message})")

    def _error(self, code: int, message: str) -> Exception:
        if hasattr(self._sdk, "MCPError"):
            return self._sdk.MCPError(code=code, message=message)  # type: ignore[no-any-return]
        data = self._types.ErrorData(code=code, message=message)
        return self._sdk.McpError(data)  # type: ignore[no-any-return]


class _Text(str):
    """What a result says in words."""

    result: Any


class _Fields(dict[str, Any]):
    """What it says in fields."""

    result: Any


def _said(result: Any) -> _Text | _Fields:
    """What a result says: its structure, its text, or both in an error. It brings the result."""
    text = "\n".join(one.text for one in result.content if getattr(one, "text", None) is not None)
    structured = getattr(result, "structuredContent", getattr(result, "structured_content", None))
    if getattr(result, "isError", getattr(result, "is_error", False)):
        said: _Text | _Fields = _Fields(isError=True, text=text)
    else:
        said = _Fields(structured) if structured else _Text(text)
    said.result = result
    return said
