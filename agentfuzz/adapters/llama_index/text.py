"""The text of LlamaIndex's ReAct, in the words of `world.model`.

Law: one turn is one action with its input, or an answer; an observation is the result of the action
before it, wherever the framework puts the two. An input that is no object is no call: the framework
says so, and forgets it. Called by the model of a ReActAgent.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentfuzz.providers.offer import Offer

Message = dict[str, Any]
Said = Sequence[tuple[str, str]]  # roles and texts

_TOOL = re.compile(r"^> Tool Name: (.+)$", re.MULTILINE)
_PART = re.compile(r"^(Thought|Action|Action Input|Observation|Answer): ?", re.MULTILINE)


def offer_of(messages: Said) -> Offer:
    """The tools that a prompt names, one of them at a time."""
    named = [name for role, text in messages if role == "system" for name in _TOOL.findall(text)]
    return Offer(tuple({"name": name} for name in named), most_calls=1)


def plain(messages: Said) -> list[Message]:
    """The framework's messages in the words of `world.model`."""
    found: list[Message] = []
    for role, text in messages:
        if role == "assistant" or (text.startswith("Observation:") and _waits(found)):
            found += list(_parts(role, text, found))
        else:
            found.append({"role": role, "content": text})
    return found


def _waits(found: list[Message]) -> bool:
    return bool(found) and bool(found[-1].get("tool_calls"))


def _parts(role: str, text: str, before: list[Message]) -> Iterator[Message]:
    first, *parts = _PART.split(text)
    if first.strip():
        yield {"role": role, "content": first.strip()}
    named, id = "", before[-1]["tool_calls"][0]["id"] if _waits(before) else ""
    serial = sum("tool_calls" in one for one in before)  # the same wherever the call is shown
    for part, words in zip(parts[::2], map(str.strip, parts[1::2]), strict=True):
        if part == "Action":
            serial += 1
            named, id = words, f"said_{serial}"
        elif part == "Action Input":
            given = _read(words)
            call = {"id": id, "name": named, "arguments": given}
            calls = {"tool_calls": [call]} if isinstance(given, dict) else {}
            yield {"role": "assistant", "content": None if calls else words, **calls}
        elif part == "Observation":
            yield {"role": "tool", "tool_call_id": id, "content": words}
        elif part == "Answer":
            yield {"role": "assistant", "content": words}


def _read(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text


def written(turn: Mapping[str, Any]) -> str:
    """A turn as the framework reads it. One that was cut has no more than was written."""
    text = turn["content"]
    for call in turn["tool_calls"][:1]:
        arguments = call["arguments"]
        given = arguments if isinstance(arguments, str) else json.dumps(arguments)
        thought = text or "I use a tool."
        return f"Thought: {thought}\nAction: {call['name']}\nAction Input: {given}"
    return f"Thought: I can answer without any more tools.\nAnswer: {text}" if text else ""
