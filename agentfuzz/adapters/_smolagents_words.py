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
from agentfuzz.world.toolbox import DONE

FINAL = "final_answer"
_CALLS, _SEEN = "Calling tools:\n", "Observation:\n"
_FAILED = re.compile(
    r"Error executing (?:tool|request to team member) '([^']+)' with arguments (\{.*?\}): ", re.S
)
Message = dict[str, Any]
Call = tuple[str, str, Any]  # its id, its tool, its arguments


def offer_of(tools: Sequence[Any] | None) -> Offer:
    """What a request offers: the tools; the one that ends the task is the done tool where its
    arguments are more than words, and what is said else."""
    offered = list[Message]()
    for tool in tools or ():
        made = get_tool_json_schema(tool)["function"]
        if made["name"] != FINAL:
            offered.append({"name": made["name"], "schema": made["parameters"]})
        elif set(made["parameters"]["properties"]) != {"answer"}:
            offered.append({"name": DONE, "schema": made["parameters"]})
    return Offer(tuple(offered))


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


def calls_of(turn: Mapping[str, Any], tools: Sequence[Any] | None) -> list[Call]:
    """The calls of a turn; words that close are a call of `final_answer`, and as much of its
    arguments as there is of them."""
    named = [tool.name for tool in tools or ()]
    made = [
        (call["id"], FINAL if name == DONE and DONE not in named else name, call["arguments"])
        for call in turn["tool_calls"]
        for name in (call["name"],)
    ]
    text = turn["content"]
    if made or not text or FINAL not in named:
        return made
    if turn["stop"] == "length":
        return [("", FINAL, json.dumps({"answer": text}).removesuffix('"}'))]
    return [("", FINAL, {"answer": text})]
