"""The cassette's model: a world's model that says what a real one once said.

Law: everything but the plan is the simulated model's own: crossings, slots, faults, fresh ids,
events. A recorded question gets its recorded turn, and that turn, said as it was recorded, has
cost the tokens that its provider counted; any other question is a miss, and `on_miss` says what
then happens: `error`, the turn of the `nearest` recording, or to `simulate`: a simulated model
goes on from the recording, whose plan is its script. Called by agents, adapters and wire faces.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentfuzz.core.errors import CassetteMiss
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import ModelTurn, Shown
from agentfuzz.model.cassettes.match import Question, question
from agentfuzz.model.cassettes.on_miss import checked
from agentfuzz.model.cassettes.plan import Recording
from agentfuzz.model.cassettes.store import Cassette
from agentfuzz.model.model_faults import Draft, Planned
from agentfuzz.model.simulated import Message, ModelBehaviour, SimulatedModel, Turn
from agentfuzz.world.toolbox import DONE

if TYPE_CHECKING:
    from agentfuzz.world.world import World


class CassetteModel(SimulatedModel):
    """See `SimulatedModel` for what it returns and raises; CassetteMiss besides, with
    `on_miss="error"`. `missed` keeps that error, for an agent that swallows it."""

    def __init__(
        self,
        world: "World",
        cassette: Cassette,
        on_miss: str = "error",
        model_behaviour: ModelBehaviour | None = None,
    ) -> None:
        super().__init__(world, cassette.recordings[0].script, model_behaviour)
        self._cassette = cassette
        self._on_miss = checked(on_miss)
        self._times: dict[Question, int] = {}
        self._counted: tuple[Draft | None, dict[str, int] | None] = (None, None)
        self.missed: CassetteMiss | None = None

    def _plan(self, messages: Sequence[Message], tools: Any, seen: Any) -> Draft:
        asked = question(messages, tools)
        found = self._cassette.find(asked)
        if found:
            times = self._times[asked] = self._times.get(asked, 0) + 1
            one = found[min(times, len(found)) - 1]
        elif self._on_miss == "error":
            self.missed = self.missed or self._cassette.miss(asked)
            raise self.missed
        else:
            one = self._cassette.nearest(asked)[0]
        self._script = one.script
        if not found and self._on_miss == "simulate":
            return self._honest(seen)
        draft = _draft(one)
        self._counted = (draft, one.turn["usage"])
        return draft

    def _say(self, slot: Slot, shown: tuple[Shown, ...], draft: Draft) -> Turn:
        turn = super()._say(slot, shown, draft)
        recorded, usage = self._counted
        if draft is not recorded or usage is None:
            return turn  # not the recorded turn, or one whose tokens nobody counted: an estimate
        events = self._world.events
        at, said = next(  # the last event, unless another thread was quick
            (i, one)
            for i in range(len(events) - 1, -1, -1)
            if isinstance(one := events[i], ModelTurn) and one.slot == slot
        )
        events[at] = said._replace(tokens=sum(usage.values()))
        for name, count in usage.items():
            self.usage[name] += count - turn["usage"][name]
        return {**turn, "usage": dict(usage)}


def _draft(one: Recording) -> Draft:
    """A recorded turn in the making, its calls bound to the plan."""
    turn = one.turn
    calls = tuple(
        Planned(call["name"], call["arguments"], step if call["name"] != DONE else None)
        for call, step in zip(one.calls, one.steps, strict=True)
    )
    group = "closing"
    if calls:
        group = "done" if all(call.tool == DONE for call in calls) else "calls"
    return Draft(group, turn["content"], calls, turn["stop"])
