"""Cassettes recorded from the official clients against a provider on loopback, once a session."""

import itertools
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from agentfuzz.engine.simulation import Simulation
from agentfuzz.model.cassettes import record_run

from .agents import LINES, PROTOCOLS, shop, talk
from .provider import Provider

KEY = "test-key-of-nobody"


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    """Virtual time for a module's tests. Modules that record have none: that needs real time."""
    with Simulation() as entered:
        yield entered


def client(protocol: str, url: str, **how: Any) -> Any:
    """The official client of a protocol, at an address."""
    given = {"api_key": KEY, "max_retries": 0, **how}
    if protocol == "anthropic":
        return anthropic.Anthropic(base_url=url, **given)
    return openai.OpenAI(base_url=f"{url}/v1", **given)


def taken(path: Path, protocol: str, stream: bool, *lines: Any, **how: Any) -> Path:
    """A cassette of the shop's conversation, really recorded."""
    with Provider(*(lines or LINES)) as provider:
        real = client(protocol, provider.url, **how)
        with real:
            record_run(shop, lambda world: talk(protocol, real, world, stream), path)
    return path


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`tape(protocol, stream)`: the cassette of the shop's conversation. All are recorded before
    the first test: later there is no network."""
    folder = tmp_path_factory.mktemp("tapes")
    made = {
        (protocol, stream): taken(folder / f"{protocol}-{stream}.yaml", protocol, stream)
        for protocol in PROTOCOLS
        for stream in (False, True)
    }

    def one(protocol: str = "chat", stream: bool = False) -> Path:
        return made[protocol, stream]

    return one


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[], Path]:
    """Paths that nobody has written to."""
    numbers = itertools.count(1)
    return lambda: tmp_path / f"tape{next(numbers)}.yaml"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket may be opened and no name looked up."""

    def refused(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the network was used")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refused)
