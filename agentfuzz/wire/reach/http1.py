"""A request and its reply as bytes of HTTP/1.1, for clients that are reached below their parser.

Law: pure. What a client has sent is a request once it is whole; a reply is pieces of bytes and what
comes after the last of them, and that is the one place where its ending is given a meaning. Called
by `sockets` and `aiohttp`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal, NamedTuple

from agentfuzz.wire.router import WireReply

Last = Literal["closed", "reset", "silent"]
_LASTS: dict[str, Last] = {
    "complete": "closed",
    "cut": "closed",
    "reset": "reset",
    "never": "silent",
}


class Request(NamedTuple):
    """What a client has sent. The names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Played(NamedTuple):
    """A reply on a connection: these pieces, then it is closed, reset, or says nothing more."""

    pieces: tuple[bytes, ...]
    last: Last


def request(sent: bytes) -> Request | None:
    """The request in these bytes, or None while it is not whole."""
    head, found, rest = sent.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _joined(rest)
    else:
        length = int(headers.get("content-length", 0))
        body = rest[:length] if len(rest) >= length else None
    method, path, _ = first.split(" ")
    return None if body is None else Request(method, path, headers, body)


def played(reply: WireReply) -> Played:
    """A reply as its bytes."""
    last = _LASTS[reply.ending]
    if reply.streamed:
        chunks = [b"%x\r\n%s\r\n" % (len(one), one) for one in reply.chunks if one]
        end = [b"0\r\n\r\n"] if last == "closed" else []
        return Played((_head(reply, "transfer-encoding: chunked"), *chunks, *end), last)
    if reply.ending != "complete":
        return Played((), last)
    body = reply.body
    return Played((_head(reply, f"content-length: {len(body)}") + body,), last)


def _head(reply: WireReply, framing: str) -> bytes:
    try:
        reason = HTTPStatus(reply.status).phrase
    except ValueError:
        reason = "Error"
    lines = [f"HTTP/1.1 {reply.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    lines += [framing, "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _joined(rest: bytes) -> bytes | None:
    """The body in these chunks, or None while the last is missing."""
    body, at = b"", 0
    while (end := rest.find(b"\r\n", at)) >= 0:
        size = int(rest[at:end].partition(b";")[0], 16)
        if size == 0:
            return body if rest.find(b"\r\n", end + 2) >= 0 else None
        body += rest[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return None
