"""Servers in real time, and event loops: no deadline of the agent's comes before their answer."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agentfuzz import Completion, scenario
from agentfuzz.runtime import leaks

# A server that is asked a line, and says two.
SERVER = """
import socket, time
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    for _ in range(3):
        asked, _ = server.accept()
        asked.recv(100)
        {before}
        asked.send(b"one\\n")
        {between}
        asked.send(b"two\\n")
        asked.close()
"""
WORKS, SLEEPS, NEVER = "sum(i * i for i in range(4_000_000))", "time.sleep(0.6)", "time.sleep(60)"
only_here = pytest.mark.skipif(
    not Path("/proc/self/task").exists(),
    reason="this system does not tell who works, or spoke last",
)


@scenario()
def office(world):
    @world.tool
    def look(name: str):
        return name


@contextmanager
def begun(before="", between=""):
    """A server of the agent's: its port."""
    program = SERVER.format(before=before, between=between)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def asks(port, limit=None):
    """What a server says within so many virtual seconds."""
    async with asyncio.timeout(limit):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"well?\n")
        said = [await reader.readline(), await reader.readline()]
    writer.close()
    return said


async def asks_by_hand(port, limit):
    """The same over a bare socket."""
    loop = asyncio.get_running_loop()
    with socket.socket() as one:
        one.setblocking(False)
        async with asyncio.timeout(limit):
            await loop.sock_connect(one, ("127.0.0.1", port))
            await loop.sock_sendall(one, b"well?\n")
            first = await loop.sock_recv(one, 4)
            return [first, await loop.sock_recv(one, 4)]


async def asks_and_polls(port, limit):
    """The same, while a task does nothing but look whether it is over."""
    task = asyncio.ensure_future(asks(port, limit))
    while not task.done():
        await asyncio.sleep(0)
    return task.result()


def ended(play, agent):
    """How a run ends, and when."""
    history = play(office, agent).history
    assert history.ended.how == "returned", history.ended
    return history.ended.value["detail"], history.ended.t


@pytest.fixture
def endless(monkeypatch):
    monkeypatch.setattr("agentfuzz.runtime.connections.patience", lambda: 3600.0)


@pytest.mark.parametrize("before", [WORKS, SLEEPS])
@pytest.mark.parametrize("way", [asks, asks_by_hand, asks_and_polls])
@pytest.mark.parametrize("since", ["this run", "before"])
def test_no_deadline_comes_before_an_answer(before, way, since, play):
    """How long it takes is no virtual time, whether it works or waits, and whoever began it."""

    async def agent(world):
        if since == "before":
            return Completion.success(detail=str(await way(port, 0.01)))
        with begun(before) as own:
            return Completion.success(detail=str(await way(own, 0.01)))

    with begun(before) as port:
        assert ended(play, agent) == ("[b'one\\n', b'two\\n']", 0.0)


def says(port):
    """What a sync client hears."""
    with socket.create_connection(("127.0.0.1", port)) as one, one.makefile("rb") as heard:
        one.sendall(b"well?\n")
        return [heard.readline(), heard.readline()]


def in_a_pool(port):
    with ThreadPoolExecutor(2) as pool:
        return pool.submit(says, port).result(1)


def in_a_thread(port, daemon=False):
    said = []
    thread = threading.Thread(target=lambda: said.extend(says(port)), daemon=daemon)
    thread.start()
    thread.join(1)
    return said


def in_a_daemon(port):
    return in_a_thread(port, daemon=True)


def on_a_loop_of_its_own(port):
    said = []
    thread = threading.Thread(target=lambda: said.extend(asyncio.run(asks(port, 1))))
    thread.start()
    thread.join(1)
    return said


