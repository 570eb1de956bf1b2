"""`everywhere`: clients that nobody handed over ask the world, above the transport unchanged."""

import asyncio
import json
import os
import threading
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import openai
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from agentfuzz import Completion, run, scenario
from agentfuzz.core.errors import AgentfuzzError, ScenarioError
from agentfuzz.core.events import ModelTurn
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import Real
from agentfuzz.wire import everywhere

CHAT = "https://api.openai.com/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
STREAM = {**BODY, "stream": True}
# Made before any world is there.
OPENAI = openai.OpenAI(api_key="k")
ASYNC_OPENAI = openai.AsyncOpenAI(api_key="k")
ANTHROPIC = anthropic.Anthropic(api_key="k")
HTTPX, HTTPX2, SESSION = httpx.Client(timeout=7), httpx2.Client(timeout=7), requests.Session()


@scenario(task="Say hello.", script=["Hello, you."], max_crossings=12)
def greeting(world: Any) -> None:
    pass


def said(reply: Any) -> str:
    return str(reply["choices"][0]["message"]["content"])


def joined(lines: Any) -> str:
    """What a stream of Chat Completions has said."""
    text = ""
    for line in lines:
        line = line.decode() if isinstance(line, bytes) else line
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                text += choice["delta"].get("content") or ""
    return text


def by_httpx(world: Any) -> str:
    return said(HTTPX.post(CHAT, json=BODY).json())


def by_httpx2(world: Any) -> str:
    return said(HTTPX2.post(CHAT, json=BODY).json())


def by_httpx_stream(world: Any) -> str:
    with HTTPX.stream("POST", CHAT, json=STREAM) as found:
        return joined(found.iter_lines())


async def by_httpx_async(world: Any) -> str:
    async with httpx.AsyncClient(timeout=7) as client:
        return said((await client.post(CHAT, json=BODY)).json())


async def by_httpx2_async_stream(world: Any) -> str:
    async with httpx2.AsyncClient(timeout=7) as client:
        async with client.stream("POST", CHAT, json=STREAM) as found:
            return joined([line async for line in found.aiter_lines()])


def by_requests(world: Any) -> str:
    return said(requests.post(CHAT, json=BODY, timeout=7).json())


def by_a_session(world: Any) -> str:
    return said(SESSION.post(CHAT, data=iter([json.dumps(BODY).encode()]), timeout=7).json())


def by_requests_stream(world: Any) -> str:
    with requests.post(CHAT, json=STREAM, timeout=7, stream=True) as found:
        return joined(found.iter_lines())


def by_urllib(world: Any) -> str:
    asked = urllib.request.Request(CHAT, json.dumps(BODY).encode())
    with urllib.request.urlopen(asked, timeout=7) as found:
        return said(json.load(found))


async def by_aiohttp(world: Any) -> str:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=7)) as session:
        async with session.post(CHAT, json=BODY) as found:
            return said(await found.json())


async def by_aiohttp_stream(world: Any) -> str:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_read=7)) as session:
        async with session.post(CHAT, json=STREAM) as found:
            return joined([line async for line in found.content])


def by_openai(world: Any) -> str:
    return OPENAI.chat.completions.create(**BODY).choices[0].message.content or ""  # type: ignore[call-overload, no-any-return]


async def by_openai_stream(world: Any) -> str:
    chunks = await ASYNC_OPENAI.chat.completions.create(**STREAM)  # type: ignore[call-overload]
    return "".join(
        [chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices]
    )


def by_azure(world: Any) -> str:
    client = openai.AzureOpenAI(
        api_version="2024-10-21", azure_endpoint="https://x.openai.azure.com", api_key="k"
    )
    return str(client.responses.create(model="gpt", input="Hi").output_text)


def by_a_deployment(world: Any) -> str:
    url = "https://x.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=1"
    found = requests.post(url, json={"messages": BODY["messages"]}, timeout=7).json()
    assert found["model"] == "gpt"
    return said(found)


def by_anthropic(world: Any) -> str:
    found = ANTHROPIC.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]
    )
    return found.content[0].text  # type: ignore[union-attr]


