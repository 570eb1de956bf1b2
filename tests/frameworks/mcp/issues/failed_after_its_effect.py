"""The repeat of a call that failed has nothing by which a server could know it again. Exit status
1: shown.

pip install mcp==2.3.0
"""

import asyncio
import sys

from mcp import Client
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("shop", log_level="CRITICAL")
charged: list[str] = []
known: list[object] = []


@server.tool()
def charge(order_id: str, context: Context) -> str:
    """Charge an order."""
    charged.append(order_id)
    known.append(context.request_id)
    if len(charged) == 1:
        raise TimeoutError("the payment provider did not answer in time")
    return f"charged {order_id}"


async def main() -> int:
    async with Client(server) as client:
        for _ in range(2):
            result = await client.call_tool("charge", {"order_id": "A17"})
            if not result.is_error:
                break
    print(f"charged: {charged}, by requests {known}")
    return int(len(charged) > 1)


sys.exit(asyncio.run(main()))
