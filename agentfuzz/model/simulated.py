"""The simulated model: it plans from the script, and reacts to what it is shown.

Law: it knows only the messages of this call and the ids it issued itself. A planned call whose
result it cannot see is planned again, with a fresh id; an error, or a reply cut off in the
middle, is tried again twice and then given up honestly; a new message of the user starts the
work over. Called by agents and adapters as `world.model(messages, tools)`; misbehaves at slots
like everything else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentfuzz.codec import snapshot
from agentfuzz.completion import Completion
from agentfuzz.faults import Fault, Slot
from agentfuzz.history import Json, ModelTurn, Struck
from agentfuzz.model.closings import CLOSINGS
from agentfuzz.model.script import Call, Script, resolve
from agentfuzz.toolbox import DONE

if TYPE_CHECKING:
    from agentfuzz.world import World

RETRIES = 2
_ERROR = re.compile(
    r"\b(error|timed out|timeout|failed|failure|connection reset|too many requests|exception)\b",
    re.IGNORECASE,
)
_IN_DOUBT = re.compile(r"timed out|timeout|connection", re.IGNORECASE)
Message = Mapping[str, Any]
Turn = dict[str, Json]


class SimulatedModel:
    """`model(messages, tools)` -> one assistant turn, as a dict with `role`, `content`,
    `tool_calls` (`id`, `name`, `arguments`) and `stop` (`end` or `tool_calls`)."""

    def __init__(self, world: "World", script: Script) -> None:
        self._world = world
        self._script = script
        self._issued: dict[str, Call] = {}

    async def aio(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        """The same for async agents."""
        return self(messages, tools)

    def __call__(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        world = self._world
        world.crossing()
        slot = world.slot_for("model", "")
        seen = _Seen(messages, self._issued)
        planned, trouble = self._plan(seen)
        if planned:
            group = "calls"
        elif seen.done:
            group = "closed"
        elif trouble:
            group = "giving_up"
        elif not self._script.closes_with_tool:
            group = "closing"
        else:
            group = "done"
        fault = world.injector.at(slot, len(world.events), group)
        if fault is not None:
            planned, trouble, text = self._misbehave(slot, fault, group, planned, trouble, seen)
            if text is not None:
                return self._say(slot, len(messages), text, [])
        if planned:
            calls: list[tuple[str, Json, Call | None]]
            calls = [(one.tool, resolve(one.arguments, seen.replies), one) for one in planned]
            return self._say(slot, len(messages), None, calls)
        return self._close(slot, len(messages), trouble, seen.done)

    def _plan(self, seen: "_Seen") -> tuple[list[Call], str]:
        """The calls of the next unfinished step, or none; and the error that ends the work."""
        for step in self._script.steps:
            open_calls = [one for one in step if id(one) not in seen.finished]
            if not open_calls:
                continue
            for one in open_calls:
                errors = seen.errors.get(id(one), [])
                if len(errors) > RETRIES:
                    return [], f"{one.tool}: {errors[-1][:200]}"
            return open_calls, ""
        return [], ""

    def _misbehave(
        self,
        slot: Slot,
        fault: Fault,
        group: str,
        planned: list[Call],
        trouble: str,
        seen: "_Seen",
    ) -> tuple[list[Call], str, str | None]:
        """Apply a model fault if it means anything at this turn; only then did it strike."""
        kind, text = fault.axes[0], None
        if kind == "skip" and group == "calls":
            planned = []
        elif kind == "repeat" and group == "calls":
            planned = [*planned, planned[-1]]
        elif kind == "repeat" and seen.last is not None:
            planned = [seen.last]
        elif kind == "reword" and group == "closing":
            text = CLOSINGS[fault.variant % len(CLOSINGS)]
        elif kind == "no_done" and group == "done":
            text = "I'm done with that now."
        else:
            return planned, trouble, None
        events = self._world.events
        events.append(Struck(len(events), self._world.clock.now, slot, str(fault)))
        return planned, trouble, text

    def _close(self, slot: Slot, shown: int, trouble: str, said: bool) -> Turn:
        closing: str | Completion = self._script.closing
        if not isinstance(closing, Completion):
            text = f"I could not finish the task: {trouble}" if trouble else closing
            return self._say(slot, shown, text, [])
        if said:
            return self._say(slot, shown, closing.detail or "The task is closed.", [])
        if trouble:
            doubt = bool(_IN_DOUBT.search(trouble))
            closing = (
                Completion.blocked(reason="outcome_unknown", detail=trouble)
                if doubt
                else Completion.failed(reason="tool_failed", detail=trouble)
            )
        arguments = {name: value for name, value in closing.model_dump().items() if value}
        return self._say(slot, shown, None, [(DONE, arguments, None)])

    def _say(
        self, slot: Slot, shown: int, text: str | None, calls: list[tuple[str, Json, Call | None]]
    ) -> Turn:
        world = self._world
        made = []
        for tool, arguments, planned in calls:
            call_id = f"tc_{len(self._issued) + 1}"
            self._issued[call_id] = planned or Call(tool)
            world.reserve(call_id, tool)
            made.append({"id": call_id, "name": tool, "arguments": arguments})
        stop = "tool_calls" if made else "end"
        calls_made = tuple((m["id"], m["name"], snapshot(m["arguments"])) for m in made)
        events = world.events
        events.append(ModelTurn(len(events), world.clock.now, slot, shown, text, calls_made, stop))
        return {"role": "assistant", "content": text, "tool_calls": made, "stop": stop}


class _Seen:
    """What the messages since the last one of the user show of the calls issued."""

    def __init__(self, messages: Sequence[Message], issued: Mapping[str, Call]) -> None:
        self.finished: set[int] = set()
        self.errors: dict[int, list[str]] = {}
        self.replies: dict[str, str] = {}
        self.last: Call | None = None
        self.done = False
        start = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
        for message in messages[start + 1 :]:
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
