"""The simulated model: it plans from the script, and reacts to what it is shown.

Law: it knows only the messages and the offer of this call and the ids it issued itself. A planned
call whose result it cannot see is planned again, with a fresh id; an error, or a reply cut off in
the middle, is tried again and then given up honestly; a new message of the user is answered with
what is left to do, and else with words. `ModelBehaviour` says how often and whether. Called by
agents, adapters and wire faces; misbehaves at slots like everything else (see `model_faults`).
"""

import copy
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.errors import Crash
from agentfuzz.core.events import Json, ModelInput, ModelTurn, Shown, Struck
from agentfuzz.core.faults import Slot
from agentfuzz.model.behaviour import ModelBehaviour
from agentfuzz.model.endings import CLOSED, broken
from agentfuzz.model.limits import CHARS_PER_TOKEN, ended
from agentfuzz.model.memory import Issue, Issued, Message, known_as
from agentfuzz.model.model_faults import KINDS
from agentfuzz.model.model_faults.kind import Draft, Planned, Situation, sent, streamed
from agentfuzz.model.offered import closing, planned, possible
from agentfuzz.model.planner import Planner, Scripted
from agentfuzz.model.reading import NO_NAMES, Seen, shown
from agentfuzz.model.script import Call, Script, resolve
from agentfuzz.providers.offer import Offer, offered
from agentfuzz.providers.turns import made_id
from agentfuzz.world.local import LocalGateway

Turn = dict[str, Json]


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
        self._here = weakref.ref(gateway)  # which holds its model: a run is in no circle
        self._behaviour = behaviour or ModelBehaviour()
        self._issued: Issued = {}
        self._loops = False

    def of_leg(self, gateway: LocalGateway) -> "SimulatedModel":
        """The same model in another leg of the run."""
        other = copy.copy(self)
        other._here = weakref.ref(gateway)
        if isinstance(self.planner, Scripted):
            other.planner = self.planner.of_task(gateway.task)
        return other

    @property
    def _gateway(self) -> LocalGateway:
        """That of its leg. Raises Crash when the run is over and gone."""
        gateway = self._here()
        if gateway is None:
            raise Crash
        return gateway

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
        read = tuple([shown(one, names) for one in messages])
        log.write(ModelInput, slot, read)
        seen = Seen(messages, self._issued, self._behaviour, names)
        offer = offered(tools)
        plan = self.planner.plan(messages, offer)
        draft = plan.recorded or planned(
            plan.script, seen, offer, gateway.specs, self._behaviour.retries
        )
        group = (streamed if stream else sent if ids else str)(draft.group)
        fault = gateway.injector.at(slot, len(log), group)
        if fault is None:
            worse = None
        else:
            kind, ending = fault.axes
            situation = self._situation(plan.script, seen, offer)
            worse = KINDS[kind](draft, situation, fault.variant, ending)
        if fault is not None and worse is not None and possible(worse, offer):
            log.write(Struck, slot, fault)
            self._loops = self._loops or fault.axes[0] == "loop"
            draft = worse
        elif self._loops and draft.group != "calls":
            looping = self._looping(draft, seen)
            draft = looping if possible(looping, offer) else draft
        if draft is not plan.recorded:
            draft = ended(draft, offer)
        usage = plan.usage if draft is plan.recorded else None
        return self._say(slot, read, draft, usage, ids, offer.choices)

    def refuse(self, messages: Sequence[Message], words: str) -> None:
        """A request that its provider refuses, in these words: a turn that is not taken."""
        gateway = self._gateway
        gateway.crossing()
        slot = gateway.slot_for("model", "")
        names = known_as(messages, self._issued) if self._issued else NO_NAMES
        read = tuple(shown(one, names) for one in messages)
        gateway.log.write(ModelInput, slot, read)
        gateway.log.write(ModelTurn, slot, len(read), words, (), "refused", 0)

    # What it would do ---------------------------------------------------------------------

    def _situation(self, script: Script, seen: Seen, offer: Offer) -> Situation:
        end = closing(script, seen, offer)
        undo, spare = self._undo(seen), self._spare(script, seen)
        return Situation(self._gateway.specs, self._last(seen), end, undo, spare)

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
        choices: int,
    ) -> Turn:
        log = self._gateway.log
        made = self._made(draft, shown, ids)
        stop = draft.stop if draft.raises is None else "error"
        calls = tuple([(m["id"], m["name"], plain(m["arguments"])) for m in made])
        text = draft.text if draft.raises is None else str(draft.raises)
        others = [self._made(draft, shown, ids) for _ in range(choices - 1)] if choices > 1 else ()
        usage = dict(counted) if counted is not None else _estimated(shown, draft, made, choices)
        log.write(ModelTurn, slot, len(shown), text, calls, stop, sum(usage.values()))
        for name, count in usage.items():
            self.usage[name] += count
        if draft.raises is not None:
            raise draft.raises
        turn: Turn = {
            "role": "assistant",
            "content": text,
            "tool_calls": made,
            "stop": stop,
            "usage": usage,
        }
        if draft.ending != CLOSED:
            turn["ending"] = draft.ending
        if draft.cut_at:
            turn["cut_at"] = draft.cut_at
        if draft.stopped_by is not None:
            turn["stopped_by"] = draft.stopped_by
        if draft.old_id:
            turn["old_id"] = True
        if others:
            turn["others"] = others
        return turn

    def _made(self, draft: Draft, shown: tuple[Shown, ...], ids: str) -> list[dict[str, Json]]:
        """The calls of a turn, with ids of their own."""
        made: list[dict[str, Json]] = []
        for one in draft.calls if draft.raises is None else ():
            before = made[-1]["id"] if made else next(reversed(self._issued), None)
            if one.same_id and before is not None:
                call_id = before
            else:
                number = len(self._issued) + 1
                call_id = made_id(ids, number) if ids else f"tc_{number}"
            call = {"id": call_id, "name": one.tool, "arguments": one.arguments}
            if call not in made:
                step = one.step or Call(one.tool)
                self._issued.setdefault(call_id, []).append(Issue(step, one.arguments, shown))
                self._gateway.reserve(call_id, one.tool)
            made.append(call)
        return made


def _estimated(
    shown: tuple[Shown, ...], draft: Draft, made: Sequence[Mapping[str, Json]], choices: int
) -> dict[str, int]:
    """Tokens read and written: an estimate."""
    read = sum([len(one.text) for one in shown]) // CHARS_PER_TOKEN
    written = len(draft.text or "") + sum([len(str(m["arguments"])) for m in made])
    return {"input": read, "output": written * choices // CHARS_PER_TOKEN}
