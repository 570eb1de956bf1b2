"""What the server of a world has otherwise than uvicorn: it ends at once, and drops connections.

Law: uvicorn's own classes, with what they lack. Called by the server.
"""

import asyncio
from _thread import LockType
from typing import Any

ACCEPTS = 8  # turns of a loop; three lie between a connection that is taken and one that is known


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
