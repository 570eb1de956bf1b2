"""The simulated model: it plans from the script, and reacts to what it is shown.

Law: it knows only the messages of this call and the ids it issued itself. A planned call whose
result it cannot see is planned again, with a fresh id; an error, or a reply cut off in the
middle, is tried again and then given up honestly; a new message of the user is answered with what
is left to do, and else with words. `ModelBehaviour` says how often and whether. Called by agents,
adapters and wire faces; misbehaves at slots like everything else (see `model_faults`).
"""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from agentfuzz.core.codec import plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import CassetteMiss, ScenarioError
from agentfuzz.core.events import Json, ModelInput, ModelTurn, Shown, Struck
from agentfuzz.core.faults import Slot
from agentfuzz.model.behaviour import ModelBehaviour
from agentfuzz.model.endings import CLOSED, broken
from agentfuzz.model.memory import Issue, Issued, Message, known_as
from agentfuzz.model.model_faults import KINDS
from agentfuzz.model.model_faults.kind import Draft, Planned, Situation, streamed
from agentfuzz.model.reading import NO_NAMES, Seen, shown
from agentfuzz.model.script import Call, Script, resolve
from agentfuzz.providers.turns import made_id
from agentfuzz.world.acting import ACTING
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.toolbox import DONE

Turn = dict[str, Json]
CHARS_PER_TOKEN = 4  # a declared estimate, not a tokenizer
_NUMBER = re.compile(r"_\d+$")
_IN_DOUBT = re.compile(r"timed out|timeout|connection", re.IGNORECASE)


class Plan(NamedTuple):
    """What a model would do now: go on with a script; or, where the turn was `recorded`, take that
    one, which cost the `usage` that its provider counted, if it did."""

    script: Script
    recorded: Draft | None = None
    usage: Mapping[str, int] | None = None


class Planner(Protocol):
    """Where a model's plans come from: a script, or a cassette. `missed` is the error of a
    question that no cassette holds, for an agent that swallows it."""

    missed: CassetteMiss | None

    def plan(self, messages: Sequence[Message], tools: Any) -> Plan:
        """What it would do, asked this. Raises CassetteMiss."""
        ...


class Scripted:
    """A planner whose plan is one script, from beginning to end: that of the task, where a run has
    several, or that of the agent who asks, where a `cast` says whose they are."""

    missed: CassetteMiss | None = None

    def __init__(self, scripts: Sequence[Script], task: int = 1, cast: Sequence[str] = ()) -> None:
        self._scripts = scripts
        self._plan = Plan(scripts[min(task, len(scripts)) - 1])
        self._cast = dict(zip(cast, map(Plan, scripts), strict=False))

    def of_task(self, task: int) -> "Scripted":
        """The planner of another task of the run, from 1."""
        return Scripted(self._scripts, task, tuple(self._cast))

    def plan(self, messages: Sequence[Message], tools: Any) -> Plan:
        """The script."""
        if not self._cast:
            return self._plan
        agent = ACTING.get()  # a second child of a name plans as the first
        found = self._cast.get(agent) or self._cast.get(_NUMBER.sub("", agent))
        if found is None:
            raise ScenarioError(
                f"the model of agent {agent!r} was asked, and script= has one for "
                f"{', '.join(self._cast)}; say who acts: with world.acting('...')."
            )
        return found


