"""http.client and urllib3, and so requests, botocore and urllib.request: a connection in memory.

Law: of a connection only the socket is ours; what is sent, parsed and raised, and what is retried,
is the library's own. Its time is virtual: a read that waits for nothing ends at its own timeout.
Put in by `patches`.
"""

import errno
import io
import socket
import threading
from collections import deque
from collections.abc import Iterator
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from agentfuzz.core.errors import CutOff
from agentfuzz.wire.reach import http1
from agentfuzz.wire.reach.seam import Seam
from agentfuzz.wire.reach.worlds import Reached, is_provider, reached

_HUNG = (
    "a connection waits for a model that says no more, and has no timeout: give it one, as in "
    "requests.post(..., timeout=60)"
)
_passing = threading.local()  # `on`: this thread connects really, after all


def client_seams(library: Any) -> Iterator[Seam]:
    """What is patched in http.client: every request of every library above it begins here."""
    yield Seam(library.HTTPConnection, "putrequest", _putrequest)


def urllib3_seams(library: Any) -> Iterator[Seam]:
    """What is patched in urllib3.connection: it connects before its request is begun."""
    yield Seam(library.HTTPSConnection, "connect", _connect)


def _putrequest(real: Any) -> Any:
    @wraps(real)
    def putrequest(self: Any, method: str, url: str, *args: Any, **named: Any) -> Any:
        found = reached(method, *_target(self, url))
        if found is not None:
            if self.sock is not None:
                self.sock.close()
            self.sock = Memory(self.timeout, found)
        elif isinstance(self.sock, Memory):  # it waits for a request that is the network's
            self.sock = None
            _passing.on = True
            try:
                self.connect()
            finally:
                _passing.on = False
        return real(self, method, url, *args, **named)

    return putrequest


def _connect(real: Any) -> Any:
    @wraps(real)
    def connect(self: Any) -> None:
        host, port, _ = _target(self, "")
        if getattr(_passing, "on", False) or not is_provider(host, port):
            real(self)
            return
        self.sock = Memory(self.timeout)
        self.is_verified = True

    return connect


def _target(connection: Any, url: str) -> tuple[str, int | None, str]:
    """Who is really asked, whatever proxy is between."""
    if url.startswith(("http://", "https://")):
        whole = urlsplit(url)
        return whole.hostname or "", whole.port, whole.path
    tunnel = getattr(connection, "_tunnel_host", None)
    if tunnel:
        return tunnel, connection._tunnel_port, url
    return connection.host, connection.port, url


class Memory:
    """What http.client asks of a socket. Nothing is asked of the world before the reply is read."""

    def __init__(self, timeout: Any, to: Reached | None = None) -> None:
        self.sent = bytearray()
        self.to = to
        self.settimeout(timeout)

    def settimeout(self, timeout: Any) -> None:
        """Seconds, None for ever; anything else is the default of sockets."""
        known = timeout is None or isinstance(timeout, int | float)
        self.timeout = timeout if known else socket.getdefaulttimeout()

    def gettimeout(self) -> float | None:
        """How long a read waits."""
        return self.timeout

    def sendall(self, data: Any) -> None:
        """Keep a part of the request."""
        self.sent += data

    def makefile(self, mode: str = "rb", *args: Any, **named: Any) -> io.BufferedReader:
        """The reply, to be read."""
        return io.BufferedReader(_Reply(self))

    def setsockopt(self, *given: Any) -> None:
        """There is nothing to be set."""

    def shutdown(self, how: int) -> None:
        """There is nobody to be told."""

    def close(self) -> None:
        """Nothing is open."""


class _Reply(io.RawIOBase):
    def __init__(self, sock: Memory) -> None:
        self._sock = sock
        self._left: deque[bytes] | None = None
        self._last: http1.Last = "reset"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left is None:
            reply = self._ask()
            self._left, self._last = deque(reply.pieces), reply.last
        if not self._left:
            return self._ended()
        piece = self._left.popleft()
        size = min(len(piece), len(buffer))
        buffer[:size] = piece[:size]
        if size < len(piece):
            self._left.appendleft(piece[size:])
        return size

    def _ask(self) -> http1.Played:
        to, found = self._sock.to, http1.request(bytes(self._sock.sent))
        if to is None or found is None:
            return http1.Played((), "reset")
        return http1.played(to.answer(*found))

    def _ended(self) -> int:
        if self._last == "closed":
            return 0
        if self._last == "reset" or self._sock.to is None:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        if self._sock.timeout is None:
            raise CutOff("hung", _HUNG)
        self._sock.to.world.clock.advance(self._sock.timeout)
        raise TimeoutError("timed out")
