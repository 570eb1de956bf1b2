"""The cassette's model: a world's model that says what a real one once said.

Law: everything but the plan is the simulated model's own: crossings, slots, faults, fresh ids,
events, usage. A recorded question gets its recorded turn; any other is a miss, and `on_miss` says
what then happens: `error`, the turn of the `nearest` recording, or to `simulate`: a simulated
model goes on from the recording, whose plan is its script. Called by agents, adapters and wire
faces.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from agentfuzz.cassettes.match import CassetteMiss, Question, question
from agentfuzz.cassettes.plan import Recording
from agentfuzz.cassettes.store import Cassette
from agentfuzz.errors import ScenarioError, near_miss
from agentfuzz.model.misbehave import Draft, Planned
from agentfuzz.model.simulated import Manners, Message, SimulatedModel, Turn
from agentfuzz.toolbox import DONE

if TYPE_CHECKING:
    from agentfuzz.world import World

OnMiss = Literal["error", "nearest", "simulate"]
ON_MISS: tuple[str, ...] = get_args(OnMiss)


def checked(on_miss: str) -> str:
    """The word, if it is one. Raises ScenarioError."""
    if on_miss not in ON_MISS:
        raise ScenarioError(
            f"on_miss={on_miss!r}: say {', '.join(ON_MISS)}.{near_miss(str(on_miss), ON_MISS)}"
        )
    return on_miss


class CassetteModel(SimulatedModel):
    """See `SimulatedModel` for what it returns and raises; CassetteMiss besides, with
    `on_miss="error"`. `missed` keeps that error, for an agent that swallows it."""

    def __init__(
        self,
        world: "World",
        cassette: Cassette,
        on_miss: str = "error",
        manners: Manners | None = None,
    ) -> None:
        super().__init__(world, cassette.recordings[0].script, manners)
        self._cassette = cassette
        self._on_miss = checked(on_miss)
        self._asked = Question((), None)
        self._times: dict[Question, int] = {}
        self._lock = threading.RLock()
        self.missed: CassetteMiss | None = None

    def turn(self, messages: Sequence[Message], tools: Any = None) -> Turn:
        with self._lock:
            self._asked = question(messages, tools)
            return super().turn(messages, tools)

    def _honest(self, seen: Any) -> Draft:
        asked = self._asked
        found = self._cassette.find(asked)
        if found:
            times = self._times[asked] = self._times.get(asked, 0) + 1
            one = found[min(times, len(found)) - 1]
            self._script = one.script
            return _draft(one)
        if self._on_miss == "error":
            self.missed = self.missed or self._cassette.miss(asked)
            raise self.missed
        one = self._cassette.nearest(asked)[0]
        self._script = one.script
        return _draft(one) if self._on_miss == "nearest" else super()._honest(seen)


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
