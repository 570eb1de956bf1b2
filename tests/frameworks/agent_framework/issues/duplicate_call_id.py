"""agent-framework-core 1.23.0: one call id twice in a reply is executed twice, but for streams of
the Responses API. Exit status 1: shown.

pip install agent-framework-core==1.23.0 agent-framework-openai==1.17.0
"""

import asyncio
import json
import sys

import httpx2
from agent_framework import Agent
from agent_framework.openai import OpenAIChatCompletionClient
from openai import AsyncOpenAI

charged: list[str] = []


def charge(order_id: str) -> str:
    """Charge an order."""
    charged.append(order_id)
    return f"charged {order_id}"


def answer(request: httpx2.Request) -> httpx2.Response:
    """A provider whose reply holds one call twice."""
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "charge", "arguments": '{"order_id": "A17"}'},
    }
    asked = not any(one["role"] == "tool" for one in json.loads(request.content)["messages"])
    message = {"role": "assistant", "content": None, "tool_calls": [call, call]}
    choice = {
        "index": 0,
        "finish_reason": "tool_calls" if asked else "stop",
        "message": message if asked else {"role": "assistant", "content": "Charged."},
    }
    body = {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
    return httpx2.Response(200, json=body)


async def main() -> int:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    client = AsyncOpenAI(api_key="none", base_url="http://provider.invalid/v1", http_client=http)
    model = OpenAIChatCompletionClient(model="m", async_client=client)
    await Agent(client=model, tools=[charge]).run("Charge order A17.")
    print(f"one call id, executed {len(charged)} times: {charged}")
    return int(len(charged) > 1)


sys.exit(asyncio.run(main()))
