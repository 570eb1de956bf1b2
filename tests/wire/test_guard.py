"""The HTTP server answers programs of this machine alone, takes JSON alone, and bounds bodies."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from agentfuzz.wire import guard, serve

from .parts import CHAT, FakeWorld, says

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Pay."}]}).encode()
JSON = {"content-type": "application/json"}


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld(says("Done."), says("Done."))


@pytest.fixture
def port(world: FakeWorld) -> Iterator[int]:
    with serve(world) as urls:
        yield int(urls.anthropic.rpartition(":")[2])


def ask(port: int, method: str = "POST", path: str = CHAT, body: Any = BODY, **headers: str) -> Any:
    """Status and JSON of the answer; `headers` are written with underscores."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    given = {name.replace("_", "-"): value.format(port=port) for name, value in headers.items()}
    chunked = not isinstance(body, bytes | None)
    connection.putrequest(method, path, skip_host="host" in given)
    if chunked:
        given["transfer-encoding"] = "chunked"
    elif body is not None:
        given["content-length"] = str(len(body))
    for name, value in given.items():
        connection.putheader(name, value)
    connection.endheaders(body, encode_chunked=chunked)
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, json.loads(text) if text.startswith(b"{") else text


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"]
)
def test_names_of_this_machine_are_answered(port: int, host: str) -> None:
    assert ask(port, host=host, content_type="application/json")[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}",
     "127.0.0.1.evil.example:{port}", "u@127.0.0.1:{port}", "10.0.0.1:{port}", ":{port}", "[:",
     "127.0.0.1:x"],
)  # fmt: skip
@pytest.mark.parametrize("path", [CHAT, "/mcp"])
def test_another_host_is_not_served(world: FakeWorld, port: int, host: str, path: str) -> None:
    """A page whose name was bound to this machine (DNS rebinding) has its own name in Host. It
    gets nothing, and the run does not count it."""
    status, said = ask(port, path=path, host=host, content_type="application/json")
    assert status == 421
    assert "Host" in said["error"]["message"]
    assert not world.model.shown
    assert world.budget == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 403), ("http://127.0.0.1.evil.example", 403),
     ("file://localhost", 403), ("http://localhost:3000", 200), ("http://127.0.0.1:{port}", 200),
     ("http://[::1]:8080", 200)],
)  # fmt: skip
def test_origin(world: FakeWorld, port: int, origin: str, status: int) -> None:
    """A page of another site may not ask; none at all (no browser), or one of this machine may."""
    assert ask(port, origin=origin, content_type="application/json")[0] == status
    assert len(world.model.shown) == (status == 200)
    if status == 403:
        assert ask(port, path="/mcp", origin=origin, content_type="application/json")[0] == 403


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/json", 200), ("Application/JSON; charset=utf-8", 200), ("text/plain", 415),
     ("application/x-www-form-urlencoded", 415), ("application/jsonp", 415), ("", 415),
     ("text/plain; application/json", 415)],
)  # fmt: skip
def test_json_alone(world: FakeWorld, port: int, kind: str, status: int) -> None:
    """What a page may send without being asked about it (text, a form) is not taken; in the
    provider's own form, and a crossing as every mistake of an agent."""
    found, said = ask(port, content_type=kind)
    assert found == status
    assert len(world.model.shown) == (status == 200)
    assert world.budget == (200 if status == 200 else 199)
    assert status == 200 or said["error"]["type"] == "invalid_request_error"


def test_nothing_said_of_the_body(port: int) -> None:
    assert ask(port)[0] == 415
    assert ask(port, "GET", "/v1/models", None)[0] == 200
    assert ask(port, "GET", "/v1/models", b"")[0] == 200


def test_a_body_is_bounded(world: FakeWorld, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that does not say how long it is; and the longest one that is taken is taken."""
    monkeypatch.setattr(guard, "BODY", 200_000)
    fits = BODY + b" " * (200_000 - len(BODY))
    assert ask(port, body=fits, content_type="application/json")[0] == 200
    for body in (fits + b" ", iter([fits, b" "]), iter([b" " * 1000] * 300)):
        status, said = ask(port, body=body, content_type="application/json")
        assert status == 413
        assert "200,000 bytes" in said["error"]["message"]
    assert ask(port, path="/mcp", body=fits * 2, content_type="application/json")[0] == 413
    assert len(world.model.shown) == 1


def test_a_body_in_many_pieces_is_joined_once() -> None:
    """A body costs as much as it is long: no piece is copied with each one that follows."""

    class Piece(bytes):
        def __radd__(self, other: bytes) -> bytes:
            raise AssertionError("a body is joined at its end")

    pieces = [{"type": "http.request", "body": Piece(b"x"), "more_body": n > 0} for n in range(9)]

    async def receive() -> Any:
        return pieces.pop()

    reading = guard.body(receive)
    with pytest.raises(StopIteration) as done:
        reading.send(None)
    assert done.value.value == b"x" * 9
