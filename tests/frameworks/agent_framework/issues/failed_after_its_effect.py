"""agent-framework-core 1.23.0: the repeat of a call that failed has nothing by which a backend
could know it again. Exit status 1: shown.

pip install agent-framework-core==1.23.0 agent-framework-openai==1.17.0
"""

import asyncio
import sys

from _provider import call, client, requests, says
from agent_framework import Agent

charged: list[str] = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    if len(charged) == 1:
        raise TimeoutError("the payment provider did not answer in time")
    return f"charged {order_id}"


async def main() -> int:
    first, again = (call(f"call_{nth}", "charge", order_id="A17") for nth in (1, 2))
    model = client(says(None, first), says(None, again), says("Charged."))
    await Agent(client=model, tools=[charge]).run("Charge order A17.")
    print(f"the model is told: {requests[1][-1]['content']!r}; charged: {charged}")
    return int(len(charged) > 1)


sys.exit(asyncio.run(main()))
