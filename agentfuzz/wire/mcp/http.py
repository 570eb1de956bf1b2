"""Streamable HTTP: the MCP server of a world as an ASGI app.

Law: it serves both eras of the protocol, needs no lifespan of the app it is mounted in, and lets
the exchange of one request break when a fault says so. Called by the HTTP server of a world, on
the real loop of its own thread.
"""

import asyncio
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from agentfuzz.wire.mcp.exchange import EXCHANGE, Exchange, Host
from agentfuzz.wire.mcp.sessions import Sessions


class Mounted:
    """An ASGI app for one world and one event loop. It starts with its first request; `aclose`
    ends what it has started (closing the loop's tasks does, too)."""

    def __init__(self, server: Any, host: Host | None = None) -> None:
        self._host = host
        self._sessions = Sessions()
        self._manager: Any = StreamableHTTPSessionManager(server)
        self._running: asyncio.Task[None] | None = None
        self._ready: asyncio.Event | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        if self._ready is None:
            self._ready = asyncio.Event()
            self._running = asyncio.create_task(self._run(self._ready))
        await self._ready.wait()
        exchange = Exchange(scope, receive, send, self._sessions, self._host)
        inwards = {**self._sessions.inwards(scope), EXCHANGE: exchange}
        await self._manager.handle_request(inwards, receive, exchange.send)

    async def aclose(self) -> None:
        """End all sessions: requests still waiting are given up."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(self, ready: asyncio.Event) -> None:
        try:
            async with self._manager.run():
                ready.set()
                await asyncio.get_running_loop().create_future()
        finally:
            ready.set()

    async def _lifespan(self, receive: Any, send: Any) -> None:
        """Where this app is served by itself."""
        while True:
            phase = (await receive())["type"].removeprefix("lifespan.")
            if phase == "shutdown":
                await self.aclose()
            await send({"type": f"lifespan.{phase}.complete"})
            if phase == "shutdown":
                return
