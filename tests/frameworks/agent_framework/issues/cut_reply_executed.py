"""agent-framework-core 1.23.0: calls of a reply that was cut off at its token limit are executed.
Exit status 1: shown.

pip install agent-framework-core==1.23.0 agent-framework-openai==1.17.0
"""

import asyncio
import sys

from _provider import call, client, says
from agent_framework import Agent

charged: list[str] = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    return f"charged {order_id}"


async def main() -> int:
    cut = says(None, call("call_1", "charge", order_id="A17"), reason="length")
    run = await Agent(client=client(cut, says("Done.")), tools=[charge]).run("Charge A17 and B18.")
    print(f"executed: {charged}, then: {run.text!r} {run.finish_reason}")
    return int(bool(charged))


sys.exit(asyncio.run(main()))
