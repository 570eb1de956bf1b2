"""Items of the OpenAI Agents SDK and turns of the simulated model, in each other's words.

Law: what the SDK would send to a provider becomes plain messages, and a turn becomes output
items, each with an id of its own; nothing is added or left out. Called by the openai_agents
adapter.
"""

import json
from collections.abc import Mapping
from typing import Any

from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseOutputText,
)


def plain(given: str | list[Any]) -> list[dict[str, Any]]:
    """The SDK's input items in the words of `world.model`."""
    found: list[dict[str, Any]] = []
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        kind = item.get("type", "message")
        if kind == "function_call":
            call = {
                "id": item["call_id"],
                "name": item["name"],
                "arguments": _read(item["arguments"]),
            }
            found.append({"role": "assistant", "content": None, "tool_calls": [call]})
        elif kind == "function_call_output":
            content = _text(item["output"])
            found.append({"role": "tool", "tool_call_id": item["call_id"], "content": content})
        elif kind == "message":
            found.append({"role": item["role"], "content": _text(item["content"])})
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, Mapping))


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def items(turn: Mapping[str, Any]) -> list[ResponseOutputItem]:
    """A turn of the simulated model as output items, each with an id of its own."""
    serial, made = turn["serial"], list[ResponseOutputItem]()
    if turn["content"] is not None or not turn["tool_calls"]:
        text = ResponseOutputText(type="output_text", text=turn["content"] or "", annotations=[])
        made.append(
            ResponseOutputMessage(
                id=f"msg_{serial}",
                type="message",
                role="assistant",
                status="completed",
                content=[text],
            )
        )
    for i, call in enumerate(turn["tool_calls"]):
        arguments = call["arguments"]
        made.append(
            ResponseFunctionToolCall(
                id=f"fc_{serial}_{i}",
                type="function_call",
                call_id=call["id"],
                name=call["name"],
                arguments=arguments if isinstance(arguments, str) else json.dumps(arguments),
            )
        )
    return made
