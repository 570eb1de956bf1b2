"""LangChain's messages in the words of a world.

Law: nothing is added or left out. Called by the model, and by what hands a state over.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage


def plain(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """LangChain's messages in the words of `world.model`."""
    found: list[dict[str, Any]] = []
    for message in messages:
        plain: dict[str, Any] = {"role": message.type, "content": str(message.text)}
        if isinstance(message, ToolMessage):
            plain["tool_call_id"] = message.tool_call_id
            plain["is_error"] = message.status == "error"
        elif isinstance(message, AIMessage):
            plain["role"] = "assistant"
            plain["tool_calls"] = [
                {"id": call["id"], "name": call["name"], "arguments": call["args"]}
                for call in (*message.tool_calls, *message.invalid_tool_calls)
            ]
        elif isinstance(message, HumanMessage):
            plain["role"] = "user"
        found.append(plain)
    return found
