"""The log of a run: the one place where an event gets its number and its time.

Law: events are appended here and nowhere else, each with its place and the virtual time of the
moment. Made by the gateway of a world, written by whatever something happens to; it becomes the
History when the run is frozen.

Some events of every call have methods of their own: they are written thousands of times a second,
and a call without a list of arguments is the quicker one. On the straight way of a call, and of a
handoff, even that is too much, and they are appended as these methods would.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from agentfuzz.core.between import Acts
from agentfuzz.core.events import (
    Called,
    Delivered,
    Event,
    Intent,
    Json,
    Replied,
    Resumed,
    made,
)
from agentfuzz.core.faults import Slot
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.acting import ACTING, LEG, TAKING, named


class Arriving(Protocol):
    """A handoff that has reached an agent, which has not acted since."""

    def begins(self) -> None:
        """The agent acts."""

    def accepted(self) -> None:
        """It takes the task over."""

    def answered(self, error: BaseException | None) -> None:
        """It is through with it."""


class Log(list[Event]):
    """The events so far, as a list."""

    __slots__ = ("acting", "arriving", "clock", "ended", "leg", "named", "undecided")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.named = False  # whether it matters in this run who acts
        self.acting: str | None = ""  # who acted last
        self.leg = 0  # which leg wrote last, where several go on at once
        self.ended = "running"  # how that one ended, if it has
        self.arriving: dict[str, list[Arriving]] = {}  # by who has not acted since
        self.undecided: dict[str, list[Arriving]] = {}  # by who accepts with an effect alone

    def acts(self) -> str:
        """Somebody crosses a boundary: write down who, if it is another one than before."""
        agent = ACTING.get()
        if self.named:
            if self.leg:
                self.turn()
            if agent != self.acting:
                self.acting = agent
                self.append(made(Acts, (len(self), self.clock.now, agent)))
            if self.arriving:
                for one in self.arriving.pop(agent, ()):
                    one.begins()
        return agent

    def returned(self) -> None:
        """The run has returned: whom it handed something, and who crossed no boundary since, has
        been given it all the same."""
        for agent in list(self.arriving):
            with named(agent):
                self.acts()

    def takes(self) -> None:
        """Who acts here is about to cause an effect: it takes over what it was handed."""
        taking = TAKING.get()
        if taking is not None:
            taking()
        if self.undecided:
            for one in self.undecided.pop(ACTING.get(), ()):
                one.accepted()

    def turn(self) -> None:
        """Another one goes on of the legs that go on at once."""
        leg = LEG.get()
        if leg and leg != self.leg:
            self.leg = leg
            self.write(Resumed, "back", leg, self.ended)
            self.ended = "running"

    def write(self, kind: Any, *fields: Any) -> Any:
        """Append an event of this kind: its fields after `seq` and `t`. Returns it."""
        event = made(kind, (len(self), self.clock.now, *fields))
        self.append(event)
        return event

    def called(
        self,
        call: str,
        slot: Slot,
        args: Mapping[str, Json],
        key: str | None,
        intent: Intent | None,
        where: str | None,
        asked: str | None,
    ) -> None:
        """The agent called a tool."""
        at = (len(self), self.clock.now, call, slot, args, key, intent, where, asked)
        self.append(made(Called, at))

    def delivered(self, call: str, nth: int) -> None:
        """A request arrived at the backend."""
        self.append(made(Delivered, (len(self), self.clock.now, call, nth)))

    def replied(
        self, call: str, outcome: str, complete: bool, body: Json, raised: str | None
    ) -> None:
        """An answer reached the agent."""
        at = (len(self), self.clock.now, call, outcome, complete, body, raised)
        self.append(made(Replied, at))
