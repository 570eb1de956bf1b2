"""MCP clients: an application's own sessions, with whatever server.

Law: the session, its transport and its server are real; each call of a tool is one of the world's,
and its body is the call itself. What a server says of its tools (`readOnlyHint`) is believed where
nothing is declared. Called by scenario authors:

    adapters.mcp.tap(world, charge={"effect": "charge", "scope": ("order_id",)})

Works with every client that asks through `mcp.ClientSession` (version 1 or 2 of the SDK).
"""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from agentfuzz.core.errors import ScenarioError
from agentfuzz.runtime import detours
from agentfuzz.runtime.eventloop import VirtualLoop
from agentfuzz.world.acting import BESIDE, LEG
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.tools import Anything

Words = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def tap(world: Any, **declared: Mapping[str, Any]) -> None:
    """Make a tool of this world of each tool that the application calls through an MCP session.

    `declared` says by their names what they do, in the words of `World.tool`:
    `charge={"effect": "charge", "scope": ("order_id",)}`; what is not named is believed to read.
    Between session and server lies a `network` unless `transport` says otherwise; what fails there
    comes as the SDK's own error. An answer that is lost is waited for as long as the application
    said that a session, or this call, should: for ever if it said nothing.

    A server may live in another process: virtual time stands still while it answers.
    """
    sessions = Sessions(world, lambda name, said: declared.get(name, {}))
    for name in declared:
        sessions.declare(name)
    sessions.open()


class Sessions:
    """All MCP sessions of a process, for one run. `words` says what a tool does, given its name and
    what its server says of it (`inputSchema`, `annotations`, ...). `keeps`: what lies in the memory
    of this process is not lost, and whoever asks a server there need set no deadline."""

    def __init__(self, world: Any, words: Words, *, keeps: bool = False) -> None:
        self._keeps = keeps
        self._sdk = sdk = import_module("mcp")
        self._types = import_module("mcp_types" if hasattr(sdk, "MCPError") else "mcp.types")
        self._failure: Any = getattr(sdk, "MCPError", None) or sdk.McpError
        self._calls = detours.of(sdk.ClientSession.call_tool)
        self._words = words
        self._worlds = {world.leg: world}
        self._last = world
        self._lists = Lists(detours.of(sdk.ClientSession.list_tools))

    def open(self) -> None:
        """From now on their calls are the world's."""
        world, session = self._last, self._sdk.ClientSession
        world._taps = (*world._taps, self)
        self._calls.open(session.call_tool, self)
        self._lists.detour.open(session.list_tools, self._lists)
        for function in self._requests():
            detour = detours.of(function)
            detour.open(function, Request(detour))

    def _requests(self) -> Iterator[Any]:
        """What an answer of a server is waited for in: the requests of sessions, and of the HTTP
        client below them."""
        session = self._sdk.ClientSession
        yield session.send_request
        if hasattr(self._sdk, "MCPError"):
            yield session.send_discover
        http = sys.modules.get("httpx2") if hasattr(self._sdk, "MCPError") else None
        http = http or sys.modules["httpx"]  # which the SDK has imported
        yield http.AsyncClient.send

    def declare(self, name: str) -> None:
        """A tool of the world: its body is the call of the server's."""

        async def body(**arguments: Anything) -> object:
            return _said(await self._calls.carry_out(self._asked(name)))

        body.__code__ = body.__code__.replace(co_name=f"mcp.{name}")
        words = self._words(name, self._lists.tools.get(name, {}))
        self._last.tool(**{"name": name, **words})(body)

    def _asked(self, name: str) -> Mapping[str, Any]:
        """The call of a session that goes on here, however late it arrives."""
        beside = BESIDE.get()
        if isinstance(beside, tuple) and beside[0] is self and beside[1]["name"] == name:
            given: Mapping[str, Any] = beside[1]
            return given
        raise ScenarioError(f"{name} is a tool of an MCP server: only a session can call it.")

    def follows(self, world: Any) -> None:
        """Another leg of the run begins, in this world."""
        self._worlds[world.leg] = self._last = world

    async def awaited(self, given: Mapping[str, Any]) -> Any:
        """A session is asked to call a tool."""
        name, arguments = given["name"], dict(given.get("arguments") or {})
        world = self._worlds.get(LEG.get(), self._last)
        if name not in {*world.gateway.specs, *self._lists.tools}:
            with suppress(Exception):  # what cannot be asked has said nothing
                await self._lists.awaited({"self": given["self"]})
        if name not in world.gateway.specs:  # nor has another session asked for it meanwhile
            self.declare(name)
        token = BESIDE.set((self, given))
        try:
            reply = await world.acall(name, arguments)
        except TimeoutError as error:  # of this tool alone, and not of the world's others
            if _patience(given):
                raise self._error(408, str(error)) from error
            if not (self._keeps and _in_memory()):
                await asyncio.Event().wait()
            raise self._error(-32000, f"Connection closed ({error})") from error
        except ConnectionError as error:  # it went away
            raise self._error(-32000, f"Connection closed ({error})") from error
        finally:
            BESIDE.reset(token)
        return reply.result if isinstance(reply, (_Text, _Fields)) else self._spoken(reply)

    def called(self, given: Mapping[str, Any]) -> Any:
        raise NotImplementedError("a session's calls are awaited")

    def _spoken(self, reply: object) -> Any:
        """A reply that no server gave, as a result of the protocol."""
        text = self._types.TextContent(type="text", text=as_text(reply))
        return self._types.CallToolResult(content=[text])

    def _error(self, code: int, message: str) -> Exception:
        if hasattr(self._sdk, "MCPError"):
            found: Exception = self._failure(code=code, message=message)
        else:
            found = self._failure(self._types.ErrorData(code=code, message=message))
        return found


