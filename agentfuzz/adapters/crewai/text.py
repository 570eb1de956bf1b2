"""The text by which CrewAI's agents call tools where a model has no calls of its own (ReAct).

Law: one turn is one action with its input, or a final answer; what follows `Observation:` in a
message is the result of the action before it. What the framework says between is nobody's message.
Called by the crewai adapter.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Message = dict[str, Any]

_ACTION = re.compile(r"Action:[ \t]*(?P<tool>[^\n]*)\nAction Input:(?P<input>.*)", re.S)
_SEEN, _FINAL = "\nObservation:", "Final Answer:"
_FAILED = "I encountered an error"


def plain(messages: str | Sequence[Mapping[str, Any]]) -> list[Message]:
    """The framework's messages in the words of `world.model`."""
    if isinstance(messages, str):
        return [{"role": "user", "content": messages}]
    found: list[Message] = []
    for message in messages:
        role, text = message["role"], str(message.get("content") or "")
        if role == "assistant":
            found += _said(text, len(found))
        else:
            begun = any(one["role"] == "assistant" for one in found)
            found.append({"role": "system" if begun else role, "content": text})
    return found


def _said(text: str, serial: int) -> Iterator[Message]:
    before, seen, result = text.partition(_SEEN)
    action = _ACTION.search(before)
    if not action or not seen:
        yield {"role": "assistant", "content": text.rpartition(_FINAL)[2].strip() or text}
        return
    id, result = f"said_{serial}", result.strip()
    call = {"id": id, "name": action["tool"].strip(), "arguments": _read(action["input"])}
    yield {"role": "assistant", "content": None, "tool_calls": [call]}
    failed = {"is_error": True} if result.startswith(_FAILED) else {}
    yield {"role": "tool", "tool_call_id": id, "content": result, **failed}


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def written(turn: Mapping[str, Any]) -> str:
    """A turn as the framework reads it. One that was cut has no more than was written."""
    text = turn["content"]
    for call in turn["tool_calls"][:1]:
        arguments = call["arguments"]
        given = arguments if isinstance(arguments, str) else json.dumps(arguments)
        thought = text or "I use a tool."
        return f"Thought: {thought}\nAction: {call['name']}\nAction Input: {given}\n"
    return f"Thought: I now know the final answer\n{_FINAL} {text}" if text else ""
