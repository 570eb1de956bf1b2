"""The calls of a reply that was cut off at its token limit are carried out (exit status 1)."""

import asyncio
import sys

from _provider import call, model, says
from llama_index.core.agent.workflow import FunctionAgent

charged = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    return "charged"


async def main():
    cut = says(None, call("call_1", "charge", order_id="A17"), reason="length")
    llm = model(cut, says("Done."))
    agent = FunctionAgent(tools=[charge], llm=llm, streaming=False)
    result = await agent.run(user_msg="Charge A17 if B18 is paid.")
    print(f"charged: {charged}, then: {result.response.content!r}")
    return bool(charged)


sys.exit(int(asyncio.run(main())))
