"""What `everywhere` does not answer: refused, named by its line, and nothing of it in silence."""

import asyncio
import http.server
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import httpx2
import openai
import pytest
import requests

from agentfuzz import run, scenario
from agentfuzz.core.errors import NetworkRefused
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks
from agentfuzz.wire import everywhere
from agentfuzz.world.injector import FromPlan

EMBEDDINGS = "https://api.openai.com/v1/embeddings"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2:generateContent"
OTHER = "https://crm.example.invalid/contacts"


@scenario(task="Look.", script=["Seen."])
def looking(world: Any) -> None:
    pass


def by_httpx(url: str) -> None:
    httpx.post(url, json={})


def by_httpx2(url: str) -> None:
    httpx2.post(url, json={})


def by_requests(url: str) -> None:
    requests.post(url, json={}, timeout=5)


async def by_httpx_async(url: str) -> None:
    async with httpx.AsyncClient() as client:
        await client.post(url, json={})


async def by_aiohttp(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        await session.post(url, json={})


WAYS = {
    by_httpx: httpx.ConnectError,
    by_httpx2: httpx2.ConnectError,
    by_requests: requests.ConnectionError,
    by_httpx_async: httpx.ConnectError,
    by_aiohttp: aiohttp.ClientConnectorError,
}
EVERY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def inside(way: Callable[..., Any], url: str) -> Any:
    """An agent that asks in the block, and gives what its library raised."""
    if asyncio.iscoroutinefunction(way):

        async def asynchronous(world: Any) -> list[str]:
            with everywhere(world):
                try:
                    await way(url)
                except Exception as error:
                    return told(error)
            return []

        return asynchronous

    def agent(world: Any) -> list[str]:
        with everywhere(world):
            try:
                way(url)
            except Exception as error:
                return told(error)
        return []

    return agent


def told(error: BaseException | None) -> list[str]:
    """The class of an exception, then the words of all that led to it."""
    words = [type(error).__name__]
    while error is not None:
        words.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return words


def value(agent: Any) -> Any:
    leaks.taken()
    found = run(looking, agent).history.ended
    assert found is not None
    return found.value


@EVERY
@pytest.mark.parametrize("url", [EMBEDDINGS, GEMINI])
def test_what_no_face_speaks_is_refused_and_named(way: Any, url: str) -> None:
    """As the library's own error of a connection; the words say host, path and what is spoken, and
    the note the line that asked."""
    kind, *words = value(inside(way, url))
    assert kind == WAYS[way].__name__ or issubclass(getattr(aiohttp, kind), WAYS[way])
    place = url.removeprefix("https://")
    text = " ".join(words)
    assert f"agentfuzz refuses POST {place}: it is a model provider's" in text
    assert "OpenAI's chat/completions and responses and Anthropic's messages" in text
    assert "allow_network=(" in text
    (noted,) = leaks.taken()
    assert noted.kind == f"POST {place}"
    assert "refused" in noted.detail
    assert noted.where is not None
    assert noted.where.endswith(f" {way.__name__}")


@EVERY
def test_any_other_host_is_the_networks_affair(way: Any) -> None:
    """Refused as without the block, with its host and the line that asked."""
    kind, *words = value(inside(way, OTHER))
    assert issubclass(getattr(aiohttp, kind, WAYS[way]), WAYS[way])
    assert "agentfuzz refuses the network in a run: crm.example.invalid" in " ".join(words)
    (noted,) = leaks.taken()
    assert (noted.kind, noted.detail) == (
        "socket.getaddrinfo",
        "crm.example.invalid:443 (refused)",
    )
    assert noted.where is not None
    assert noted.where.endswith(f" {way.__name__}")


def test_a_refusal_reaches_through_an_sdk() -> None:
    """The SDK tries thrice, and says `Connection error.`; the run has the note."""

    def embedding(world: Any) -> list[str]:
        with everywhere(world):
            try:
                openai.OpenAI().embeddings.create(model="m", input="x")
            except openai.APIConnectionError as error:
                return told(error)
        return []

    assert "POST api.openai.com/v1/embeddings" in " ".join(value(embedding))
    noted = [one.kind for one in leaks.taken() if one.kind.startswith("POST")]
    assert noted == ["POST api.openai.com/v1/embeddings"]


class _Local(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *given: Any) -> None:
        pass


@pytest.fixture
def local() -> Iterator[str]:
    """A server of the user's own on loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Local) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_this_machine_is_let_through(local: str) -> None:
    """Paths that are no model's are the local server's, also on a connection kept open; a model's
    path is the world's, whoever listens there."""

    def agent(world: Any) -> list[Any]:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        found = []
        with everywhere(world), requests.Session() as one, httpx.Client() as two:
            for client in (one, two):
                for path in ("/health", "/v1/chat/completions", "/v1/embeddings"):
                    answer = client.post(local + path, json=body, timeout=5).json()
                    found.append(answer.get("path") or answer["object"])
        return found

    assert value(agent) == ["/health", "chat.completion", "/v1/embeddings"] * 2


def test_ollamas_own_protocol_is_refused() -> None:
    words = value(inside(by_requests, "http://localhost:11434/api/chat"))
    assert "refuses POST localhost/api/chat" in " ".join(words)


def test_what_is_allowed_goes_out() -> None:
    """A provider's host that the test lets through is asked for what no face speaks; what a face
    speaks stays the world's."""
    asked: list[Any] = []

    def agent(world: Any) -> list[str]:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        url = "https://api.openai.com/v1/chat/completions"
        with everywhere(world):
            found = requests.post(url, json=body, timeout=5).json()["object"]
            for way in (by_requests, by_httpx):
                try:
                    way("https://api.openai.com/v1/embeddings")
                except Exception as error:
                    asked.append(any("NetworkRefused" in one for one in told(error)))
        return [found]

    def nowhere(host: Any, *given: Any, **named: Any) -> Any:
        asked.append(host)
        raise OSError("no such host in this test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.getaddrinfo", nowhere)
        with Simulation(allow_network=("api.openai.com",)) as simulation:
            found = simulation.execute(looking, agent, FromPlan())
    assert found.ended is not None
    assert found.ended.value == ["chat.completion"]
    assert asked == ["api.openai.com", False] * 2


def test_nothing_is_reached_while_a_cassette_is_recorded() -> None:
    """Real requests go out: here they come to the gate of the network."""

    class Recording:
        recording = True

    real = requests.adapters.HTTPAdapter.send, httpx.HTTPTransport.handle_request
    with everywhere(Recording()):
        assert real == (requests.adapters.HTTPAdapter.send, httpx.HTTPTransport.handle_request)

    def agent(world: Any) -> list[str]:
        with everywhere(Recording()):
            try:
                by_requests(EMBEDDINGS)
            except requests.ConnectionError as error:
                return told(error)
        return []

    assert "refuses the network in a run: api.openai.com" in " ".join(value(agent))
    assert NetworkRefused.__name__ in " ".join(value(agent))


SESSION = """
    import httpx, requests
    from agentfuzz import Completion, fuzz, scenario
    from agentfuzz.wire import everywhere

    BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

    @scenario(task="Say hello.", script=["Hello."])
    def greeting(world):
        pass

    @fuzz(greeting, only=("rate_limited",), max_runs=12)
    def test_it(world):
        with everywhere(world):
            try:
                httpx.post("https://api.openai.com/v1/embeddings", json={})
            except httpx.ConnectError:
                pass
            try:
                requests.get("https://crm.example.invalid/")
            except requests.ConnectionError:
                pass
            requests.post("https://api.openai.com/v1/chat/completions", json=BODY, timeout=5)
        return Completion.success()
"""


@pytest.mark.slow
def test_a_campaign_names_what_was_refused(tmp_path: Path) -> None:
    """Each with the line of the test that asked, as AF905; it fails nothing."""
    (tmp_path / "test_it.py").write_text(textwrap.dedent(SESSION))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--agentfuzz"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    lines = " ".join(done.stdout.split())
    assert "1 passed" in lines, done.stdout
    for what, line in (
        ("POST api.openai.com/v1/embeddings (refused: a model's, not spoken)", 16),
        ("socket.getaddrinfo crm.example.invalid:443 (refused)", 20),
    ):
        assert f"AF905 escapes control: {what} at test_it.py:{line}" in lines, done.stdout
