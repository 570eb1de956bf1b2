"""An agent on the official openai and mcp packages, in a process of its own."""

import asyncio
import json
import os
from typing import Any

from mcp import Client
from mcp.shared.exceptions import MCPError
from openai import AsyncOpenAI

ATTEMPTS = 3


async def called(tools: Client, name: str, arguments: dict[str, Any]) -> str:
    """What a tool answers; it is asked again where nothing came back."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            result = await tools.call_tool(name, arguments)
        except MCPError:
            if attempt == ATTEMPTS:
                raise
        else:
            return "\n".join(part.text for part in result.content if part.type == "text")
    raise AssertionError("the last attempt returns or raises")


async def main() -> None:
    """Ask the model until it calls no more tools, and print what it says."""
    async with Client(os.environ["MCP_URL"], read_timeout_seconds=10) as tools, AsyncOpenAI() as ai:
        offered: list[Any] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description or "",
                    "parameters": tool.input_schema,
                },
            }
            for tool in (await tools.list_tools()).tools
        ]
        messages: list[Any] = [{"role": "user", "content": os.environ["TASK"]}]
        while True:
            answer = await ai.chat.completions.create(model="any", messages=messages, tools=offered)
            message = answer.choices[0].message
            messages.append(message.model_dump(exclude_none=True))
            if not message.tool_calls:
                print(message.content)
                return
            for call in message.tool_calls:
                if call.type != "function":
                    continue
                arguments = json.loads(call.function.arguments)
                content = await called(tools, call.function.name, arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


if __name__ == "__main__":
    asyncio.run(main())
