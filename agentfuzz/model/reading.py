"""What a model reads: the messages that it is shown, and what they say of the calls it issued.

Law: only the messages of one call and the ids that the model issued itself are looked at. Called
by the simulated model at every turn, and by cassettes, which read recorded messages alike.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.events import Shown
from agentfuzz.model.behaviour import ModelBehaviour
from agentfuzz.model.script import Call
from agentfuzz.world.toolbox import DONE

Message = Mapping[str, Any]
SHOWN = 500  # characters of a message that a history keeps
_ADDRESS = 24  # characters of a memory address, which it does not keep: none is cut in two
_ERROR = re.compile(
    r"\b(error|timed out|timeout|failed|failure|connection reset|too many requests|exception)\b",
    re.IGNORECASE,
)


def shown(message: Message) -> Shown:
    """What a history keeps of one message: its role, its text, and the ids it binds."""
    calls = message.get("tool_calls") or ()
    content = message.get("content")
    text = content if isinstance(content, str) else "" if content is None else str(plain(content))
    ids = tuple(str(call.get("id") if isinstance(call, Mapping) else call) for call in calls)
    answers = message.get("tool_call_id")
    role = str(message.get("role"))
    text = plain(text[: SHOWN + _ADDRESS])[:SHOWN]
    return Shown(role, text, ids, None if answers is None else str(answers))


class Seen:
    """What the messages since the last one of the user show of the calls issued."""

    def __init__(
        self,
        messages: Sequence[Message],
        issued: Mapping[str, Call],
        behaviour: ModelBehaviour,
    ) -> None:
        self.finished: set[int] = set()
        self.errors: dict[int, list[str]] = {}
        self.replies: dict[str, str] = {}
        self.last: Call | None = None
        self.done = False
        start = -1
        if behaviour.works_again:
            start = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
        for message in messages[start + 1 :]:
            if not behaviour.replans_missing:
                self._taken_for_done(message, issued)
            call = issued.get(message.get("tool_call_id") or "")
            if message.get("role") != "tool" or call is None:
                continue
            if call.tool == DONE:
                self.done = True
                continue
            content = str(message.get("content") or "")
            if message.get("is_error") or reads_as_error(content):
                self.errors.setdefault(id(call), []).append(content)
                continue
            self.finished.add(id(call))
            self.replies[call.tool] = content
            self.last = call

    def _taken_for_done(self, message: Message, issued: Mapping[str, Call]) -> None:
        for made in message.get("tool_calls") or ():
            call = issued.get(made.get("id", "")) if isinstance(made, Mapping) else None
            if call is not None:
                self.finished.add(id(call))


def reads_as_error(content: str) -> bool:
    """Whether a model would take this tool result for an error, or for one cut off."""
    text = content.strip()
    if text[:1] in ("{", "["):
        try:
            found = json.loads(text)
        except ValueError:
            return True
        if isinstance(found, dict):
            return bool(found.get("error")) or found.get("status") in ("error", "failed")
        return False
    return bool(_ERROR.search(text[:300]))
