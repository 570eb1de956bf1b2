"""An agent on the official openai and mcp packages, in a process of its own."""

import asyncio
import json
import os
from contextlib import suppress
from typing import Any

from mcp import Client
from openai import AsyncOpenAI

ATTEMPTS = 3


def connected() -> Client:
    """A connection to the tools, for one request or a few."""
    return Client(os.environ["MCP_URL"], read_timeout_seconds=10)


async def called(name: str, arguments: dict[str, Any]) -> str:
    """What a tool answers; it is asked again, over a new connection, where nothing came back."""
    for _ in range(ATTEMPTS - 1):
        with suppress(Exception):
            return await attempt(name, arguments)
    return await attempt(name, arguments)


async def attempt(name: str, arguments: dict[str, Any]) -> str:
    """One call."""
    async with connected() as tools:
        result = await tools.call_tool(name, arguments)
    return "\n".join(part.text for part in result.content if part.type == "text")


async def offered() -> list[Any]:
    """The tools, as the model wants them described."""
    async with connected() as tools:
        found = (await tools.list_tools()).tools
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description or "",
                "parameters": tool.input_schema,
            },
        }
        for tool in found
    ]


async def main() -> None:
    """Ask the model until it calls no more tools, and print what it says."""
    tools = await offered()
    async with AsyncOpenAI() as ai:
        messages: list[Any] = [{"role": "user", "content": os.environ["TASK"]}]
        while True:
            answer = await ai.chat.completions.create(model="any", messages=messages, tools=tools)
            message = answer.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            if not message.tool_calls:
                print(message.content)
                return
            for call in message.tool_calls:
                if call.type != "function":
                    continue
                arguments = json.loads(call.function.arguments)
                content = await called(call.function.name, arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


if __name__ == "__main__":
    asyncio.run(main())
