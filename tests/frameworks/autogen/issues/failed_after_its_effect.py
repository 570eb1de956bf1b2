"""autogen-agentchat 0.7.5: the repeat of a call that failed has nothing by which a backend could
know it again. Exit status 1: shown.

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
    if len(charged) == 1:
        raise TimeoutError("the payment provider did not answer in time")
    return f"charged {order_id}"


def asked(id: str) -> CreateResult:
    return CreateResult(
        finish_reason="function_calls",
        content=[FunctionCall(id=id, name="charge", arguments='{"order_id": "A17"}')],
        usage=RequestUsage(prompt_tokens=1, completion_tokens=1),
        cached=False,
    )


async def main() -> int:
    replies = [asked("call_1"), asked("call_2"), "Charged."]
    client = ReplayChatCompletionClient(replies, model_info=INFO)
    agent = AssistantAgent("billing", client, tools=[charge], max_tool_iterations=3)
    result = await agent.run(task="Charge order A17.")
    told = [one.content for one in result.messages if one.type == "ToolCallExecutionEvent"]
    print(f"results: {[one.content for each in told for one in each]}; charged: {charged}")
    return int(len(charged) > 1)


sys.exit(asyncio.run(main()))
