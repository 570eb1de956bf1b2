"""aiohttp: a connection in memory, where its connector would open one.

Law: the session, its timeouts, its pool's limits and its parser are aiohttp's own; only the
transport is ours. The world is asked in the task that waits for the reply, after others got their
turn, and they get it again between any two events of a stream. Put in by `patches`.
"""

import asyncio
import errno
from collections.abc import Iterator
from functools import cache, wraps
from typing import Any

from agentfuzz.core.errors import NetworkRefused
from agentfuzz.runtime import leaks
from agentfuzz.wire.reach import http1
from agentfuzz.wire.reach.seam import Seam
from agentfuzz.wire.reach.worlds import Reached, reached


def seams(library: Any) -> Iterator[Seam]:
    """What is patched in aiohttp.connector."""

    def create(real: Any) -> Any:
        @wraps(real)
        async def _create_connection(self: Any, req: Any, *args: Any, **named: Any) -> Any:
            url = req.url
            try:
                found = reached(req.method, url.host or "", url.port, url.raw_path)
                if found is None and not req.proxy:  # it is looked up in a task of its own
                    leaks.looks_up(url.host, url.port)
            except NetworkRefused as refused:
                raise library.ClientConnectorError(req.connection_key, refused) from refused
            if found is None:
                return await real(self, req, *args, **named)
            protocol = _asking(library.ResponseHandler)(asyncio.get_running_loop())
            protocol.connection_made(_Memory(protocol, found))
            return protocol

        return _create_connection

    yield Seam(library.TCPConnector, "_create_connection", create)


@cache
def _asking(handler: Any) -> Any:
    """aiohttp's protocol, which asks the world when its first reply is waited for."""

    async def read(self: Any) -> Any:
        if self.transport is not None:
            await self.transport.ask()
        return await handler.read(self)

    def set_exception(self: Any, *given: Any) -> None:
        handler.set_exception(self, *given)
        if self.transport is not None:
            self.transport.give_up()

    return type("Asking", (handler,), {"read": read, "set_exception": set_exception})


class _Memory(asyncio.Transport):
    """A connection of one request, and a reply that is fed piece by piece."""

    def __init__(self, protocol: Any, to: Reached) -> None:
        super().__init__()
        self._protocol = protocol
        self._to = to
        self._sent = bytearray()
        self._loop = asyncio.get_running_loop()
        self._whole: asyncio.Future[http1.Request | None] = self._loop.create_future()
        self._reply: http1.Played | None = None
        self._left: Iterator[bytes] = iter(())
        self._closing = self._paused = False

    async def ask(self) -> None:
        """Ask the world, once the request is whole, if it ever is. Raises CutOff."""
        found = await self._whole
        if found is None or self._reply is not None:
            return
        await asyncio.sleep(0)
        self._reply = http1.played(self._to.answer(*found))
        self._left = iter(self._reply.pieces)
        self._loop.call_soon(self._play)

    def _play(self) -> None:
        if self._closing or self._paused or self._reply is None:
            return
        for piece in self._left:
            self._protocol.data_received(piece)
            self._loop.call_soon(self._play)
            return
        if self._reply.last == "closed":
            self._lose(None)
        elif self._reply.last == "reset":
            self._lose(ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"))

    def give_up(self) -> None:
        """The request is never whole: sending it has failed, or took too long."""
        if not self._whole.done():
            self._whole.set_result(None)

    def _lose(self, error: Exception | None) -> None:
        self._closing = True
        self._protocol.connection_lost(error)

    def write(self, data: Any) -> None:
        """Keep a part of the request."""
        self._sent += data
        found = None if self._whole.done() else http1.request(bytes(self._sent))
        if found is not None:
            self._whole.set_result(found)

    def is_closing(self) -> bool:
        """Whether nothing is read any more."""
        return self._closing

    def close(self) -> None:
        """The client reads no more."""
        if not self._closing:
            self._closing = True
            self.give_up()
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def pause_reading(self) -> None:
        """The client has enough for now."""
        self._paused = True

    def resume_reading(self) -> None:
        """The client wants more."""
        if self._paused:
            self._paused = False
            self._loop.call_soon(self._play)

    def is_reading(self) -> bool:
        """Whether the client takes what comes."""
        return not (self._closing or self._paused)
