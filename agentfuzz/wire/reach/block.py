"""`with everywhere(world):` whatever in this process asks a model provider asks the world.

Law: what the block changes is put back when it ends, however it ends. Called by agents under test.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.wire.reach import patches, worlds

_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")  # without one their clients cannot be built
_KEY = "agentfuzz"
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")


@contextmanager
def everywhere(world: Any, *hosts: str) -> Iterator[None]:
    """Answer in the block what clients of this process ask model providers, with the world's
    model: every client of httpx, httpx2, requests, urllib and aiohttp, whoever made it and when.
    `hosts` are gateways of your own, as `host` or `host:port`. A plain `with`, in async code too.

    Where OPENAI_API_KEY or ANTHROPIC_API_KEY is missing, it is set in the block, so that a client
    can be built. While a cassette is recorded nothing is reached: requests go to the providers.
    Raises ScenarioError when the scenario has no script.
    """
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise AgentfuzzError(
                f"wire.everywhere(world, {host!r}): that is no name of a host; give host or "
                "host:port, without a scheme and a path."
            )
    if getattr(world, "recording", False):
        yield
        return
    _ = world.model  # a scenario without a model says so here, not inside a client's retry
    entry = worlds.Entry(world, frozenset(re.sub(r"[][]", "", host).lower() for host in hosts))
    outer = worlds.enter(entry)
    given = [key for key in _KEYS if key not in os.environ]
    try:
        patches.put_in()
        os.environ.update(dict.fromkeys(given, _KEY))
        yield
    finally:
        for key in given:
            if os.environ.get(key) == _KEY:
                del os.environ[key]
        worlds.leave(entry, outer)
        patches.take_out()
