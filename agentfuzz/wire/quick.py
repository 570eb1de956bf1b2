"""What the server of a world has otherwise than uvicorn: it ends at once, drops connections, and
lives in real time.

Law: uvicorn's and asyncio's own classes, with what they lack. Called by the server.
"""

import asyncio
from _thread import LockType
from collections.abc import Awaitable
from typing import Any

from agentfuzz.runtime.clock import Real
from agentfuzz.world.delivery import Sleep

ACCEPTS = 8  # turns of a loop; three lie between a connection that is taken and one that is known


class RealLoop(asyncio.SelectorEventLoop):
    """An event loop in real time, also where `asyncio.new_event_loop` and `time` are patched."""

    def time(self) -> float:
        return Real.monotonic()

    def call_later(self, delay: float, callback: Any, *args: Any, **more: Any) -> Any:  # type: ignore[override]
        """Nothing here waits for the virtual seconds of a crossing: they are not real ones."""
        return super().call_later(0 if type(delay) is Sleep else delay, callback, *args, **more)


async def under_way(work: Awaitable[Any], turns: int) -> asyncio.Future[Any]:
    """What has begun, as far as it comes in so many turns of its loop."""
    task = asyncio.ensure_future(work)
    try:
        for _ in range(turns):
            await asyncio.sleep(0)
    except BaseException:
        task.cancel()
        raise
    return task


def tracked(protocol: Any, app: Any) -> Any:
    """uvicorn's HTTP protocol, whose connections the app can drop: ASGI has no word for it."""

    def made(self: Any, transport: asyncio.Transport) -> None:
        self.agentfuzz_peer = tuple(transport.get_extra_info("peername")[:2])
        app.open[self.agentfuzz_peer] = transport
        protocol.connection_made(self, transport)

    def lost(self: Any, error: Exception | None) -> None:
        app.open.pop(self.agentfuzz_peer, None)
        protocol.connection_lost(self, error)

    return type("TrackedProtocol", (protocol,), {"connection_made": made, "connection_lost": lost})


def quick(server: Any, app: Any, ready: LockType) -> Any:
    """uvicorn's server, without the ticks of its own: it stops when it is told to, at once."""

    async def main_loop(self: Any) -> None:
        ready.release()
        await app.closing.wait()

    async def shutdown(self: Any, sockets: Any = None) -> None:
        loop = asyncio.get_running_loop()
        for one in self.servers:
            for listens in one.sockets:
                loop.remove_reader(listens.fileno())
        for _ in range(ACCEPTS):
            await asyncio.sleep(0)
        for one in self.servers:
            one.close()
        for transport in list(app.open.values()):
            transport.close()
        if app.mcp is not None:
            await app.mcp.aclose()
        for transport in list(app.open.values()):
            transport.abort()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    return type("QuickServer", (server,), {"main_loop": main_loop, "shutdown": shutdown})
