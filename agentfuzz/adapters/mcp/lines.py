"""What lies between a client of the MCP SDK and its server, in memory.

Law: the server lives in a task of its own, as it would in a process of its own: it learns that its
client has gone by the end of what it reads. A line is opened and closed by the task of the loop
alone. Called by the adapter.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from agentfuzz.adapters.mcp import sdk
from agentfuzz.adapters.mcp.ways import Way, losing

GRACE = 120.0  # virtual seconds that a server is waited for, once its client has gone


class Line:
    """A client, a server with these tools, and the streams between them.

    `patience` is the client's with each request. On a line that `loses`, a reply that times out in
    the world never comes, and an error of the connection breaks the line under all its calls; else
    a tool fails in the server, as the SDK has it. A call that failed on its way is made again
    `retries` times, under a new id; with `cancels` the server is told of those given up, and one
    that `reconnects` begins another session after it."""

    def __init__(
        self,
        tools: Sequence[Any],
        *,
        patience: float | None = None,
        retries: int = 0,
        cancels: bool = False,
        reconnects: bool = False,
        loses: bool = False,
    ) -> None:
        self._patience, self._retries = patience, retries
        self._cancels, self._reconnects = cancels, reconnects
        for tool in tools if loses else ():
            tool.fn = losing(tool.fn, lambda: self.is_broken)
        self._server = sdk.Server("world", tools=list(tools), log_level="CRITICAL")
        self._servers: list[asyncio.Task[Any]] = []
        self.client: Any = None
        self.is_broken = asyncio.Event()
        self._is_over = False  # as far as the client is concerned

    async def __aenter__(self) -> "Line":
        await self._open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        await self._close()
        if kind is None and self._servers:
            await asyncio.wait(self._servers, timeout=GRACE)

    async def names(self) -> list[str]:
        """The tools that the server lists."""
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def calls(self, calls: Sequence[Mapping[str, Any]]) -> list[str]:
        """What these calls come to, made at the same time, as texts for a model."""
        said = list(await asyncio.gather(*map(self._call, calls)))
        await self._mend()
        for _ in range(self._retries):
            failed = [nth for nth, one in enumerate(said) if not isinstance(one, str)]
            again = await asyncio.gather(*(self._call(calls[nth]) for nth in failed))
            for nth, one in zip(failed, again, strict=True):
                said[nth] = one
            await self._mend()
        return [one if isinstance(one, str) else f"Error: {one or 'closed'}" for one in said]

    async def _call(self, call: Mapping[str, Any]) -> str | Exception:
        request = sdk.number(self.client)
        try:
            return sdk.said(await self.client.call_tool(call["name"], dict(call["arguments"])))
        except sdk.FAILURES as error:
            if self._cancels and request is not None:
                with suppress(*sdk.FAILURES):  # nobody hears it on a broken line
                    await sdk.take_back(self.client, request)
            self._is_over = self._is_over or self._reconnects
            return error

    async def _mend(self) -> None:
        if self._is_over or self.is_broken.is_set():
            await self._close()
            await self._open()

    async def _open(self) -> None:
        self._is_over, self.is_broken = False, asyncio.Event()
        self._stack = AsyncExitStack()
        await self._connect(self._stack)

    async def _connect(self, stack: AsyncExitStack) -> None:
        ours, theirs = Way(self.is_broken), Way(self.is_broken)
        self._servers.append(asyncio.create_task(self._serve(ours.reads, theirs.writes)))
        made = sdk.session(theirs.reads, ours.writes, self._patience)
        self.client = await stack.enter_async_context(made)
        await self.client.initialize()

    async def _serve(self, reads: Any, writes: Any) -> None:
        server = sdk.lowlevel(self._server)
        async with reads, writes:
            await server.run(reads, writes, server.create_initialization_options())

    async def _close(self) -> None:
        await self._stack.aclose()
        self.is_broken.set()


class InProcess(Line):
    """A client of version 2 that calls its server in its own process, without messages."""

    async def _connect(self, stack: AsyncExitStack) -> None:
        made = sdk.in_process(self._server, self._patience)
        self.client = await stack.enter_async_context(made)
