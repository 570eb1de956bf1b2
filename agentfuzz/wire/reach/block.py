"""`with everywhere(world):` whatever in this process asks a model provider asks the world.

Law: what the block changes is put back when it ends, however it ends. Called by agents under test.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.runtime.isolation import left_open
from agentfuzz.wire.reach import patches, worlds

_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")  # without one their clients cannot be built
_KEY = "agentfuzz"
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")


@contextmanager
def everywhere(world: Any, *hosts: str, strict: bool = True) -> Iterator[None]:
    """Answer in the block what clients of this process ask model providers, with the world's
    model: every client of httpx, httpx2, requests, urllib and aiohttp, whoever made it and when.
    `hosts` are gateways of your own, as `host` or `host:port`. A plain `with`, in async code too.

    What OpenAI and Anthropic refuse is refused (`strict`), of what goes to them; other providers
    have rules of their own. Where OPENAI_API_KEY or ANTHROPIC_API_KEY is missing, it is set in the
    block, so that a client can be built. While a cassette is recorded nothing is reached: requests
    go to the providers. Raises ScenarioError when the scenario has no script.
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
    own = frozenset(re.sub(r"[][]", "", host).lower() for host in hosts)
    block = _Block(worlds.Entry(world, own, strict))
    try:
        block.open()
        yield
    finally:
        block.close()


class _Block:
    """What is changed for a block: put back at its end, or at that of its run."""

    def __init__(self, entry: worlds.Entry) -> None:
        self._entry = entry
        self._outer: worlds.Entry | None = None
        self._keys: list[str] = []

    def open(self) -> None:
        left_open.append(self.close)
        self._outer = worlds.enter(self._entry)
        patches.put_in()
        self._keys = [key for key in _KEYS if key not in os.environ]
        os.environ.update(dict.fromkeys(self._keys, _KEY))

    def close(self) -> None:
        if self.close not in left_open:
            return
        left_open.remove(self.close)
        for key in self._keys:
            if os.environ.get(key) == _KEY:
                del os.environ[key]
        worlds.leave(self._entry, self._outer)
        patches.take_out()