def by_groq(world: Any) -> str:
    client = openai.OpenAI(base_url="https://api.groq.com/openai/v1", api_key="k")
    return client.chat.completions.create(**BODY).choices[0].message.content or ""  # type: ignore[call-overload, no-any-return]


def by_ollama(world: Any) -> str:
    url = "http://localhost:11434/v1/chat/completions"
    return said(requests.post(url, json=BODY, timeout=7).json())


WAYS: list[Callable[..., Any]] = [
    by_httpx, by_httpx2, by_httpx_stream, by_httpx_async, by_httpx2_async_stream,
    by_requests, by_a_session, by_requests_stream, by_urllib, by_aiohttp, by_aiohttp_stream,
    by_openai, by_openai_stream, by_azure, by_a_deployment, by_anthropic, by_groq, by_ollama,
]  # fmt: skip


def inside(way: Callable[..., Any]) -> Callable[..., Any]:
    """The agent that does it in the block."""
    if asyncio.iscoroutinefunction(way):

        async def agent(world: Any) -> Any:
            with everywhere(world):
                return await way(world)
    else:

        def agent(world: Any) -> Any:
            with everywhere(world):
                return way(world)

    return agent


def ended(way: Callable[..., Any], plan: str = "") -> Any:
    found = run(greeting, inside(way), plan).history.ended
    assert found is not None
    return found


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_client_asks_the_world(way: Any) -> None:
    """Whoever made it, and when; plain and streamed; each request is one crossing."""
    history = run(greeting, inside(way)).history
    assert history.ended is not None
    assert history.ended.value == "Hello, you."
    assert len(history.of(ModelTurn)) == 1
    assert history.ended.t < 0.1


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_equal_runs_have_equal_histories(way: Any) -> None:
    plan = "model#1:rate_limited"
    first, second = (run(greeting, inside(way), plan).history for _ in range(2))
    assert first.events == second.events


# A fault ends as the library's own exception, at the client's own timeout of virtual time.
TIMEOUT = {
    by_httpx: "ReadTimeout",
    by_httpx2_async_stream: "ReadTimeout",
    by_requests: "ReadTimeout",
    by_requests_stream: "ReadTimeout",
    by_urllib: "TimeoutError",
    by_aiohttp: "SocketTimeoutError",
    by_aiohttp_stream: "SocketTimeoutError",
}
CUT = {
    by_httpx: "RemoteProtocolError",
    by_requests: "ConnectionError",
    by_urllib: "RemoteDisconnected",
    by_aiohttp: "ServerDisconnectedError",
}


@pytest.mark.parametrize("way", TIMEOUT, ids=lambda way: way.__name__)
def test_silence_is_the_librarys_own_timeout(way: Any) -> None:
    begun = Real.monotonic()
    found = ended(way, "model#1:timeout")
    assert (found.how, found.error) == ("raised", TIMEOUT[way])
    assert 7 <= found.t < 8
    assert Real.monotonic() - begun < 60


@pytest.mark.parametrize("way", CUT, ids=lambda way: way.__name__)
def test_a_dropped_connection_is_the_librarys_own_error(way: Any) -> None:
    found = ended(way, "model#1:cut")
    assert (found.how, found.error) == ("raised", CUT[way])


@pytest.mark.parametrize("way", [by_requests_stream, by_aiohttp_stream, by_httpx_stream])
def test_a_cut_stream_ends_early(way: Any) -> None:
    found = ended(way, "model#1:cut")
    assert found.how == "returned"
    assert found.value != "Hello, you."
    assert "Hello, you.".startswith(found.value)


def test_a_client_without_a_timeout_hangs() -> None:
    def requesting(world: Any) -> Any:
        return requests.post(CHAT, json=BODY)

    async def awaiting(world: Any) -> Any:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            await session.post(CHAT, json=BODY)

    for way in (requesting, awaiting):
        found = ended(way, "model#1:timeout")
        assert (found.how, found.error) == ("cut_off", "hung")


