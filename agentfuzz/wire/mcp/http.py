"""Streamable HTTP: the MCP server of a world as an ASGI app.

Law: it serves both eras of the protocol, needs no lifespan of the app it is mounted in, and lets
the exchange of one request break when a fault says so. Called by the HTTP server of a world, on
the real loop of its own thread.
"""

import asyncio
from typing import Any

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from agentfuzz.wire.mcp.call import BREAK

_SSE = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]


class Mounted:
    """An ASGI app for one world and one event loop. It starts with its first request; `aclose`
    ends what it has started (closing the loop's tasks does, too)."""

    def __init__(self, server: Any) -> None:
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
        exchange = _Exchange(send)
        await self._manager.handle_request({**scope, BREAK: exchange.why}, receive, exchange.send)

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


class _Exchange:
    """One HTTP exchange. As soon as `why` holds a reason, the response begins, at most, and never
    ends: the server has no choice but to close the connection under it."""

    def __init__(self, send: Any) -> None:
        self.why: list[str] = []
        self._send = send
        self._begun = False
        self._broken = False

    async def send(self, message: Any) -> None:
        """Pass a message of the response on, unless the exchange is to break."""
        if not self.why:
            self._begun = True
            await self._send(message)
            return
        if self._broken:
            return
        self._broken = True
        if not self._begun:
            await self._send({"type": "http.response.start", "status": 200, "headers": _SSE})
        await self._send({"type": "http.response.body", "body": b": \r\n", "more_body": True})
