"""What a model remembers of its own asking: the calls it asked for, and how to know them again.

Law: nothing of the world is in it, and nothing of a result; a call is known again by its id, or, in
a conversation whose ids a framework has renamed, by its name and its arguments. Kept by the
simulated model, over all legs of a run; read by what it reads.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from agentfuzz.core.events import Json, Shown
from agentfuzz.model.script import Call

Message = Mapping[str, Any]
SHOWN = 500  # characters of a message that a history keeps
_TELLS = ("user", "system", "developer")
_SENTENCE = re.compile(r"[^\n]*?(?:[.!?;](?=\s)|\n|$)")
_HAPPENED = re.compile(
    r"\b(was|were|has|have|had|already|returned|returns|answered|gave|called|executed|completed?"
    r"|finished|succeeded|success\w*|done|confirmed|results?|receipt|ok)\b|->|=>|→|✓|✔",
    re.IGNORECASE,
)
_NOT_SO = re.compile(
    r"\b(not|never|no|fail\w*|errors?|exception|timed? ?out|timeout|unknown|unclear|pending|must"
    r"|should|please|will|todo|open|if|retry|again)\b|n't\b|\?\s*$",
    re.IGNORECASE,
)


class Issue(NamedTuple):
    """One call that a model asked for: the script's call behind it, its arguments as they were
    sent, and what the model had been shown."""

    call: Call
    arguments: Mapping[str, Json] | str
    read: tuple[Shown, ...]


Issued = dict[str, list[Issue]]  # by id: more than one where a model gave it again


def is_call(one: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a message tells of a call, and not of something else."""
    return type(one) is dict or isinstance(one, Mapping)


def meant(known: Sequence[Issue], tool: str, arguments: Any) -> Issue:
    """Which of the calls that were issued under one id a conversation shows: the first that is the
    same in tool and arguments, or else the latest."""
    if len(known) > 1:
        for issue in known:
            if issue.call.tool == tool and _read(issue.arguments) == _read(arguments):
                return issue
    return known[-1]


def known_as(messages: Sequence[Message], issued: Issued) -> dict[str, str]:
    """The model's own ids of calls that a conversation shows under other ones, the latest first:
    the same tool with the same arguments, whose own id stands nowhere."""
    strange: list[tuple[str, str, Any]] = []
    shown: set[str] = set()
    for message in messages:
        shown.add(str(message.get("tool_call_id")))
        for made in message.get("tool_calls") or ():
            if not is_call(made):
                continue
            name = str(made.get("id"))
            shown.add(name)
            if name not in issued:
                strange.append((name, str(made.get("name")), made.get("arguments")))
    found: dict[str, str] = {}
    if not strange:
        return found
    free = [
        (one, issue)
        for one, known in reversed(issued.items())
        if one not in shown
        for issue in reversed(known)
    ]
    for name, tool, arguments in reversed(strange):
        for at, (one, issue) in enumerate(free):
            if issue.call.tool == tool and _read(issue.arguments) == _read(arguments):
                found[name] = one
                del free[at]
                break
    return found


def _read(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments or {}
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def told_of(messages: Sequence[Message], issued: Issued) -> Iterator[tuple[Call, str]]:
    """The calls that a summary of earlier turns says were made, each with the sentence: a sentence
    of the user's or the system's that was not there when the call was asked for, that says that
    something happened, and that names the tool and an argument which no other call of it has."""
    every = [issue for known in issued.values() for issue in known]
    tools = {issue.call.tool for issue in every}
    for message in messages:
        text = message.get("content")
        if message.get("role") not in _TELLS or not isinstance(text, str):
            continue
        if not any(tool in text for tool in tools):
            continue
        for said in _sentences(text, tools):
            if not _HAPPENED.search(said) or _NOT_SO.search(said):
                continue
            for issue in every:
                named = _has(said, issue.call.tool) and _names(said, issue, every)
                if named and not _known(said, text, issue):
                    yield issue.call, said


def _sentences(text: str, tools: Iterable[str]) -> Iterator[str]:
    """The sentences of a text; a line that names a tool and ends with a colon goes on in the lines
    after it, to the next blank one."""
    for found in _SENTENCE.finditer(text):
        said = found.group()
        if said.endswith(":\n") and any(_has(said, tool) for tool in tools):
            said += text[found.end() :].partition("\n\n")[0]
        yield said


def _known(said: str, text: str, issue: Issue) -> bool:
    """Whether a sentence of this text was there when the call was asked for."""
    start = text[:SHOWN]
    return any(
        said.strip() in one.text or (len(one.text) == SHOWN and one.text == start)
        for one in issue.read
    )


def _names(said: str, issue: Issue, every: Sequence[Issue]) -> bool:
    others = [
        _values(one.arguments)
        for one in every
        if one.call.tool == issue.call.tool and one.call is not issue.call
    ]
    own = (value for value in _values(issue.arguments) if not any(value in one for one in others))
    return any(_has(said, value) for value in own)


def _values(arguments: Mapping[str, Json] | str) -> list[str]:
    if isinstance(arguments, str):
        return []
    return [
        str(value)
        for value in arguments.values()
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""
    ]


def _has(said: str, word: str) -> bool:
    return bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said))
