"""Servers in processes of the agent's own: who connects too early waits, however long they take."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agentfuzz import Completion, scenario
from agentfuzz.runtime import servers

pytestmark = pytest.mark.skipif(
    not Path("/proc/net/tcp").exists(), reason="this system does not tell who listens"
)

SLOW = """
import socket, sys
x = sum(i * i for i in range(6_000_000))
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    for _ in range(3):
        server.accept()[0].close()
"""
NAPS = """
import socket, sys, time
time.sleep(0.8)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    server.accept()[0].close()
"""
DIES = "x = sum(i * i for i in range(3_000_000))"
RESTS = "import sys; sys.stdin.read()"


@scenario()
def office(world):
    @world.tool
    def look(name: str):
        return name


@pytest.fixture
def port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def begun(program, port):
    """A process of the agent's."""
    command = [sys.executable, "-c", program, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def tries(port):
    """How often somebody who looks each second has to look; 0: there is never anybody."""
    for attempt in range(1, 4):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(1)
        else:
            return attempt
    return 0


def played(play, agent):
    ended = play(office, agent).history.ended
    assert ended.how == "returned", ended.detail
    return ended.value["detail"], ended.t


@pytest.mark.parametrize("program", [SLOW, NAPS])
def test_a_server_is_there_at_the_first_look(program, play, port):
    """What it takes to come up is no virtual time, whether it works or waits for something."""

    def agent(world):
        with begun(program, port):
            return Completion.success(detail=str(tries(port)))

    assert played(play, agent) == ("1", 0.0)


def test_a_nap_before_the_first_look_is_long_enough(play, port):
    """Who sleeps a second, and then expects it to be there, finds it."""

    def agent(world):
        with begun(SLOW, port):
            time.sleep(1)
            return Completion.success(detail=str(tries(port)))

    assert played(play, agent) == ("1", 1.0)


def test_async_code_waits_as_well(play, port):
    """A connection of an event loop."""

    async def agent(world):
        with begun(SLOW, port):
            async with asyncio.timeout(1):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        return Completion.success()

    assert played(play, agent) == ("", 0.0)


AT_A_PATH = """
import socket, sys
x = sum(i * i for i in range(6_000_000))
with socket.socket(socket.AF_UNIX) as server:
    server.bind(sys.argv[1])
    server.listen()
    server.accept()[0].close()
"""


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="nobody tells who listens")
@pytest.mark.parametrize("program", [AT_A_PATH, DIES])
def test_a_server_at_a_path(program, play, tmp_path, monkeypatch):
    """A Unix socket is waited for as a port is, by whatever name."""
    monkeypatch.chdir(tmp_path)

    def agent(world):
        with begun(program, "till"):
            for attempt in range(3):
                with suppress(OSError), socket.socket(socket.AF_UNIX) as one:
                    one.connect(str(tmp_path / "till"))
                    return Completion.success(detail=str(attempt))
                time.sleep(1)
        return Completion.success(detail="nobody")

    assert played(play, agent) == (("nobody", 3.0) if program == DIES else ("0", 0.0))


def test_who_waits_for_a_thread_waits_as_well(play, port):
    """A thread of the agent's that connects holds its turn until the server is there."""

    def agent(world):
        said = []
        with begun(SLOW, port):
            thread = threading.Thread(target=lambda: said.append(tries(port)))
            thread.start()
            thread.join(1)
        return Completion.success(detail=str(said))

    assert played(play, agent) == ("[1]", 0.0)


@pytest.mark.parametrize("program", [DIES, RESTS])
def test_nobody_waits_for_who_does_not_come(program, play, port):
    """A process that is over, or that waits for somebody itself, is no server."""

    def agent(world):
        with begun(program, port):
            return Completion.success(detail=str(tries(port)))

    assert played(play, agent) == ("0", 3.0)


@pytest.mark.parametrize("works", [False, True])
def test_who_has_waited_in_vain_does_not_again(works, play, port, monkeypatch):
    """For the same processes, at the same place, while they rest; or, as long as they might have
    needed, while they work."""
    naps = []
    monkeypatch.setattr(servers.Real, "sleep", naps.append)
    monkeypatch.setattr(servers.Real, "monotonic", lambda: float(len(naps)))
    monkeypatch.setattr(servers, "_at_work", lambda pid: works)

    def agent(world):
        with begun(RESTS, port):
            tries(port)
        return Completion.success()

    played(play, agent)
    assert len(naps) == (servers.PATIENCE + 1 if works else servers.RESTS)


@pytest.fixture
def naps(monkeypatch):
    """What somebody who waits really does: nothing, and each time he says that he waits."""
    found = []
    monkeypatch.setattr(servers.Real, "sleep", lambda seconds: found.append(servers.under_way()))
    return found


def test_without_a_process_nobody_waits(play, port, naps):
    """A refusal is one at once."""
    assert played(play, lambda world: Completion.success(detail=str(tries(port)))) == ("0", 3.0)
    assert not naps


def test_who_waits_takes_no_time_of_the_watchdogs(play, port, naps):
    """The run is not spinning while a server comes up; a helper of the campaign is none."""

    def agent(world):
        with begun(RESTS, port) as process:
            tries(port)
            waited = len(naps)
            servers.helper(process.pid)
            tries(port)
            assert len(naps) == waited
        return Completion.success()

    played(play, agent)
    assert len(naps) >= servers.RESTS
    assert all(naps)
    assert not servers.under_way()
