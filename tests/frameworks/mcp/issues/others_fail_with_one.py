"""A connection that breaks during one call fails the others of its session, also those that were
carried out. Exit status 1: shown.

pip install mcp==2.3.0
"""

import asyncio
import sys

import anyio
from mcp import ClientSession, MCPError
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop", log_level="CRITICAL")
done: list[str] = []
breaks = asyncio.Event()


@server.tool()
async def ship(order_id: str) -> str:
    """Ship an order: it is on its way, and the carrier says so later."""
    done.append(f"ship {order_id}")
    breaks.set()
    await asyncio.sleep(60)
    return "shipped"


@server.tool()
async def charge(order_id: str) -> str:
    """Charge an order, on a connection that breaks."""
    await asyncio.sleep(60)
    return "charged"


async def main() -> int:
    to_server, server_reads = anyio.create_memory_object_stream(1)
    to_client, client_reads = anyio.create_memory_object_stream(1)
    inner = server._lowlevel_server
    words = inner.create_initialization_options()
    serving = asyncio.create_task(inner.run(server_reads, to_client, words))

    async def breaking() -> None:
        await breaks.wait()
        await to_client.aclose()

    async with ClientSession(client_reads, to_server) as session:
        await session.initialize()
        breaker = asyncio.create_task(breaking())
        calls = [session.call_tool(name, {"order_id": "A17"}) for name in ("charge", "ship")]
        came = await asyncio.gather(*calls, return_exceptions=True)
        await breaker
    serving.cancel()
    print(f"done: {done}; the client: {came}")
    return int(bool(done) and all(isinstance(one, MCPError) for one in came))


sys.exit(asyncio.run(main()))