@only_here
@pytest.mark.parametrize("before", [WORKS, SLEEPS])
@pytest.mark.parametrize("way", [in_a_pool, in_a_thread, in_a_daemon, on_a_loop_of_its_own])
def test_threads_wait_as_well(before, way, play):
    """Nobody who waits for them for a second does so in vain, and nothing escapes."""

    def agent(world):
        with begun(before) as port:
            return Completion.success(detail=str(way(port)))

    leaks.taken()
    assert ended(play, agent) == ("[b'one\\n', b'two\\n']", 0.0)
    assert not [one for one in leaks.taken() if "gate" in one.detail]


@only_here
def test_the_rest_of_an_answer_is_waited_for(play):
    """While the server is at work on it."""

    async def agent(world):
        with begun("", WORKS) as port:
            return Completion.success(detail=str(await asks(port, 0.01)))

    assert ended(play, agent) == ("[b'one\\n', b'two\\n']", 0.0)


@only_here
def test_who_has_answered_is_not_waited_for(play, endless):
    """A timer comes when there is nothing more to come."""

    async def agent(world):
        with begun("", NEVER) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"well?\n")
            first = await reader.readline()
            await asyncio.sleep(60)
            writer.close()
            return Completion.success(detail=str(first))

    assert ended(play, agent) == ("b'one\\n'", 60.0)


@pytest.mark.parametrize("limit", [5, None])
def test_who_never_answers(limit, play, monkeypatch):
    """A deadline comes when our patience is over; where there is none the run says why it hangs."""
    monkeypatch.setattr("agentfuzz.runtime.connections.patience", lambda: 0.05)

    async def agent(world):
        with begun(NEVER) as port:
            try:
                await asks(port, limit)
            except TimeoutError:
                return Completion.success(detail="late")

    history = play(office, agent).history
    if limit:
        assert (history.ended.how, history.ended.t) == ("returned", 5.0)
    else:
        assert (history.ended.how, history.ended.error) == ("cut_off", "hung")
        assert history.ended.detail.endswith("a server has not answered")


def test_nobody_waits_for_ever_for_who_works_for_ever(play, monkeypatch):
    """A process that never rests may be none that answers."""
    monkeypatch.setattr("agentfuzz.runtime.connections.patience", lambda: 0.05)
    monkeypatch.setattr("agentfuzz.runtime.servers.at_work", lambda: True)

    async def agent(world):
        with begun("", NEVER) as port, suppress(TimeoutError):
            await asks(port, 5)
        return Completion.success()

    assert ended(play, agent)[1] == 5.0


def test_what_is_served_on_the_same_loop_takes_virtual_time(play, endless):
    """Nobody in real time is asked."""

    async def serves(reader, writer):
        await reader.readline()
        await asyncio.sleep(60)
        writer.write(b"one\ntwo\n")
        await asyncio.sleep(60)
        writer.close()

    async def agent(world):
        server = await asyncio.start_server(serves, "127.0.0.1", 0)
        said = await asks(server.sockets[0].getsockname()[1], 3600)
        server.close()  # not waited for: since 3.12 that means its connections, too
        return Completion.success(detail=str(said))

    assert ended(play, agent) == ("[b'one\\n', b'two\\n']", 60.0)


@pytest.mark.parametrize("naps", [0, 60])
def test_what_a_thread_of_the_agents_serves(naps, play, endless):
    """It sleeps in virtual time, and calls tools in its turn."""

    async def agent(world):
        def serves():
            asked, _ = server.accept()
            asked.recv(100)
            time.sleep(naps)
            world.tools.look(name="it")
            asked.send(b"one\ntwo\n")
            asked.close()

        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=serves, daemon=True).start()
            said = await asks(server.getsockname()[1], 3600)
        return Completion.success(detail=str(said))

    assert ended(play, agent) == ("[b'one\\n', b'two\\n']", naps)


def test_a_connection_that_is_closed_owes_nothing(play, endless):
    """Nobody would hear the answer."""

    async def agent(world):
        with begun(NEVER) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"well?\n")
            writer.close()
            await asyncio.sleep(60)
        return Completion.success()

    assert ended(play, agent)[1] == 60.0
