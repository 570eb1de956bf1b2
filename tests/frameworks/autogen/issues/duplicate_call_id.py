"""autogen-agentchat 0.7.5: one call id twice in a reply is executed twice. Exit status 1: shown.

pip install autogen-agentchat==0.7.5 'autogen-ext[openai]==0.7.5'
"""

import asyncio
import sys

from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

INFO = {
    "function_calling": True,
    "vision": False,
    "json_output": True,
    "structured_output": True,
    "family": "unknown",
}
charged: list[str] = []


async def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    return f"charged {order_id}"


async def main() -> int:
    call = FunctionCall(id="call_1", name="charge", arguments='{"order_id": "A17"}')
    asked = CreateResult(
        finish_reason="function_calls",
        content=[call, call],
        usage=RequestUsage(prompt_tokens=1, completion_tokens=1),
        cached=False,
    )
    client = ReplayChatCompletionClient([asked, "Charged."], model_info=INFO)
    agent = AssistantAgent("billing", client, tools=[charge], max_tool_iterations=3)
    await agent.run(task="Charge order A17.")
    print(f"one call id, executed {len(charged)} times: {charged}")
    return int(len(charged) > 1)


sys.exit(asyncio.run(main()))
