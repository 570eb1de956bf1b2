"""What lies between a client of the MCP SDK and its server, in memory.

Law: the server lives in a task of its own, as it would in a process of its own: it learns that its
client has gone by the end of what it reads. A line is opened and closed by the task of the loop
alone. Called by the adapter.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from agentfuzz.adapters import _mcp_sdk as sdk

GRACE = 120.0  # virtual seconds that a server is waited for, once its client has gone


class Line:
    """A client, a server with these tools, and the streams between them.

    `patience` is the client's with each request. On a line that `loses`, a reply that times out in
    the world never comes, and an error of the connection breaks the line under all its calls; else
    a tool fails in the server, as the SDK has it. A call that failed on its way is made again
    `retries` times, under a new id; with `cancels` the server is told of those given up."""

    def __init__(
        self,
        tools: Sequence[Any],
        *,
        patience: float | None = None,
        retries: int = 0,
        cancels: bool = False,
        loses: bool = False,
    ) -> None:
        self._patience, self._retries, self._cancels = patience, retries, cancels
        for tool in tools if loses else ():
            tool.fn = self._losing(tool.fn)
        self._server = sdk.Server("world", tools=list(tools), log_level="CRITICAL")
        self._servers: list[asyncio.Task[Any]] = []
        self._ends: tuple[Any, ...] = ()
        self.client: Any = None
        self.is_broken = asyncio.Event()

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
        for _ in range(self._retries):
            again = [nth for nth, one in enumerate(said) if not isinstance(one, str)]
            await self._mend()
            for nth, one in zip(
                again, await asyncio.gather(*(self._call(calls[n]) for n in again)), strict=True
            ):
                said[nth] = one
        await self._mend()
        return [one if isinstance(one, str) else f"Error: {one or type(one).__name__}" for one in said]

    async def _call(self, call: Mapping[str, Any]) -> str | Exception:
        request = sdk.number(self.client)
        try:
            return sdk.said(await self.client.call_tool(call["name"], dict(call["arguments"])))
        except sdk.FAILURES as error:
            if self._cancels and request is not None and not self.is_broken.is_set():
                await sdk.take_back(self.client, request)
            return error

    async def _mend(self) -> None:
        if self.is_broken.is_set():
            await self._close()
            await self._open()

    async def _open(self) -> None:
        self.is_broken = asyncio.Event()
        self._stack = AsyncExitStack()
        await self._connect(self._stack)

    async def _connect(self, stack: AsyncExitStack) -> None:
        ours, theirs = await stack.enter_async_context(sdk.streams())
        server = sdk.lowlevel(self._server)
        options = server.create_initialization_options()
        self._servers.append(asyncio.create_task(server.run(*theirs, options)))
        self._ends = (ours[1], theirs[1])
        self.client = await stack.enter_async_context(sdk.session(*ours, self._patience))
        await self.client.initialize()

    async def _close(self) -> None:
        await self._breaks()
        await self._stack.aclose()

    async def _breaks(self) -> None:
        """Both sides read to the end, and there is nothing more."""
        self.is_broken.set()
        for end in self._ends:
            await end.aclose()

    def _losing(self, function: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
        async def call(**arguments: Any) -> str:
            line = self.is_broken
            try:
                return await function(**arguments)
            except TimeoutError:
                await line.wait()
                raise
            except ConnectionError:
                await self._breaks()
                raise

        return call


class InProcess(Line):
    """A client of version 2 that calls its server in its own process, without messages."""

    async def _connect(self, stack: AsyncExitStack) -> None:
        made = sdk.in_process(self._server, self._patience)
        self.client = await stack.enter_async_context(made)
