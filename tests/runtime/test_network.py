"""The network beyond this machine is refused in a run, unless it is allowed; who tried is named."""

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentfuzz import Completion, World, fuzz, scenario
from agentfuzz.core.errors import NetworkRefused, ScenarioError
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime import leaks
from agentfuzz.world.injector import FromPlan

FAR = "192.0.2.1"  # of a block that is kept for documentation
NAME = "api.example.invalid"


@scenario(task="Nothing.")
def shop(world: World) -> None: ...


@pytest.fixture(autouse=True)
def _fresh() -> None:
    leaks.taken()


def connects(host: str) -> None:
    with socket.socket() as one:
        one.settimeout(0)
        one.connect((host, 443))


async def _awaits(host: str) -> None:
    with socket.socket() as one:
        one.setblocking(False)
        await asyncio.get_running_loop().sock_connect(one, (host, 443))


def sends(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"", (host, 9))


def sends_a_message(host: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendmsg([b""], [], 0, (host, 9))


WAYS = [
    (connects, FAR),
    (sends, FAR),
    (sends_a_message, FAR),
    (lambda host: socket.create_connection((host, 80)), NAME),
    (lambda host: socket.getaddrinfo(host, 80), NAME),
    (socket.gethostbyname, NAME),
    (lambda host: asyncio.run(_awaits(host)), FAR),
]


def reaching(what: Callable[[str], object], host: str, **given: Any) -> BaseException | None:
    """What a run that reaches for a host gets for it."""
    got: list[BaseException | None] = []

    def agent(world: World) -> Completion:
        try:
            what(host)
        except Exception as error:
            got.append(error)
        else:
            got.append(None)
        return Completion.success()

    with Simulation(**given) as simulation:
        simulation.execute(shop, agent, FromPlan())
    return got[0]


@pytest.mark.parametrize(("what", "host"), WAYS)
def test_beyond_this_machine_is_refused(what: Any, host: str) -> None:
    """An OSError as of a server that is not there, with the host and what allows it; the escape
    is told with the line, and says that it was refused."""
    error = reaching(what, host)
    assert isinstance(error, NetworkRefused)
    assert isinstance(error, ConnectionRefusedError)
    assert f"allow_network=('{host}',)" in str(error)
    (told,) = leaks.taken()
    assert told.detail.startswith(host)
    assert told.detail.endswith("(refused)")
    assert told.where is not None
    assert told.where.startswith(__file__)


@pytest.mark.parametrize("allowed", [True, (FAR,), ("other.example", FAR)])
def test_what_is_allowed_is_let_through(allowed: Any) -> None:
    """And told all the same: no law sees what it does."""
    assert not isinstance(reaching(connects, FAR, allow_network=allowed), NetworkRefused)
    assert [one.detail for one in leaks.taken()] == [f"{FAR}:443"]


def test_allowed_is_what_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses of an allowed name are allowed with it, whoever looks it up; no other is."""
    import _socket

    def looks_up(host: str, *args: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (FAR, 443))]

    monkeypatch.setattr(_socket, "getaddrinfo", looks_up)

    def asks(host: str) -> None:
        for *_, address in socket.getaddrinfo(host, 443):
            connects(address[0])

    assert not isinstance(reaching(asks, NAME, allow_network=(NAME.upper(),)), NetworkRefused)
    assert isinstance(reaching(connects, "192.0.2.7", allow_network=(NAME,)), NetworkRefused)
    assert isinstance(reaching(connects, FAR), NetworkRefused), "it was allowed to the run before"


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_this_machine_works(listening: int, host: str) -> None:
    if host == "127.0.0.2" and sys.platform != "linux":
        pytest.skip("one address of loopback")

    def asks(host: str) -> None:
        with socket.create_server((host, 0)) as server:
            socket.create_connection((host, server.getsockname()[1])).close()

    assert reaching(asks, host) is None


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Unix sockets")
def test_a_unix_socket_works_and_is_named_once(tmp_path: Path) -> None:
    """A user's own database: one line, however many threads a pool of it has."""
    path = str(tmp_path / "db")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def asks(path: str) -> None:
            def work() -> None:
                with socket.socket(socket.AF_UNIX) as one:
                    one.connect(path)

            for _ in range(3):
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()

        assert reaching(asks, path) is None
    assert sorted(one.kind for one in leaks.taken()) == ["socket.connect"]


def test_ports_of_a_library_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no line of the user's stands behind it, the numbers of ports count for
    nothing; hosts do."""
    monkeypatch.setattr(leaks, "is_users", lambda path: False)

    def asks(host: str) -> None:
        for port in (9, 10):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.connect(("127.0.0.1", port))
                one.connect(("127.0.0.3", port))

    assert reaching(asks, "") is None
    assert [one.detail for one in leaks.taken()] == ["127.0.0.1:9", "127.0.0.3:9"]


def test_nothing_is_refused_outside_of_a_run() -> None:
    with Simulation():
        with pytest.raises(OSError) as refused:
            connects(FAR)
        assert not isinstance(refused.value, NetworkRefused)


@pytest.mark.parametrize("wrong", ["https://a.example", ("",), (1,), "a.example/path"])
def test_a_host_is_a_name(wrong: Any) -> None:
    with pytest.raises(ScenarioError, match="no name of a host"):
        fuzz(shop, allow_network=wrong)


TEST = """
    import asyncio, socket
    from agentfuzz import Completion, fuzz, scenario

    @scenario(task="Nothing.")
    def shop(world):
        @world.tool(effect="note", scope=("text",))
        def note(text: str) -> str:
            return "noted"

    def reach():
        try:
            socket.create_connection(("192.0.2.1", 443), timeout=0.01)
        except OSError as error:
            print("GOT", type(error).__name__)

    async def look():
        try:
            await asyncio.get_running_loop().getaddrinfo("api.example.invalid", 443)
        except OSError as error:
            print("LOOKED", type(error).__name__)

    @fuzz(shop)
    def test_refused(world):
        world.tools.note(text="so")
        reach()
        return Completion.success()

    @fuzz(shop, allow_network="192.0.2.1")
    def test_allowed(world):
        world.tools.note(text="so")
        reach()
        return Completion.success()

    @fuzz(shop)
    async def test_awaited(world):
        world.tools.note(text="so")
        await look()
        return Completion.success()
"""


@pytest.mark.parametrize("options", [["--agentfuzz"], []])
def test_in_a_session(tmp_path: Path, options: list[str]) -> None:
    """A campaign, and a test's plain run, refuse it by the same rule."""
    (tmp_path / "test_it.py").write_text(textwrap.dedent(TEST))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "agentfuzz.plugin", "-rP", *options],
        cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    lines = " ".join(done.stdout.split())
    if options:
        told = "AF905 escapes control: socket.getaddrinfo"
        assert f"{told} 192.0.2.1:443 (refused) at test_it.py:13 (test_refused)" in lines
        assert f"{told} api.example.invalid:443 (refused) at test_it.py:19" in lines
        assert "socket.connect 192.0.2.1:443 at test_it.py:13 (test_allowed)" in lines
    else:
        assert "GOT NetworkRefused" in lines
        assert "LOOKED NetworkRefused" in lines
        assert lines.count("GOT ") > lines.count("GOT NetworkRefused")