class Lists:
    """What servers say of their tools when they are asked for them."""

    def __init__(self, detour: detours.Detour) -> None:
        self.detour = detour
        self.tools: dict[str, Mapping[str, Any]] = {}

    async def awaited(self, given: Mapping[str, Any]) -> Any:
        """A session asks for the tools."""
        result = await self.detour.carry_out(given)
        for tool in result.tools:
            self.tools[tool.name] = tool.model_dump(by_alias=True)
        return result

    def called(self, given: Mapping[str, Any]) -> Any:
        raise NotImplementedError("a session's lists are awaited")


class Request:
    """A request that is out: virtual time stands still until the server has answered, if it is
    one in another process."""

    def __init__(self, detour: detours.Detour) -> None:
        self._detour = detour

    async def awaited(self, given: Mapping[str, Any]) -> Any:
        """It is sent."""
        loop = asyncio._get_running_loop()
        if not isinstance(loop, VirtualLoop) or not _awaits_answer(given.get("request")):
            return await self._detour.carry_out(given)
        with loop.asks("an MCP server"):
            return await self._detour.carry_out(given)

    def called(self, given: Mapping[str, Any]) -> Any:
        raise NotImplementedError("requests are awaited")


def _awaits_answer(request: Any) -> bool:
    """Whether it is one of a session's own, or what a session has its HTTP client post. A GET
    listens, for as long as the session lives."""
    accept = getattr(request, "headers", {}).get("accept", "")
    is_http = hasattr(request, "url")
    return not is_http or (request.method != "GET" and "text/event-stream" in accept)


def _in_memory() -> bool:
    """Whether whoever is asked can only be in this process."""
    loop = asyncio.get_running_loop()
    return isinstance(loop, VirtualLoop) and loop.is_alone()


def _patience(given: Mapping[str, Any]) -> object:
    """How long the application waits for an answer: None for ever."""
    said = given.get("read_timeout_seconds")
    session = given["self"]
    return said if said is not None else getattr(session, "_session_read_timeout_seconds", None)


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
