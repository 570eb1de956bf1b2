"""What smolagents shows its model, and what a turn is to it, in each other's words.

Law: the framework writes calls and results into texts; what can be read there is read as messages,
and nothing else is known. An error names its tool and its arguments instead of an id: it is read as
a call of those, with its result. Called by the smolagents adapter.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smolagents.models import get_tool_json_schema

from agentfuzz.providers.offer import Offer

FINAL = "final_answer"
_CALLS, _SEEN = "Calling tools:\n", "Observation:\n"
_FAILED = re.compile(
    r"Error executing (?:tool|request to team member) '([^']+)' with arguments (\{.*?\}): ", re.S
)
Message = dict[str, Any]
Call = tuple[str, str, Any]  # its id, its tool, its arguments


def offer_of(tools: Sequence[Any] | None) -> Offer:
    """What a request offers: the tools but the one that ends the task, whose arguments are the form
    of the answer where they are more than words."""
    offered, answer = list[Message](), None
    for tool in tools or ():
        made = get_tool_json_schema(tool)["function"]
        schema = made["parameters"]
        if made["name"] != FINAL:
            offered.append({"name": made["name"], "schema": schema})
        elif set(schema["properties"]) != {"answer"}:
            answer = {**schema, "properties": dict(map(_or_null, schema["properties"].items()))}
    return Offer(tuple(offered), answer=answer)


def _or_null(item: tuple[str, Any]) -> tuple[str, Any]:
    name, part = item
    return name, {"type": [part["type"], "null"]} if part.get("nullable") else part


def plain(messages: Sequence[Any]) -> list[Message]:
    """The framework's messages in the words of `world.model`."""
    found: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        role, text = getattr(message.role, "value", message.role), _text(message.content)
        if role == "tool-call":
            waiting = []
            for call in _read(text.removeprefix(_CALLS)) or ():
                if call["function"]["name"] == FINAL:
                    said = call["function"]["arguments"]
                    found.append({"role": "assistant", "content": _answer(said)})
                else:
                    waiting.append(call["id"])
                    found.append(_asked(call["id"], **call["function"]))
        elif role == "tool-response" and text.startswith(_SEEN):
            found += _results(waiting, text.removeprefix(_SEEN))
            waiting = []
        elif role == "tool-response":
            found += _error(text, len(found))
        else:
            found.append({"role": role, "content": text})
    return found


def _asked(id: str, name: str, arguments: Any) -> Message:
    call = {"id": id, "name": name, "arguments": arguments}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def _results(waiting: list[str], text: str) -> Iterator[Message]:
    """The results of a turn, which stand below each other in the order of its calls. Where one has
    several lines, which is whose cannot be seen."""
    lines = text.split("\n")
    each = lines if len(lines) == len(waiting) else [text] * len(waiting)
    for id, line in zip(waiting, each, strict=True):
        yield {"role": "tool", "tool_call_id": id, "content": line}


def _error(text: str, serial: int) -> Iterator[Message]:
    named = _FAILED.search(text)
    arguments = _read(named[2]) if named else None
    if named is None or arguments is None:
        yield {"role": "user", "content": text}
        return
    id = f"said_{serial}"
    yield _asked(id, named[1], arguments)
    yield {"role": "tool", "tool_call_id": id, "content": text, "is_error": True}


def _answer(said: Any) -> str:
    return str(said["answer"]) if isinstance(said, Mapping) and "answer" in said else str(said)


def _read(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or ())


def calls_of(turn: Mapping[str, Any], offer: Offer, tools: Sequence[Any] | None) -> list[Call]:
    """The calls of a turn; words that close are a call of `final_answer`, and as much of its
    arguments as there is of them."""
    made = [(call["id"], call["name"], call["arguments"]) for call in turn["tool_calls"]]
    text = turn["content"]
    if made or not text or FINAL not in [tool.name for tool in tools or ()]:
        return made
    arguments: Any = text if offer.answer is not None else json.dumps({"answer": text})
    if turn["stop"] == "length":
        return [("", FINAL, arguments.removesuffix('"}'))]
    try:
        return [("", FINAL, json.loads(arguments))]
    except ValueError:
        return [("", FINAL, arguments)]
