"""What a World shows of its agents: names, handoffs, children, shared values, claims.

Law: a base of World, without a state of its own; all of it lies in the team of the run. Used by
agents and by scenario authors.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from agentfuzz.core.between import Claimed
from agentfuzz.core.codec import plain
from agentfuzz.core.errors import ScenarioError
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.acting import ACTING, named
from agentfuzz.world.team.called import handoff_of
from agentfuzz.world.team.children import Child, spawn
from agentfuzz.world.team.handoffs import post, waits_for_answer
from agentfuzz.world.team.mailbox import Mailbox
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.queues import HandoffQueue
from agentfuzz.world.team.receipt import Receipt
from agentfuzz.world.team.shared import Shared
from agentfuzz.world.team.state import Team

F = TypeVar("F", bound=Callable[..., Any])
_TEXTS, _NO_TASK = frozenset({str}), (int, float, type(None))


class OfAgents:
    """What a world has for several agents."""

    _local: Any  # the gateway of this leg
    clock: Clock

    def _team(self) -> Team:
        """The agents of the run, for a world that may ask them still."""
        local = self._local
        local.living()
        if local.moved:
            raise ScenarioError(
                "agents with names, handoffs and shared values live in the process of the run; "
                "this one runs in a process of its own (agentfuzz.in_child)."
            )
        team: Team = local.calls.team
        local.life.team = team  # from here on it is found by one look
        return team

    def _crossing(self) -> Team:
        """The same, at a crossing of a boundary. Raises CutOff once they are used up."""
        team: Team = self._local.life.team or self._team()
        if self.clock.gate is not None:
            self.clock.gate.enter()
        self._local.calls.crossing()
        return team

    @property
    def agent(self) -> str:
        """Who acts here; empty for an agent without a name."""
        return ACTING.get()

    def agents(self, *names: str) -> tuple[str, ...]:
        """Say which agents there are, so that a handoff can go astray to one of them. Returns those
        that take part in this run, in order: all of them, but for a run of a slice, as a finding
        among many agents is told in the end. Build the team from what is returned."""
        team = self._team()
        if names != team.asked:
            if not (all(names) and _TEXTS.issuperset(map(type, names))):
                for name in names:
                    _name(name)
            team.takes_part(names)
        return team.there

    def acting(self, agent: str) -> named:
        """All that is done within, and in tasks begun within, is done by this agent."""
        team: Team = self._local.life.team or self._team()
        if type(agent) is not str or agent not in team.known:
            team.knows(_name(agent))
        return named(agent)

    def spawn(self, agent: str, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Child:
        """Begin a child: `work(*args, **kwargs)`, acting as `agent` (a second one of this name is
        `agent_2`). Await the child for its result; a sync one has ended, ask for `.result()`."""
        return spawn(self._crossing(), _name(agent), work, args, kwargs)

    async def aspawn(
        self, agent: str, work: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Child:
        """The same as `spawn`, for async agents: another one may go first."""
        begin = partial(self.spawn, agent, work, *args, **kwargs)
        return await self._team().calls.in_turn("spawn", begin)

    def handoff(self, to: str, payload: Any, *, carry: Mapping[str, Any] | None = None) -> Receipt:
        """Hand a task over to another agent: `agentfuzz.Payload(task=...)`, a pydantic model of
        your own, a dict, or a text. `carry` are the facts in it that must arrive as they are, where
        it has no field `carry`. Counts as one crossing."""
        team = self._crossing()
        if type(to) is not str or to not in team.known:
            team.knows(_name(to))
        if type(payload) is not dict and isinstance(payload, _NO_TASK):
            raise ScenarioError(
                f"a handoff of {payload!r}: hand over agentfuzz.Payload(task=...), a model or "
                "dataclass of your own, a dict, or a text."
            )
        return post(team, to, Sent(payload, carry))

    async def ahandoff(
        self, to: str, payload: Any, *, carry: Mapping[str, Any] | None = None
    ) -> Receipt:
        """The same as `handoff`, for async agents: another one may go first."""
        send = partial(self.handoff, to, payload, carry=carry)
        return await self._team().calls.in_turn("handoff", send)

    def inbox_of(self, agent: str) -> Mailbox:
        """Where the handoffs for an agent arrive: iterate, `.take()`, `.receive(timeout)`, or
        `await .next(timeout)`."""
        team: Team = self._local.life.team or self._team()
        box = team.boxes.get(agent) if type(agent) is str else None
        return team.box(_name(agent)) if box is None else box

    def answered(self, receipt: Receipt, timeout: float) -> bool:
        """Let up to so many virtual seconds pass until a handoff was accepted or rejected; whether
        it was."""
        return waits_for_answer(self._team(), receipt, timeout)

    def handoff_of(self, function: F, to: str = "") -> F:
        """A function of your own that is called to hand a task over, with the faults of a handoff:
        what it is called with is the payload, and what it does, `to` does (its name, if left out).
        A call that is lost, or late, raises TimeoutError after 30 virtual seconds."""
        wrapped: F = handoff_of(self._team(), function, to)
        return wrapped

    def handoff_over(self, queue: Any, to: str) -> HandoffQueue:
        """A queue of your own over which tasks are handed to an agent: use what is returned in its
        place. Whoever takes an item is this agent, unless it acts under another name."""
        team = self._team()
        team.knows(_name(to))
        return HandoffQueue(team, queue, to)

    @property
    def shared(self) -> Shared:
        """Values that agents share, each with its version."""
        return Shared(self._team())

    def claim(self, item: str, value: Any, sources: tuple[str, ...] | list[str] = ()) -> None:
        """State a fact as found, with the ids of the results that it rests on."""
        team = self._team()
        given = (sources,) if isinstance(sources, str) else sources
        names = tuple(str(one) for one in given)
        team.log.write(Claimed, team.log.acts(), str(item), plain(value), names)


def team_of(world: OfAgents, *, crossing: bool = False) -> Team:
    """The agents of a world, for adapters; counts as one crossing where it is one."""
    return world._crossing() if crossing else world._team()


def _name(agent: str) -> str:
    if not isinstance(agent, str) or not agent:
        raise ScenarioError(f"{agent!r} is no name of an agent; write a text.")
    return agent
