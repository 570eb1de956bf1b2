"""One HTTP exchange of an MCP request, and how it ends when a fault says so.

Law: a reply that is lost is lost before its headers; in the middle, where it had begun (progress
was told) or the fault's variant says so. Headers wait for the first byte of the body, so that until
then nothing has begun. Made by the ASGI app for every request, told by whoever answers it.
"""

from collections.abc import Awaitable
from typing import Any, Protocol

from agentfuzz.wire.mcp.sessions import Sessions

EXCHANGE = "agentfuzz.exchange"  # in the ASGI scope
DROPPED, EVENTS, JSON, LOST = "dropped", "events", "json", "lost"
ENDINGS = (DROPPED, EVENTS, JSON)  # of a lost connection, by the fault's variant
_SSE = (b"content-type", b"text/event-stream")
_JSON = (b"content-type", b"application/json")
_BEGUN = b'{"jsonrpc":"2.0","result":{"content":[{"type":"text","te'
_NOT_FOUND = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}'


class Host(Protocol):
    """The server that the app is part of, which can do what ASGI has no word for."""

    async def silence(self, receive: Any) -> None:
        """Nothing, until the client goes away or the server loses patience."""
        ...

    async def idle(self, work: Awaitable[Any]) -> Any:
        """What the client owes an answer to."""
        ...

    async def drop(self, scope: Any, receive: Any) -> None:
        """Close the connection with nothing sent."""
        ...


class Exchange:
    """One HTTP exchange. `ending` says how it is to end as soon as the reply would be sent: before
    it begins (`dropped`), in the middle of a stream of `events` or of a `json` body, or with 404,
    for the session is `lost`. Without a host nothing can be dropped, and a stream begins."""

    def __init__(
        self, scope: Any, receive: Any, send: Any, sessions: Sessions, host: Host | None
    ) -> None:
        self.ending = ""
        self.before = 0  # messages that are still under way when the end is decided
        self.session = sessions.of(scope)
        self._sessions = sessions
        self._host = host
        self._scope, self._receive, self._send = scope, receive, send
        self._defers = scope["method"] == "POST"  # a stream that nobody asked for begins at once
        self._start: Any = None
        self._begun = self._over = False

    def lose(self) -> None:
        """The server has lost the session of this request."""
        self._sessions.lose(self.session)
        self.ending = LOST

    async def silence(self) -> None:
        """Nothing, for as long as the host holds it, or for ever."""
        assert self._host is not None, "who has none waits by himself"
        await self._host.silence(self._receive)

    async def idle(self, work: Awaitable[Any]) -> Any:
        """What the server asks the client; meanwhile it is the client's turn."""
        return await (work if self._host is None else self._host.idle(work))

    @property
    def held(self) -> bool:
        """Whether somebody ends a silence."""
        return self._host is not None

    async def send(self, message: Any) -> None:
        """Pass a message of the reply on, unless the exchange ends otherwise."""
        if self._over:
            return
        begins = message["type"] == "http.response.start"
        if self.ending and not (begins or self.before):
            self._over = True
            await self._end()
            return
        if begins:
            self._start = self._sessions.named(message)
            if self._defers:
                return
        start, self._start = self._start, None
        if start is not None:
            self._begun = True
            await self._send(start)
        if not begins:
            self.before = max(self.before - 1, 0)
            await self._send(message)

    async def _end(self) -> None:
        """The end that was decided. Where the reply has begun and does not end, the server has no
        choice but to close the connection under it."""
        if self.ending == LOST and not self._begun:
            length = (b"content-length", str(len(_NOT_FOUND)).encode())
            await self._send(_start(404, [_JSON, length]))
            await self._send({"type": "http.response.body", "body": _NOT_FOUND})
        elif self.ending == DROPPED and not self._begun and self._host is not None:
            await self._host.drop(self._scope, self._receive)
        else:
            events = self._begun or self.ending != JSON
            if not self._begun:
                await self._send(_start(200, [_SSE if events else _JSON]))
            body = b"event: message\r\ndata: " * events + _BEGUN
            await self._send({"type": "http.response.body", "body": body, "more_body": True})


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def exchange_of(ctx: Any) -> Exchange | None:
    """The exchange of a request that came over HTTP; None on other transports."""
    found: Exchange | None = getattr(ctx.request, "scope", {}).get(EXCHANGE)
    return found
