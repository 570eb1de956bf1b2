"""A block leaves no patch behind, whatever happens in it, and imports nothing by itself."""

import asyncio
import http.client
import subprocess
import sys
import textwrap
import threading
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import aiohttp.connector
import httpx
import httpx2
import pytest
import requests
import urllib3.connection

from agentfuzz import Completion, run, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.wire import everywhere
from agentfuzz.wire.reach import worlds
from agentfuzz.world.injector import FromPlan

PLACES: list[tuple[Any, str]] = [
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (httpx2.HTTPTransport, "handle_request"),
    (httpx2.AsyncHTTPTransport, "handle_async_request"),
    (http.client.HTTPConnection, "putrequest"),
    (urllib3.connection.HTTPSConnection, "connect"),
    (aiohttp.connector.TCPConnector, "_create_connection"),
    (SourceFileLoader, "exec_module"),
]
CHAT = "https://api.openai.com/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def seen() -> list[Any]:
    """All that a block may change."""
    return [vars(owner).get(name) for owner, name in PLACES]


REAL = seen()


@pytest.fixture(autouse=True)
def nothing_stays() -> Any:
    """Around each test: what was there is there again, by identity."""
    assert all(one is other for one, other in zip(seen(), REAL, strict=True))
    yield
    assert len(seen()) == len(REAL)
    assert all(one is other for one, other in zip(seen(), REAL, strict=True))
    assert worlds.is_over()


@scenario(task="Say hello.", script=["Hello, you."], max_crossings=8)
def greeting(world: Any) -> None:
    pass


def ask() -> str:
    found = requests.post(CHAT, json=BODY, timeout=7).json()
    return str(found["choices"][0]["message"]["content"])


def test_every_place_is_patched_in_the_block() -> None:
    """The list above is all that there is, and what the block is about."""

    def agent(world: Any) -> int:
        before = seen()
        with everywhere(world):
            inside = seen()
        return sum(one is not other for one, other in zip(inside, before, strict=True))

    ended = run(greeting, agent).history.ended
    assert ended is not None
    assert ended.value == len(PLACES)


def test_an_exception_leaves_nothing() -> None:
    def agent(world: Any) -> None:
        with everywhere(world):
            raise ValueError("mine")

    assert run(greeting, agent).history.ended.error == "ValueError"  # type: ignore[union-attr]


def test_the_end_of_a_run_leaves_nothing() -> None:
    """Cut off by its budget, hung in a read, waiting for ever in a task."""

    def spends(world: Any) -> None:
        with everywhere(world):
            while True:
                ask()

    async def waits(world: Any) -> None:
        async def forever() -> None:
            with everywhere(world):
                await asyncio.get_running_loop().create_future()

        task = asyncio.create_task(forever())
        await asyncio.sleep(1)
        await task

    async def forgets(world: Any) -> None:
        async def sleeps() -> None:
            with everywhere(world):
                await asyncio.sleep(1e9)

        world.forgotten = asyncio.create_task(sleeps())
        await asyncio.sleep(1)

    for agent, how in ((spends, "budget"), (waits, "hung"), (forgets, "")):
        assert run(greeting, agent).history.ended.error == how  # type: ignore[union-attr]
        assert worlds.is_over(), agent


def test_nested_and_repeated_blocks() -> None:
    """The outer one is there again when the inner one has ended."""

    def agent(world: Any) -> list[str]:
        found = []
        for _ in range(2):
            with everywhere(world):
                with everywhere(world), everywhere(world, "x.example"):
                    found.append(ask())
                found.append(ask())
        return found

    ended = run(greeting, agent).history.ended
    assert ended is not None
    assert ended.value == ["Hello, you."] * 4


def test_blocks_that_do_not_end_in_order() -> None:
    """Two threads, two tasks: the last one takes everything out."""

    def threads(world: Any) -> list[str]:
        found: list[str] = []
        barrier = threading.Barrier(2)

        def one() -> None:
            with everywhere(world):
                barrier.wait()
                found.append(ask())

        started = [threading.Thread(target=one) for _ in range(2)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return found

    async def tasks(world: Any) -> list[str]:
        async def one(before: float, after: float) -> str:
            await asyncio.sleep(before)
            with everywhere(world):
                await asyncio.sleep(after)
                return ask()

        return list(await asyncio.gather(one(0, 2), one(1, 9), one(3, 1)))

    for agent in (threads, tasks):
        ended = run(greeting, agent).history.ended
        assert ended is not None
        assert set(ended.value) == {"Hello, you."}


def test_a_patch_of_somebody_elses_stays_his(monkeypatch: pytest.MonkeyPatch) -> None:
    """One put above ours in the block, and taken out after it: ours is inert by then."""
    other = pytest.MonkeyPatch()

    def agent(world: Any) -> Completion:
        with everywhere(world):
            ours = httpx.HTTPTransport.handle_request
            other.setattr(
                httpx.HTTPTransport, "handle_request", lambda self, request: ours(self, request)
            )
            assert httpx.post(CHAT, json=BODY).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.post(CHAT, json=BODY)
        other.undo()
        with pytest.raises(httpx.ConnectError):
            httpx.post(CHAT, json=BODY)
        httpx.HTTPTransport.handle_request = REAL[0]
        return Completion.success()

    assert run(greeting, agent).history.ended.how == "returned"  # type: ignore[union-attr]


def test_an_import_in_the_block_keeps_what_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finder that a library adds for itself is there in the next run."""
    (tmp_path / "adds_a_finder.py").write_text("import sys; sys.meta_path.append(sys)")
    monkeypatch.syspath_prepend(tmp_path)

    def agent(world: Any) -> bool:
        with everywhere(world):
            import adds_a_finder  # type: ignore[import-not-found]

            assert adds_a_finder
        return sys in sys.meta_path

    try:
        with Simulation() as simulation:
            for _ in range(4):
                ended = simulation.execute(greeting, agent, FromPlan()).ended
                assert ended is not None
                assert ended.value is True
    finally:
        sys.meta_path.remove(sys)  # type: ignore[arg-type]


LATE = """
    import sys
    from agentfuzz import run, scenario
    from agentfuzz.wire import everywhere

    ALL = {"httpx", "httpx2", "requests", "urllib3", "aiohttp", "openai"}
    URL = "https://api.openai.com/v1/chat/completions"
    BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

    @scenario(task="Say hello.", script=["Hello, you."])
    def greeting(world):
        pass

    async def agent(world):
        found = []
        with everywhere(world):
            print(sorted(ALL & set(sys.modules)))
            import httpx, httpx2, requests, aiohttp
            for one in (httpx, httpx2, requests):
                found.append(one.post(URL, json=BODY).json()["object"])
            async with aiohttp.ClientSession() as session:
                async with session.post(URL, json=BODY) as reply:
                    found.append((await reply.json())["object"])
        return found

    for _ in range(2):
        print(run(greeting, agent).history.ended.value)
    import httpx, requests, urllib3.connection, aiohttp, http.client
    for function in (
        httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request,
        urllib3.connection.HTTPSConnection.connect, http.client.HTTPConnection.putrequest,
        aiohttp.TCPConnector._create_connection,
    ):
        assert "agentfuzz" not in function.__code__.co_filename, function
    assert "exec_module" not in vars(type(httpx.__loader__))
"""


@pytest.mark.slow
def test_a_library_imported_in_the_block_is_reached() -> None:
    """The block itself imports none of them."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LATE)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    nothing, *rest = done.stdout.splitlines()
    assert nothing == "[]"
    assert rest[0] == rest[2] == str(["chat.completion"] * 4)
