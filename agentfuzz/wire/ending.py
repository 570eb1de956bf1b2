"""How a reply ends: what each transport makes of the four endings of a `WireReply`.

    ending     a stream                               any other reply
    complete   its last event, and a clean end        whole
    cut        a clean end before its last event      closed before the first byte
    reset      a reset before its last event          a reset before the first byte
    never      silence before its last event          silence

Law: in process the exceptions are the client's library's own, and silence takes the client's read
timeout of virtual time; over a socket the connection does what the ending says, and nothing is
written to a client that has gone. Called by the in-process clients and by the server.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agentfuzz.core.errors import CutOff
from agentfuzz.runtime.clock import FOREVER, Clock, active_clock
from agentfuzz.wire.router import WireReply

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time at all
_SLOW = 0.001  # real seconds between two looks at what a slow client has not read yet


@dataclass(frozen=True, slots=True)
class End:
    """The end of a reply in process: to which request of `who`, on whose library and clock."""

    reply: WireReply
    request: Any
    library: Any
    clock: Clock
    who: str

    @property
    def early(self) -> bool:
        """Whether it comes before the first byte."""
        return self.reply.ending != "complete" and not self.reply.streamed

    def comes(self) -> None:
        """What a sync client meets. Raises exceptions of the library, and CutOff where the client
        would wait for ever."""
        if self.reply.ending == "never":
            patience = self._patience()
            if patience == FOREVER:
                raise CutOff("hung", self._waits())
            self.clock.advance(patience)
        self._raises()

    async def acomes(self) -> None:
        """What an async client meets. One that would wait for ever does, until a deadline of its
        agent."""
        if self.reply.ending == "never":
            await self._silence()
        self._raises()

    async def _silence(self) -> None:
        patience = self._patience()
        if patience == FOREVER:
            waiting, text = self.clock.waiting, self._waits()
            waiting.append(text)
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                waiting.remove(text)
        elif active_clock() is None:
            self.clock.advance(patience)  # this loop's own time is real
        else:
            await asyncio.sleep(patience)

    def _patience(self) -> float:
        """How long the client waits for the next byte, in seconds."""
        read = self.request.extensions.get("timeout", {}).get("read")
        return FOREVER if read is None else float(read)

    def _waits(self) -> str:
        what = "the rest of a stream" if self.reply.streamed else "a reply"
        return (
            f"{self.who} waits for {what} that never comes, and has no read timeout: give it one, "
            f"as in {self.who.rpartition('.')[2]}(timeout=60)"
        )

    def _raises(self) -> None:
        library, request = self.library, self.request
        match self.reply.ending:
            case "never":
                raise library.ReadTimeout("The read operation timed out", request=request)
            case "reset":
                text = "[Errno 104] Connection reset by peer"
                raise library.ReadError(text, request=request)
            case "cut" if not self.reply.streamed:
                text = "Server disconnected without sending a response."
                raise library.RemoteProtocolError(text, request=request)


class Events:
    """The events of a stream and its end, for a sync reader."""

    def __init__(self, end: End) -> None:
        self._left, self._end = iter(end.reply.chunks), end

    def __iter__(self) -> "Events":
        return self

    def __next__(self) -> bytes:
        for chunk in self._left:
            return chunk
        self._end.comes()
        raise StopIteration


class AsyncEvents:
    """The same for an async reader: others get their turn between any two. No generator: nothing
    is left to be closed when the reader stops early."""

    def __init__(self, end: End) -> None:
        self._left: Iterator[bytes] = iter(end.reply.chunks)
        self._end = end

    def __aiter__(self) -> "AsyncEvents":
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        for chunk in self._left:
            return chunk
        await self._end.acomes()
        raise StopAsyncIteration


def _unread(transport: asyncio.Transport, end: Any) -> int:
    """How many bytes have not come to the client yet, as far as the system tells: a reset would
    take them back."""
    waiting = transport.get_write_buffer_size()
    if waiting:
        return waiting
    try:
        import fcntl
        import termios

        found = fcntl.ioctl(end.fileno(), termios.TIOCOUTQ, b"\0" * 4)
    except (ImportError, OSError):
        return 0
    return int.from_bytes(found, sys.byteorder)


class Line:
    """The connection of one request to the server: `transport` is None where it is gone."""

    def __init__(self, transport: asyncio.Transport | None, receive: Any, send: Any) -> None:
        self._transport, self._receive, self._send = transport, receive, send

    async def send(self, message: Any) -> None:
        """Send, if somebody is there: asyncio warns of every other try, on stderr."""
        if self._transport is not None and not self._transport.is_closing():
            await self._send(message)

    async def reply(self, reply: WireReply, headers: list[tuple[bytes, bytes]]) -> None:
        """All that is sent of a reply."""
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        for chunk in reply.chunks:
            await self.send({"type": "http.response.body", "body": chunk, "more_body": True})
        if reply.ending in ("complete", "cut"):
            await self.send({"type": "http.response.body", "body": b""})

    async def silence(self, closing: asyncio.Event, hold: float) -> None:
        """Nothing, until the client goes away, the patience ends, or the server stops."""
        ends = [asyncio.ensure_future(self._receive()), asyncio.ensure_future(closing.wait())]
        await asyncio.wait(ends, timeout=hold, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)

    async def drop(self, *, reset: bool) -> None:
        """End the connection with nothing more sent; a client reads what was sent before."""
        transport = self._transport
        if transport is not None:
            end = transport.get_extra_info("socket")
            while not transport.is_closing() and _unread(transport, end):
                await asyncio.sleep(_SLOW)
            if reset and not transport.is_closing():
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()
        while (await self._receive())["type"] != "http.disconnect":
            pass
