"""Two calls with one id in a reply are both carried out (exit status 1)."""

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
    one = call("call_1", "charge", order_id="A17")
    llm = model(says(None, one, {**one, "index": 1}, reason="tool_calls"), says("Charged."))
    await FunctionAgent(tools=[charge], llm=llm).run(user_msg="Charge A17.")
    print("charged:", charged)
    return len(charged) > 1


sys.exit(int(asyncio.run(main())))
