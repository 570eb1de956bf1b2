"""The cassette as a planner: a model that says what a real one once said.

Law: everything but the plan is the simulated model's own: crossings, slots, faults, fresh ids,
events. A recorded question gets its recorded turn, and that turn, said as it was recorded, has
cost the tokens that its provider counted; any other question is a miss, and `on_miss` says what
then happens: `error`, the turn of the `nearest` recording, or to `simulate`: a simulated model
goes on from the recording, whose plan is its script. By itself (`auto`) it simulates once a fault
has struck; before that nothing but the agent can have changed. Made by scenarios with a cassette.
"""

from collections.abc import Iterable, Sequence

from agentfuzz.core.errors import CassetteMiss
from agentfuzz.core.events import Struck
from agentfuzz.model.cassettes.match import Question, question
from agentfuzz.model.cassettes.on_miss import checked
from agentfuzz.model.cassettes.plan import Recording
from agentfuzz.model.cassettes.store import Cassette
from agentfuzz.model.memory import Message
from agentfuzz.model.model_faults.kind import Draft, Planned
from agentfuzz.model.planner import Plan
from agentfuzz.providers.offer import Offer
from agentfuzz.world.toolbox import DONE


class FromCassette:
    """A planner that asks a cassette. `missed` keeps the error of a miss, for an agent that
    swallows it; `questions` are how many it was asked, and how many of them were not recorded.
    `log` is that of its run; `varied`: the run has inputs that were drawn for it."""

    def __init__(
        self,
        cassette: Cassette,
        on_miss: str = "auto",
        log: Iterable[object] = (),
        varied: bool = False,
    ) -> None:
        self.missed: CassetteMiss | None = None
        self.questions = (0, 0)
        self._cassette = cassette
        self._on_miss = checked(on_miss)
        self._log = log
        self._varied = varied
        self._times: dict[Question, int] = {}

    def plan(self, messages: Sequence[Message], offer: Offer) -> Plan:
        """The recorded turn, or what a miss leads to. Raises CassetteMiss."""
        asked = question(messages, offer.tools)
        found = self._cassette.find(asked)
        self.questions = self.questions[0] + 1, self.questions[1] + (not found)
        if found:
            times = self._times[asked] = self._times.get(asked, 0) + 1
            one = found[min(times, len(found)) - 1]
        else:
            changed = self._varied or any(type(event) is Struck for event in self._log)
            if self._on_miss == "error" or (self._on_miss == "auto" and not changed):
                self.missed = self.missed or self._cassette.miss(asked, stale=not changed)
                raise self.missed
            one = self._cassette.nearest(asked)[0]
            if self._on_miss != "nearest":
                return Plan(one.script)
        return Plan(one.script, _draft(one), one.turn["usage"])


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