def test_a_request_that_is_never_whole_is_not_waited_for() -> None:
    """What its sender raises ends it, as on a real connection; so does its own timeout."""

    async def fails() -> Any:
        yield b"{"
        raise ValueError("no more")

    async def stops() -> Any:
        yield b"{"
        await asyncio.sleep(1e6)

    for body, error in ((fails, "ClientConnectionError"), (stops, "TimeoutError")):

        async def agent(world: Any, body: Any = body) -> Any:
            async with aiohttp.ClientSession() as session:
                await session.post(CHAT, data=body())

        found = ended(agent)
        assert (found.how, found.error) == ("raised", error)


def test_retries_are_the_librarys_own() -> None:
    """Hidden in the SDK, or in an adapter of requests: each is a crossing."""

    def adapted(world: Any) -> str:
        session = requests.Session()
        rule = Retry(total=3, backoff_factor=1, status_forcelist=[429], allowed_methods=None)
        session.mount("https://", HTTPAdapter(max_retries=rule))
        return said(session.post(CHAT, json=BODY, timeout=7).json())

    for way in (by_openai, adapted):
        for fault in ("rate_limited", "timeout", "cut"):
            history = run(greeting, inside(way), f"model#1:{fault}").history
            assert history.ended is not None
            assert history.ended.value == "Hello, you."
            assert len(history.of(ModelTurn)) == 2


@pytest.mark.slow
def test_the_budget_reaches_through_every_library() -> None:
    """The end of a run is nobody's to swallow."""
    for way in WAYS:

        def endless(world: Any, way: Any = way) -> None:
            while True:
                way(world)

        async def endless_async(world: Any, way: Any = way) -> None:
            while True:
                await way(world)

        found = ended(endless_async if asyncio.iscoroutinefunction(way) else endless)
        assert (found.how, found.error) == ("cut_off", "budget"), way


def test_threads_of_the_agent_are_in_the_block() -> None:
    def crowd(world: Any) -> list[str]:
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(by_requests(world))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    assert ended(crowd).value == ["Hello, you."] * 3


def test_threads_of_an_async_agent_are_in_the_block() -> None:
    """Sync clients in threads of the loop's, beside async ones, all at once."""

    async def agent(world: Any) -> list[str]:
        ways = [asyncio.to_thread(way, world) for way in (by_requests, by_httpx, by_urllib)]
        return list(await asyncio.gather(*ways, by_aiohttp(world), by_openai_async(world)))

    async def by_openai_async(world: Any) -> str:
        return await by_openai_stream(world)

    assert ended(agent).value == ["Hello, you."] * 5


