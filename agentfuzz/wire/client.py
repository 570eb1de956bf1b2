"""Official clients in process: the SDK's own client, with the world behind its HTTP library.

Law: no sockets and no real time; everything above the transport is the SDK's own, so its hidden
retries and back-off happen as they do in production, in virtual time, and every request is a
crossing of its own. Called by agents under test.

The transport belongs to the library that the SDK itself imports: httpx2 for openai 3 and
anthropic 2, httpx for older ones. How a reply ends that is not whole is told in `wire.ending`.
"""

import asyncio
import platform
from importlib import import_module
from typing import Any

from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.runtime import leaks
from agentfuzz.wire.ending import AsyncEvents, End, Events
from agentfuzz.wire.router import Face, face_of

HOST = "http://agentfuzz.invalid"  # a name that no resolver knows
_LIBRARIES = ("httpx2", "httpx")


def openai_client(world: Any, *, strict: bool = True, **kwargs: Any) -> Any:
    """An `openai.OpenAI` that talks to the world's model. `kwargs` are the client's own, such as
    `max_retries` and `timeout`; `strict=False` takes also what the provider would refuse. Raises
    ScenarioError when the scenario has no script."""
    return _client(world, "openai", "OpenAI", "/v1", kwargs, strict, asynchronous=False)


def async_openai_client(world: Any, *, strict: bool = True, **kwargs: Any) -> Any:
    """An `openai.AsyncOpenAI` that talks to the world's model; see `openai_client`."""
    return _client(world, "openai", "AsyncOpenAI", "/v1", kwargs, strict, asynchronous=True)


def anthropic_client(world: Any, *, strict: bool = True, **kwargs: Any) -> Any:
    """An `anthropic.Anthropic` that talks to the world's model; see `openai_client`."""
    return _client(world, "anthropic", "Anthropic", "", kwargs, strict, asynchronous=False)


def async_anthropic_client(world: Any, *, strict: bool = True, **kwargs: Any) -> Any:
    """An `anthropic.AsyncAnthropic` that talks to the world's model; see `openai_client`."""
    return _client(world, "anthropic", "AsyncAnthropic", "", kwargs, strict, asynchronous=True)


def http_client(world: Any, library: str = "", *, strict: bool = True, **kwargs: Any) -> Any:
    """A plain `Client` of httpx2 or httpx (whichever is installed, in this order, unless
    `library` names one) whose every request goes to the world: for frameworks that take an
    `http_client`. Its `base_url` is the host alone: `client.post("/v1/messages", json=...)`."""
    return _http(world, _library(library), kwargs, strict, asynchronous=False)


def async_http_client(world: Any, library: str = "", *, strict: bool = True, **kwargs: Any) -> Any:
    """A plain `AsyncClient`; see `http_client`."""
    return _http(world, _library(library), kwargs, strict, asynchronous=True)


def _client(
    world: Any,
    sdk: str,
    name: str,
    root: str,
    kwargs: dict[str, Any],
    strict: bool,
    *,
    asynchronous: bool,
) -> Any:
    if "http_client" in kwargs:
        raise AgentfuzzError(
            f"{sdk}: http_client= is what this function provides; leave it out, or give your own "
            "client http_client=agentfuzz.wire.http_client(world)."
        )
    package = import_module(sdk)
    if getattr(world, "recording", False):  # the real one, as its environment says
        return getattr(package, name)(**kwargs)
    with leaks.exempt():  # which an SDK asks once in a process, for a header: by a program
        platform.processor()
    base = import_module(f"{sdk}._base_client")
    library = next(vars(base)[known] for known in _LIBRARIES if known in vars(base))
    http = _http(world, library, {}, strict, f"{sdk}.{name}", asynchronous=asynchronous)
    given = {"api_key": "agentfuzz", "base_url": HOST + root, **kwargs}
    return getattr(package, name)(http_client=http, **given)


def _http(
    world: Any,
    library: Any,
    kwargs: dict[str, Any],
    strict: bool,
    who: str = "",
    *,
    asynchronous: bool,
) -> Any:
    _ = world.model  # a scenario without a model says so here, not inside an SDK's retry
    kind = library.AsyncClient if asynchronous else library.Client
    name = who or f"{library.__name__}.{kind.__name__}"
    transport = Transport(face_of(world), library, name, strict)
    return kind(transport=transport, trust_env=False, **{"base_url": HOST, **kwargs})


def _library(name: str) -> Any:
    for known in (name,) if name else _LIBRARIES:
        try:
            return import_module(known)
        except ImportError:
            continue
    raise AgentfuzzError(f"{name or 'neither httpx2 nor httpx'} is installed: pip install httpx2.")


class Transport:
    """A transport of httpx2 or httpx, sync and async, that asks the face instead of a network.
    `who` is the client that it belongs to."""

    def __init__(self, face: Face, library: Any, who: str, strict: bool = True) -> None:
        self._face = face
        self._library = library
        self._who = who
        self._strict = strict

    def handle_request(self, request: Any) -> Any:
        """One request of a sync client. Raises the library's exceptions."""
        end = self._ask(request, request.read())
        if end.early:
            end.comes()
        return self._response(end, Events)

    async def handle_async_request(self, request: Any) -> Any:
        """One request of an async client. Others get their turn before it is answered, and
        between any two events of a stream."""
        body = await request.aread()
        await asyncio.sleep(0)
        end = self._ask(request, body)
        if end.early:
            await end.acomes()
        return self._response(end, AsyncEvents)

    def _ask(self, request: Any, body: bytes) -> End:
        path = request.url.raw_path.decode("ascii")
        reply = self._face.answer(
            request.method, path, request.headers, body, is_strict=self._strict
        )
        return End(reply, request, self._library, self._face.world.clock, self._who)

    def _response(self, end: End, events: Any) -> Any:
        reply = end.reply
        content = events(end) if reply.streamed else reply.body
        return self._library.Response(
            reply.status, headers=reply.headers, content=content, request=end.request
        )

    def close(self) -> None:
        """Nothing is open."""

    async def aclose(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> "Transport":
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    async def __aenter__(self) -> "Transport":
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None
