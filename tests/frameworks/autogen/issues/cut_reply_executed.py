"""autogen-agentchat 0.7.5: calls of a reply that was cut off at its length limit are executed. Exit
status 1: shown.

pip install autogen-agentchat==0.7.5 'autogen-ext[openai]==0.7.5'
"""

import asyncio
import json
import sys
import warnings

import httpx2
from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

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


def answer(request: httpx2.Request) -> httpx2.Response:
    """One call, and the limit; then an answer."""
    function = {"name": "charge", "arguments": json.dumps({"order_id": "A17"})}
    call = {"id": "call_1", "type": "function", "function": function}
    if charged:
        message, reason = {"role": "assistant", "content": "Done."}, "stop"
    else:
        message, reason = {"role": "assistant", "content": None, "tool_calls": [call]}, "length"
    told = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return httpx2.Response(200, json={**told, "choices": [choice]})


async def main() -> int:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    client = OpenAIChatCompletionClient(
        model="m", api_key="none", model_info=INFO, http_client=http
    )
    agent = AssistantAgent("billing", client, tools=[charge], max_tool_iterations=3)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        await agent.run(task="Charge order A17 if B18 is paid.")
    print(f"executed: {charged}; warned: {[str(one.message)[:50] for one in told]}")
    return int(bool(charged))


sys.exit(asyncio.run(main()))
