"""The simulated model: it plans from the script, and reacts to what it is shown.

Law: it knows only the messages of this call and the ids it issued itself. A planned call whose
result it cannot see is planned again, with a fresh id; an error, or a reply cut off in the
middle, is tried again and then given up honestly; a new message of the user starts the work
over. `ModelBehaviour` says how often and whether. Called by agents, adapters and wire faces;
misbehaves at slots like everything else (see `misbehave`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentfuzz.core.codec import plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import Json, ModelInput, ModelTurn, Shown, Struck
from agentfuzz.model.model_faults import Draft, Planned, Situation, misbehave
from agentfuzz.model.script import Call, Script, resolve
from agentfuzz.world.toolbox import DONE

if TYPE_CHECKING:
    from agentfuzz.world.world import World

Message = Mapping[str, Any]
Turn = dict[str, Json]
SHOWN = 500  # characters of a message that a history keeps
CHARS_PER_TOKEN = 4  # a declared estimate, not a tokenizer
_ERROR = re.compile(
    r"\b(error|timed out|timeout|failed|failure|connection reset|too many requests|exception)\b",
    re.IGNORECASE,
)
_IN_DOUBT = re.compile(r"timed out|timeout|connection", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelBehaviour:
    """How a simulated model reacts.

    `retries`: how often it tries a call again whose reply reads as an error or is cut off (two,
    as models mostly do) before it gives up honestly. `replans_missing`: whether a call whose
    result it does not see is planned again (models do; otherwise it takes it for done).
    `works_again`: whether a new message of the user makes it start over (it closes again
    otherwise).
    """

    retries: int = 2
    replans_missing: bool = True
    works_again: bool = True


class SimulatedModel:
    """`model(messages, tools)` -> one assistant turn: a dict with `role`, `content`, `tool_calls`
    (each `id`, `name`, `arguments`), `stop` (`end`, `tool_calls` or `length`) and `usage`.

    Raises ModelError or TimeoutError where the model's API fails, ConnectionError where the
    reply is cut in the middle (`turn` returns that one with stop `cut`, for wire faces).
    """

    def __init__(
        self, world: "World", script: Script, model_behaviour: ModelBehaviour | None = None
    ) -> None:
        self._world = world
        self._script = script
        self._model_behaviour = model_behaviour or ModelBehaviour()
        self._issued: dict[str, Call] = {}
        self._loops = False
        self.usage = {"input": 0, "output": 0}

    async def aio(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        """The same for async agents."""
        return self(messages, tools)

    def __call__(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        turn = self.turn(messages, tools)
        if turn["stop"] == "cut":
            raise ConnectionError("the model's reply broke off in the middle")
        return turn

    def turn(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        """One turn as it leaves the provider, a torn one included."""
        world = self._world
        world.crossing()
        slot = world.slot_for("model", "")
        if world.process.asks:
            with world.may_die("model", "process turn"):
                pass
        events, now = world.events, world.clock.now
        shown = tuple(map(_shown, messages))
        events.append(ModelInput(len(events), now, slot, shown))
        seen = _Seen(messages, self._issued, self._model_behaviour)
        draft = self._plan(messages, tools, seen)
        fault = world.injector.at(slot, len(events), draft.group)
        worse = None if fault is None else misbehave(fault, draft, self._situation(seen))
        if fault is not None and worse is not None:
            events.append(Struck(len(events), now, slot, str(fault)))
            self._loops = self._loops or fault.axes[0] == "loop"
            draft = worse
        elif self._loops and draft.group != "calls":
            draft = self._looping(draft, seen)
        return self._say(slot, shown, draft)

    # What it would do ---------------------------------------------------------------------

    def _plan(self, messages: Sequence[Message], tools: Any, seen: "_Seen") -> Draft:
        """The turn it would take without a fault: all that another kind of model replaces."""
        return self._honest(seen)

    def _honest(self, seen: "_Seen") -> Draft:
        for step in self._script.steps:
            open_calls = [one for one in step if id(one) not in seen.finished]
            if not open_calls:
                continue
            for one in open_calls:
                errors = seen.errors.get(id(one), [])
                if len(errors) > self._model_behaviour.retries:
                    return self._closing(seen, f"{one.tool}: {errors[-1][:200]}")
            calls = tuple(
                Planned(one.tool, resolve(one.arguments, seen.replies), one) for one in open_calls
            )
            return Draft("calls", None, calls, "tool_calls")
        return self._closing(seen, "")

    def _closing(self, seen: "_Seen", trouble: str) -> Draft:
        """The end of the task, as the script closes it or, in trouble, as honesty does."""
        closing: str | Completion = self._script.closing
        if not isinstance(closing, Completion):
            text = f"I could not finish the task: {trouble}" if trouble else closing
            return Draft("giving_up" if trouble else "closing", text)
        if seen.done:
            return Draft("closed", closing.detail or "The task is closed.")
        if trouble:
            doubt = bool(_IN_DOUBT.search(trouble))
            closing = (
                Completion.blocked(reason="outcome_unknown", detail=trouble)
                if doubt
                else Completion.failed(reason="tool_failed", detail=trouble)
            )
        arguments = {name: value for name, value in closing.model_dump().items() if value}
        calls = (Planned(DONE, arguments),)
        return Draft("giving_up" if trouble else "done", None, calls, "tool_calls")

    def _situation(self, seen: "_Seen") -> Situation:
        return Situation(
            self._world.specs, self._last(seen), self._closing(seen, ""), self._undo(seen)
        )

    def _last(self, seen: "_Seen") -> Planned | None:
        if seen.last is None:
            return None
        return Planned(seen.last.tool, resolve(seen.last.arguments, seen.replies), seen.last)

    def _undo(self, seen: "_Seen") -> Planned | None:
        """The call that undoes the last one, where a tool declares that it does."""
        last = self._last(seen)
        undoer = next(
            (s for s in self._world.specs.values() if last and s.undoes == last.tool), None
        )
        if last is None or undoer is None or isinstance(last.arguments, str):
            return None
        return Planned(undoer.name, {k: v for k, v in last.arguments.items() if k in undoer.names})

    def _looping(self, draft: Draft, seen: "_Seen") -> Draft:
        last = self._last(seen)
        return draft if last is None else Draft(draft.group, None, (last,), "tool_calls")

    # What it says -------------------------------------------------------------------------

    def _say(self, slot: Slot, shown: "tuple[Shown, ...]", draft: Draft) -> Turn:
        world = self._world
        made: list[dict[str, Json]] = []
        for planned in draft.calls if draft.raises is None else ():
            call_id = f"tc_{len(self._issued) + 1}"
            if planned.same_id and made:
                call_id = made[-1]["id"]
            else:
                self._issued[call_id] = planned.step or Call(planned.tool)
                world.reserve(call_id, planned.tool)
            made.append({"id": call_id, "name": planned.tool, "arguments": planned.arguments})
        stop = draft.stop if draft.raises is None else "error"
        calls = tuple((m["id"], m["name"], plain(m["arguments"])) for m in made)
        read = sum(len(one.text) for one in shown) // CHARS_PER_TOKEN
        written = len(draft.text or "") + sum(len(str(m["arguments"])) for m in made)
        usage = {"input": read, "output": written // CHARS_PER_TOKEN}
        text = draft.text if draft.raises is None else str(draft.raises)
        events = world.events
        events.append(
            ModelTurn(
                len(events),
                world.clock.now,
                slot,
                len(shown),
                text,
                calls,
                stop,
                sum(usage.values()),
            )
        )
        for name, count in usage.items():
            self.usage[name] += count
        if draft.raises is not None:
            raise draft.raises
        return {
            "role": "assistant",
            "content": text,
            "tool_calls": made,
            "stop": stop,
            "usage": usage,
        }


def _shown(message: Message) -> Shown:
    """What a history keeps of one message: its role, its text, and the ids it binds."""
    calls = message.get("tool_calls") or ()
    content = message.get("content")
    text = content if isinstance(content, str) else "" if content is None else str(plain(content))
    ids = tuple(str(call.get("id") if isinstance(call, Mapping) else call) for call in calls)
    answers = message.get("tool_call_id")
    role = str(message.get("role"))
    return Shown(role, plain(text[:SHOWN]), ids, None if answers is None else str(answers))


class _Seen:
    """What the messages since the last one of the user show of the calls issued."""

    def __init__(
        self,
        messages: Sequence[Message],
        issued: Mapping[str, Call],
        model_behaviour: ModelBehaviour,
    ) -> None:
        self.finished: set[int] = set()
        self.errors: dict[int, list[str]] = {}
        self.replies: dict[str, str] = {}
        self.last: Call | None = None
        self.done = False
        start = -1
        if model_behaviour.works_again:
            start = max((i for i, m in enumerate(messages) if m.get("role") == "user"), default=-1)
        for message in messages[start + 1 :]:
            if not model_behaviour.replans_missing:
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