@pytest.mark.parametrize("way", WAYS[:-1], ids=lambda way: way.__name__)
def test_a_proxy_of_the_environment_is_not_asked(way: Any, monkeypatch: Any) -> None:
    """As on many a company's machine."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://proxy.example.invalid:3128")
    leaks.taken()  # those of other tests
    assert ended(way).value == "Hello, you."
    assert not [one for one in leaks.taken() if one.kind.startswith("socket.")]


def test_ids_do_not_repeat() -> None:
    """One face for a world, however many clients and blocks."""

    def agent(world: Any) -> int:
        found = []
        for _ in range(3):
            with everywhere(world):
                found.append(requests.post(CHAT, json=BODY, timeout=7).json()["id"])
                found.append(httpx.post(CHAT, json=BODY).json()["id"])
        return len(set(found))

    assert ended(agent).value == 6


def test_a_gateway_of_ones_own() -> None:
    """By its name, with a port or without, whatever stands before the endpoint."""

    def agent(world: Any) -> list[str]:
        found = []
        with everywhere(world, "llm.internal.example", "localhost:9000", "Other.example:8443"):
            for url in (
                "https://llm.internal.example/gateway/v7/chat/completions",
                "http://localhost:9000/team/chat/completions",
                "https://other.example:8443/chat/completions",
            ):
                found += [said(requests.post(url, json=BODY, timeout=7).json())]
                found += [said(httpx.post(url, json=BODY).json())]
        return found

    assert ended(agent).value == ["Hello, you."] * 6


@pytest.mark.parametrize("wrong", ["https://a.example", "a.example/v1", "", "a b"])
def test_a_host_is_a_name(wrong: str) -> None:
    def agent(world: Any) -> None:
        with everywhere(world, wrong):
            pass

    with pytest.raises(AgentfuzzError, match="no name of a host"):
        run(greeting, agent)


def test_a_world_without_a_model_says_so_at_once() -> None:
    @scenario(task="Nothing.")
    def silent(world: Any) -> None:
        pass

    def agent(world: Any) -> None:
        with everywhere(world):
            raise AssertionError("never comes here")

    with pytest.raises(ScenarioError, match="script"):
        run(silent, agent)


def test_keys_are_set_where_they_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the length of the block; one that is there stays."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "mine")

    def agent(world: Any) -> list[Any]:
        with everywhere(world):
            with everywhere(world):
                found = [openai.OpenAI().api_key, anthropic.Anthropic().api_key]
            found.append(os.environ["OPENAI_API_KEY"])
        found.append(os.environ.get("OPENAI_API_KEY", "none"))
        with everywhere(world):
            os.environ["OPENAI_API_KEY"] = "the agent's"
        return [*found, os.environ.get("OPENAI_API_KEY")]

    assert ended_plain(agent) == ["agentfuzz", "mine", "agentfuzz", "none", "the agent's"]


def ended_plain(agent: Any) -> Any:
    found = run(greeting, agent).history.ended
    assert found is not None
    return found.value


def test_concurrent_tasks_ask_their_own_worlds() -> None:
    """Several worlds at once, each with its block; the blocks do not end in order."""

    @scenario(tasks=["one", "two"], concurrent=True, script=[["First."], ["Second."]])
    def both(world: Any) -> None:
        pass

    said_by: dict[str, str] = {}

    async def agent(world: Any) -> Completion:
        with everywhere(world):
            await asyncio.sleep(1 if world.task == "one" else 3)
            said_by[world.task] = await by_aiohttp(world)
            await asyncio.sleep(5 if world.task == "one" else 1)
            said_by[f"{world.task} again"] = await by_httpx_async(world)
        return Completion.success()

    run(both, agent)
    assert said_by["one"] == "First."
    assert said_by["two"] == "Second."
    assert {"one again", "two again"} < set(said_by)


# What the block leaves, and whose rules hold in it -----------------------------------------------


def test_a_block_that_nobody_closes_ends_with_its_run() -> None:
    """An agent that enters one and never leaves it: the next run and the next test see nothing."""
    kept = ExitStack()
    before = httpx.HTTPTransport.handle_request

    def agent(world: Any) -> str:
        kept.enter_context(everywhere(world))
        return str(openai.OpenAI().chat.completions.create(**BODY).choices[0].message.content)

    for _ in range(2):
        assert run(greeting, agent).history.ended.value == "Hello, you."
        assert httpx.HTTPTransport.handle_request is before
    kept.close()
    assert "OPENAI_API_KEY" not in os.environ


TAKEN = {
    "no tools": {"tools": []},
    "a choice without tools": {"tool_choice": "none"},
    "a text and calls in between": {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": None},
            {"role": "user", "content": "b"},
        ]
    },
}


@pytest.mark.parametrize("more", TAKEN.values(), ids=TAKEN)
def test_other_providers_have_rules_of_their_own(more: dict[str, Any]) -> None:
    def agent(world: Any) -> str:
        client = openai.OpenAI(
            base_url="https://api.groq.com/openai/v1", api_key="k", max_retries=0
        )
        with everywhere(world):
            found = client.chat.completions.create(**{**BODY, **more})
        return str(found.choices[0].message.content)

    assert run(greeting, agent).history.ended.value == "Hello, you."


def test_openais_own_rules_hold_unless_they_are_switched_off() -> None:
    asked = {**BODY, **TAKEN["a text and calls in between"]}

    def agent(world: Any, strict: bool) -> str:
        with everywhere(world, strict=strict):
            found = openai.OpenAI(max_retries=0).chat.completions.create(**asked)
        return str(found.choices[0].message.content)

    assert run(greeting, lambda w: agent(w, True)).history.ended.error == "BadRequestError"
    assert run(greeting, lambda w: agent(w, False)).history.ended.value == "Hello, you."
