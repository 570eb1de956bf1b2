"""The repeat of a call that failed has nothing by which a backend could know it again (exit
status 1)."""

import asyncio
import sys

from _provider import call, model, says
from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult

charged = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    if len(charged) == 1:
        raise TimeoutError("the payment provider did not answer in time")
    return "charged"


async def main():
    first, again = (
        says(None, call(f"call_{nth}", "charge", order_id="A17"), reason="tool_calls")
        for nth in (1, 2)
    )
    llm = model(first, again, says("Charged."))
    running = FunctionAgent(tools=[charge], llm=llm).run(user_msg="Charge A17.")
    told = [
        event.tool_output.content
        async for event in running.stream_events()
        if isinstance(event, ToolCallResult)
    ]
    await running
    print("results:", told, "charged:", charged)
    return len(charged) > 1


sys.exit(int(asyncio.run(main())))
