"""What smolagents shows the model of a ToolCallingAgent, in the words of `world.model`.

Law: the framework writes calls and results into texts; what can be read there is read as messages,
and nothing else is known. An error names its tool and its arguments instead of an id: it is read as
a call of those, with its result. Called by the models of the smolagents adapter.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentfuzz.adapters.smolagents.turns import FINAL

CALLS, SEEN = "Calling tools:\n", "Observation:\n"
_FAILED = re.compile(
    r"Error executing (?:tool|request to team member) '([^']+)' with arguments (\{.*?\}): ", re.S
)
Message = dict[str, Any]


def plain(messages: Sequence[Any]) -> list[Message]:
    """The framework's messages in the words of `world.model`."""
    found: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        role, text = getattr(message.role, "value", message.role), text_of(message.content)
        if role == "tool-call":
            waiting = []
            for call in read(text.removeprefix(CALLS)) or ():
                if call["function"]["name"] == FINAL:
                    said = call["function"]["arguments"]
                    found.append({"role": "assistant", "content": _answer(said)})
                else:
                    waiting.append(call["id"])
                    found.append(asked(call["id"], **call["function"]))
        elif role == "tool-response" and text.startswith(SEEN):
            found += _results(waiting, text.removeprefix(SEEN))
            waiting = []
        elif role == "tool-response":
            found += _error(text, len(found))
        else:
            found.append({"role": role, "content": text})
    return found


def asked(id: str, name: str, arguments: Any) -> Message:
    """A call as the model made it."""
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
    arguments = read(named[2]) if named else None
    if named is None or arguments is None:
        yield {"role": "user", "content": text}
        return
    id = f"said_{serial}"
    yield asked(id, named[1], arguments)
    yield {"role": "tool", "tool_call_id": id, "content": text, "is_error": True}


def _answer(said: Any) -> str:
    return str(said["answer"]) if isinstance(said, Mapping) and "answer" in said else str(said)


def read(text: str) -> Any:
    """A literal of Python, None for what is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def text_of(content: Any) -> str:
    """The words of a message."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or ())
