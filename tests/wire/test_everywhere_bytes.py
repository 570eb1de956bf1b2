"""A reply as bytes, and its endings through the real parsers of http.client and aiohttp."""

import http.client
from typing import Any

import aiohttp
import pytest

from agentfuzz import run, scenario
from agentfuzz.wire import everywhere
from agentfuzz.wire.reach import http1
from agentfuzz.wire.router import Face, WireReply

HEAD = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nX-Y: 1:2\r\n"
LENGTH = HEAD + b"Content-Length: 4\r\n\r\nbody"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x=y\r\ndy\r\n0\r\n\r\n"


@pytest.mark.parametrize("sent", [LENGTH, CHUNKED])
def test_a_request_is_one_once_it_is_whole(sent: bytes) -> None:
    for size in range(len(sent)):
        assert http1.request(sent[:size]) is None, sent[:size]
    found = http1.request(sent)
    assert found is not None
    assert (found.method, found.path, found.body) == ("POST", "/v1/x", b"body")
    assert found.headers["x-y"] == "1:2"


def test_a_request_without_a_body() -> None:
    found = http1.request(b"GET /v1/models HTTP/1.1\r\n\r\n")
    assert found == ("GET", "/v1/models", {}, b"")


STREAM = {"content-type": "text/event-stream"}
REPLIES = {
    "whole": WireReply(200, {"content-type": "text/plain"}, (b"ab", b"cd")),
    "overloaded": WireReply(529, {}, (b"{}",)),
    "stream": WireReply(200, STREAM, (b"a", b"b" * 300_000, b"c"), streamed=True),
    "cut stream": WireReply(200, STREAM, (b"a", b"b"), "cut", streamed=True),
    "dropped": WireReply(0, ending="cut"),
    "reset": WireReply(0, ending="reset"),  # type: ignore[arg-type]
    "reset stream": WireReply(200, STREAM, (b"a", b"b"), "reset", streamed=True),  # type: ignore[arg-type]
    "silence": WireReply(0, ending="never"),
    "silent stream": WireReply(200, STREAM, (b"a", b"b"), "never", streamed=True),
}
SYNC = {
    "whole": "200 abcd",
    "overloaded": "529 {}",
    "stream": "200 aBc",
    "cut stream": "200 ab",
    "dropped": "RemoteDisconnected",
    "reset": "ConnectionResetError",
    "reset stream": "ConnectionResetError",
    "silence": "TimeoutError",
    "silent stream": "TimeoutError",
}
ASYNC = SYNC | {
    "dropped": "ServerDisconnectedError",
    "reset": "ClientOSError",
    "reset stream": "ClientPayloadError",
    "silence": "SocketTimeoutError",
    "silent stream": "SocketTimeoutError",
}


@scenario(task="Say hello.", script=["Hello."])
def greeting(world: Any) -> None:
    pass


@pytest.fixture(params=REPLIES)
def name(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the reply that every face gives now."""
    monkeypatch.setattr(Face, "answer", lambda *given, **more: REPLIES[request.param])
    return str(request.param)


def test_what_a_sync_client_sees(name: str) -> None:
    def agent(world: Any) -> str:
        with everywhere(world):
            connection = http.client.HTTPSConnection("api.openai.com", timeout=3)
            try:
                connection.request("POST", "/v1/responses", b"{}")
                reply = connection.getresponse()
                return f"{reply.status} {short(reply.read())}"
            except OSError as error:
                return type(error).__name__

    assert value(agent, "silen" in name) == SYNC[name]


def test_what_an_async_client_sees(name: str) -> None:
    async def agent(world: Any) -> str:
        timeout = aiohttp.ClientTimeout(sock_read=3)
        with everywhere(world):
            async with aiohttp.ClientSession(timeout=timeout) as session:
                try:
                    async with session.post("https://api.openai.com/v1/responses") as reply:
                        return f"{reply.status} {short(await reply.read())}"
                except aiohttp.ClientError as error:
                    return type(error).__name__

    assert value(agent, "silen" in name) == ASYNC[name]


def short(body: bytes) -> str:
    return body.replace(b"b" * 300_000, b"B").decode()


def value(agent: Any, waits: bool) -> Any:
    ended = run(greeting, agent).history.ended
    assert ended is not None
    assert (ended.t >= 3) == waits
    return ended.value