class SimulatedModel:
    """`model(messages, tools)` -> one assistant turn: a dict with `role`, `content`, `tool_calls`
    (each `id`, `name`, `arguments`), `stop` (`end`, `tool_calls` or `length`) and `usage`.

    Raises ModelError or TimeoutError where the model's API fails, and what `endings.broken` says
    where the reply is cut in the middle (`turn` returns that one with stop `cut`, for wire faces).
    """

    def __init__(
        self, gateway: LocalGateway, planner: Planner, behaviour: ModelBehaviour | None = None
    ) -> None:
        self.planner = planner
        self.usage = {"input": 0, "output": 0}
        self._gateway = gateway
        self._behaviour = behaviour or ModelBehaviour()
        self._issued: Issued = {}
        self._loops = False

    def of_leg(self, gateway: LocalGateway) -> "SimulatedModel":
        """The same model in another leg of the run."""
        other = copy.copy(self)
        other._gateway = gateway
        if isinstance(self.planner, Scripted):
            other.planner = self.planner.of_task(gateway.task)
        return other

    async def aio(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        """The same for async agents: of several, another one may go first."""
        if self._gateway.log.named:
            await self._gateway.calls.team.turn("model")
        return self(messages, tools)

    def __call__(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        turn = self.turn(messages, tools)
        if turn["stop"] == "cut":
            raise broken(turn.get("ending", CLOSED))
        return turn

    def turn(
        self, messages: Sequence[Message], tools: Any = None, ids: str = "", stream: bool = False
    ) -> Turn:
        """One turn as it leaves the provider, a torn one included. `ids` is the provider's prefix
        for the ids of calls; `stream` says that it goes out piece by piece."""
        gateway = self._gateway
        gateway.crossing()
        slot = gateway.slot_for("model", "")
        if gateway.process.asks:
            with gateway.may_die("turn", "", "process turn"):
                pass
        log = gateway.log
        names = known_as(messages, self._issued) if self._issued else NO_NAMES
        read = tuple(shown(one, names) for one in messages)
        log.write(ModelInput, slot, read)
        seen = Seen(messages, self._issued, self._behaviour, names)
        plan = self.planner.plan(messages, tools)
        draft = plan.recorded or self._honest(plan.script, seen)
        group = streamed(draft.group) if stream else draft.group
        fault = gateway.injector.at(slot, len(log), group)
        if fault is None:
            worse = None
        else:
            kind, ending = fault.axes
            at = self._situation(plan.script, seen)
            worse = KINDS[kind](draft, at, fault.variant, ending)
        if fault is not None and worse is not None:
            log.write(Struck, slot, fault)
            self._loops = self._loops or fault.axes[0] == "loop"
            draft = worse
        elif self._loops and draft.group != "calls":
            draft = self._looping(draft, seen)
        return self._say(slot, read, draft, plan.usage if draft is plan.recorded else None, ids)

    # What it would do ---------------------------------------------------------------------

    def _honest(self, script: Script, seen: Seen) -> Draft:
        for step in script.steps:
            open_calls = [one for one in step if id(one) not in seen.finished]
            if not open_calls:
                continue
            for one in open_calls:
                errors = seen.errors.get(id(one), [])
                if len(errors) > self._behaviour.retries:
                    return self._closing(script, seen, f"{one.tool}: {errors[-1][:200]}")
            calls = tuple(
                Planned(one.tool, resolve(one.arguments, seen.replies), one) for one in open_calls
            )
            return Draft("calls", None, calls, "tool_calls")
        return self._closing(script, seen, "")

    def _closing(self, script: Script, seen: Seen, trouble: str) -> Draft:
        """The end of the task, as the script closes it or, in trouble, as honesty does."""
        closing: str | Completion = script.closing
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

    def _situation(self, script: Script, seen: Seen) -> Situation:
        closing = self._closing(script, seen, "")
        undo, spare = self._undo(seen), self._spare(script, seen)
        return Situation(self._gateway.specs, self._last(seen), closing, undo, spare)

    def _last(self, seen: Seen) -> Planned | None:
        if seen.last is None:
            return None
        return Planned(seen.last.tool, resolve(seen.last.arguments, seen.replies), seen.last)

    def _undo(self, seen: Seen) -> Planned | None:
        """The call that undoes the last one, where a tool declares that it does."""
        last = self._last(seen)
        undoer = next(
            (s for s in self._gateway.specs.values() if last and s.undoes == last.tool), None
        )
        if last is None or undoer is None or isinstance(last.arguments, str):
            return None
        return Planned(undoer.name, {k: v for k, v in last.arguments.items() if k in undoer.names})

    def _spare(self, script: Script, seen: Seen) -> Planned | None:
        """A call of a tool with an effect that is no part of the script, about the same things."""
        calls = [one for step in script.steps for one in step]
        given: dict[str, Json] = {}
        for one in calls:
            given |= resolve(one.arguments, seen.replies)
        planned = {one.tool for one in calls}
        for name, spec in self._gateway.specs.items():
            if spec.effect is not None and name not in planned and spec.required <= given.keys():
                return Planned(name, {word: given[word] for word in spec.names if word in given})
        return None

    def _looping(self, draft: Draft, seen: Seen) -> Draft:
        last = self._last(seen)
        return draft if last is None else Draft(draft.group, None, (last,), "tool_calls")

    # What it says -------------------------------------------------------------------------

    def _say(
        self,
        slot: Slot,
        shown: tuple[Shown, ...],
        draft: Draft,
        counted: Mapping[str, int] | None,
        ids: str,
    ) -> Turn:
        gateway = self._gateway
        made: list[dict[str, Json]] = []
        for planned in draft.calls if draft.raises is None else ():
            number = len(self._issued) + 1
            call_id = made_id(ids, number) if ids else f"tc_{number}"
            if planned.same_id and made:
                call_id = made[-1]["id"]
            else:
                step = planned.step or Call(planned.tool)
                self._issued[call_id] = Issue(step, planned.arguments, shown)
                gateway.reserve(call_id, planned.tool)
            made.append({"id": call_id, "name": planned.tool, "arguments": planned.arguments})
        stop = draft.stop if draft.raises is None else "error"
        calls = tuple((m["id"], m["name"], plain(m["arguments"])) for m in made)
        usage = dict(counted) if counted is not None else _estimated(shown, draft, made)
        text = draft.text if draft.raises is None else str(draft.raises)
        gateway.log.write(ModelTurn, slot, len(shown), text, calls, stop, sum(usage.values()))
        for name, count in usage.items():
            self.usage[name] += count
        if draft.raises is not None:
            raise draft.raises
        turn = {
            "role": "assistant",
            "content": text,
            "tool_calls": made,
            "stop": stop,
            "usage": usage,
        }
        return turn if draft.ending == CLOSED else {**turn, "ending": draft.ending}


def _estimated(
    shown: tuple[Shown, ...], draft: Draft, made: Sequence[Mapping[str, Json]]
) -> dict[str, int]:
    """Tokens read and written: an estimate."""
    read = sum(len(one.text) for one in shown) // CHARS_PER_TOKEN
    written = len(draft.text or "") + sum(len(str(m["arguments"])) for m in made)
    return {"input": read, "output": written // CHARS_PER_TOKEN}
