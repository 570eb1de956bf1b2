"""A turn as a block of Python, and what a CodeAgent shows of it, in each other's words.

Law: each call of a turn is a statement that prints its result below its number; one id is one
statement. What is printed is the result of the call with that number; what an error names, and what
stands after it, was not done. Called by the model of a CodeAgent.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentfuzz.adapters.smolagents.turns import FINAL
from agentfuzz.adapters.smolagents.words import CALLS, SEEN, Message, asked, read, text_of
from agentfuzz.world.toolbox import DONE

_BEGIN, _END = "<code>", "</code>"
_CALL = re.compile(r"print\(\"#\d+\", (?P<name>.+?)\((?P<given>.*)\)\)")
_FINAL = re.compile(rf"{FINAL}\((?P<given>.*)\)")
_RESULT = re.compile(r"^#(\d+) ", re.MULTILINE)
_LOGS, _LAST = "Execution logs:\n", "Last output from code snippet:\n"


def written(turn: Mapping[str, Any], typed: bool) -> str:
    """A turn as the framework reads it. One that was cut has no more than was written."""
    text, calls = turn["content"], {call["id"]: call for call in turn["tool_calls"]}
    if not calls and not text:
        return ""
    if not calls:
        said = f"{_BEGIN}\n{FINAL}({text!r})\n{_END}"
        return said if turn["stop"] != "length" else said[: said.rindex(")") - 1]
    lines = [_line(n, call, typed) for n, call in enumerate(calls.values(), 1)]
    thought = f"Thought: {text}\n" if text else ""
    return f"{thought}{_BEGIN}\n" + "\n".join(lines) + f"\n{_END}"


def _line(number: int, call: Mapping[str, Any], typed: bool) -> str:
    given = call["arguments"]
    if not isinstance(given, Mapping):
        words = f"**{given}"  # broken as it is
    elif all(str(name).isidentifier() for name in given):
        words = ", ".join(f"{name}={value!r}" for name, value in given.items())
    else:
        words = f"**{dict(given)!r}"
    if call["name"] == DONE and typed:
        return f"{FINAL}({words})"
    return f'print("#{number}", {call["name"]}({words}))'


def plain(messages: Sequence[Any]) -> list[Message]:
    """The framework's messages in the words of `world.model`."""
    found: list[Message] = []
    waiting: dict[int, str] = {}
    for message in messages:
        role, text = getattr(message.role, "value", message.role), text_of(message.content)
        if role == "assistant":
            said = text.partition(_BEGIN)[0].removeprefix("Thought: ").strip()
            found += [{"role": role, "content": said}] if said else []
        elif role == "tool-call":
            waiting = {}
            for call in read(text.removeprefix(CALLS)) or ():
                for number, made in enumerate(_calls(call["function"]["arguments"]), 1):
                    if isinstance(made, str):
                        found.append({"role": "assistant", "content": made})
                        continue
                    waiting[number] = f"said_{len(found)}"
                    found.append(asked(waiting[number], *made))
        elif role == "tool-response" and text.startswith(SEEN):
            found += _results(waiting, text.removeprefix(SEEN))
        elif role == "tool-response" and waiting:
            found += [_failed(id, text) for id in waiting.values()]
            waiting = {}
        else:
            found.append({"role": "user" if role == "tool-response" else role, "content": text})
    return found


def _calls(code: str) -> Iterator[tuple[str, Any] | str]:
    """The calls of a block, and the words of a final answer."""
    for line in code.splitlines():
        if end := _FINAL.fullmatch(line):
            yield str(_given(end["given"]) or read(end["given"]))
        elif call := _CALL.fullmatch(line):
            yield call["name"], _given(call["given"])


def _given(text: str) -> Any:
    """Arguments as they were meant; as they stand there, where they are broken."""
    try:
        call: Any = ast.parse(f"f({text})", mode="eval").body
    except SyntaxError:
        return text.removeprefix("**")
    found: dict[str, Any] = {}
    for word in call.keywords:
        value = read(ast.unparse(word.value))
        found |= {word.arg: value} if word.arg else value or {}
    return found


def _results(waiting: dict[int, str], text: str) -> Iterator[Message]:
    """What was printed of each number, which waits no longer."""
    logs = text.removeprefix(_LOGS).rpartition(_LAST)[0] or text.removeprefix(_LOGS)
    _, *parts = _RESULT.split(logs)
    for number, said in zip(map(int, parts[::2]), parts[1::2], strict=True):
        if number in waiting:
            id = waiting.pop(number)
            yield {"role": "tool", "tool_call_id": id, "content": said.removesuffix("\n")}


def _failed(id: str, text: str) -> Message:
    return {"role": "tool", "tool_call_id": id, "content": text, "is_error": True}
