"""The guard of the HTTP server: who may ask, and how much.

Law: only a program on this machine that means this server is answered (a web page that a browser
shows is not: its Host or its Origin gives it away), only JSON is taken, and no body is kept that
is longer than `BODY`, however it is sent; a body of n bytes costs n steps. Called by the server,
for every face alike.
"""

import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

BODY = 16 * 2**20  # bytes
_DRAINED = 4 * BODY  # bytes that are read and thrown away, so that a client hears why


class Refused(Exception):
    """A request is not answered: with this `status`. `strange`: whoever asks is no agent of this
    run, and nothing of the run may depend on it."""

    def __init__(self, status: int, sentence: str, *, strange: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.strange = strange


def rpc_error(refused: Refused) -> bytes:
    """A refusal as those read it who speak JSON-RPC."""
    error = {"code": -32600, "message": str(refused)}  # invalid request
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()


class Gone(Exception):
    """The client went away in the middle of its request."""


def check(scope: Any) -> None:
    """Judge a request by its head. Raises Refused."""
    port = scope["server"][1]
    given: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        given.setdefault(name, []).append(value.decode("latin-1").strip())
    hosts = given.get(b"host", [])
    if len(hosts) != 1 or not _here(f"http://{hosts[0]}", port):
        raise Refused(
            421,
            f"Host is {', '.join(hosts) or 'missing'}; served is 127.0.0.1:{port} alone.",
            strange=True,
        )
    for origin in given.get(b"origin", []):
        if not _here(origin):
            raise Refused(
                403, f"Origin is {origin}; pages of this machine alone may ask.", strange=True
            )
    kinds = given.get(b"content-type", [])
    lengths = given.get(b"content-length", [])
    body = any(length != "0" for length in lengths) or b"transfer-encoding" in given
    if (body or kinds) and [_media_type(kind) for kind in kinds] != ["application/json"]:
        raise Refused(
            415, f"Content-Type is {', '.join(kinds) or 'missing'}; taken is application/json."
        )


async def body(receive: Any) -> bytes:
    """The body of a request, whole. Raises Refused for one that is too long, Gone."""
    pieces: list[bytes] = []
    length, more = 0, True
    while more and length <= _DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        length += len(piece)
        more = message.get("more_body", False)
        if length <= BODY:
            pieces.append(piece)
        else:
            pieces.clear()
    if length > BODY:
        raise Refused(413, f"the body is longer than {BODY:,} bytes.")
    return b"".join(pieces)


def again(given: bytes, receive: Any) -> Any:
    """A `receive` of a request whose body was read already."""
    left = [{"type": "http.request", "body": given, "more_body": False}]

    async def receiving() -> Any:
        return left.pop() if left else await receive()

    return receiving


def _media_type(kind: str) -> str:
    return kind.partition(";")[0].strip().lower()


def _here(address: str, port: int | None = None) -> bool:
    """Whether a web address is one of this machine (and of this port)."""
    try:
        found = urlsplit(address)
        if found.scheme not in ("http", "https") or found.username is not None:
            return False
        if port is not None and (found.port or 80) != port:
            return False
        host = (found.hostname or "").lower()
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
