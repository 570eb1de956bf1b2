"""The streams of a line between a client of the MCP SDK and its server.

Law: what was sent before a line breaks is read to the end; what is sent afterwards is lost. Called
by lines.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from agentfuzz.adapters.mcp import sdk


class Way:
    """One way of a line: what is written at one end is read at the other, until the line breaks.
    Then the reader reads to the end, and what is written still is lost, as on any network."""

    def __init__(self, breaks: asyncio.Event) -> None:
        self.writes, self._out = sdk.stream()
        self._in, self.reads = sdk.stream()
        self._carrying = asyncio.create_task(self._carry())
        self._breaking = asyncio.create_task(self._break(breaks))

    async def _carry(self) -> None:
        async for message in self._out:
            with suppress(*sdk.FAILURES):
                await self._in.send(message)
        self._breaking.cancel()
        await self._in.aclose()

    async def _break(self, breaks: asyncio.Event) -> None:
        await breaks.wait()
        await self._in.aclose()


def losing(
    function: Callable[..., Awaitable[str]], line: Callable[[], asyncio.Event]
) -> Callable[..., Awaitable[str]]:
    """A tool on a line that loses: a reply that times out never comes, and an error of the
    connection breaks the line (which is set then) under all its calls."""

    async def call(**arguments: Any) -> str:
        breaks = line()
        try:
            return await function(**arguments)
        except TimeoutError:
            await breaks.wait()
            raise
        except ConnectionError:
            breaks.set()
            raise

    return call
