"""The team: what the agents of one run share, and who of them is about.

Law: one for all legs of a run, made when the first agent gets a name. Owned by the calls of the
world; its parts are asked by the surface.
"""

from collections.abc import Callable
from typing import Any

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.runtime.async_library import pause
from agentfuzz.world.acting import ACTING
from agentfuzz.world.delivery import STALL, Delivery
from agentfuzz.world.injector import Injector
from agentfuzz.world.team.mailbox import Mailbox
from agentfuzz.world.team.payload import Sent


class Team:
    """The agents of one run. `known` are their names, as far as anybody has said them; `targets`
    the functions that are called to hand something over; `members` a framework's own agents;
    `asking` who asked last for one of its handoffs, with what it had been shown; `sent` the last
    payload of each task, or, where none is named, to each agent. `named` are those that the
    scenario and the agent have named as the team, those in `asked` at last; of these only those in
    the `slice` take part, if there is one: they are `there`."""

    def __init__(self, calls: Delivery) -> None:
        self.calls = calls
        self.log = calls.log
        self.process = calls.process
        self.injector: Injector = calls.process.injector
        self.known: dict[str, None] = {}
        self.named: dict[str, None] = {}
        self.slice: frozenset[str] = frozenset()
        self.asked: tuple[str, ...] = ()
        self.there: tuple[str, ...] = ()
        self.targets: dict[str, Callable[[Any], Any]] = {}
        self.members: dict[str, Any] = {}
        self.asking: dict[str, tuple[str, Any]] = {}
        self.sent: dict[str | tuple[str], Sent] = {}
        self.handoffs = 0
        self.counts: dict[str, int] = {}  # of handoffs, by whom they are for
        self.under_way: list[Any] = []  # what a framework has been told of, and has not begun
        self.boxes: dict[str, Mailbox] = {}
        self.shared: dict[str, tuple[int, Any]] = {}  # by key: version, value
        self.read: dict[tuple[str, str], int] = {}  # by agent and key: the version it knows

    def knows(self, agent: str) -> None:
        """There is an agent of this name."""
        if agent:
            self.log.named = True
            self.known.setdefault(agent)

    def takes_part(self, names: tuple[str, ...]) -> None:
        """There are agents of these names: `there` are those that take part, in order."""
        self.log.named = self.log.named or bool(names)
        self.asked = self.there = names
        named = there = dict.fromkeys(names)
        if self.slice:
            self.there = tuple([name for name in names if name in self.slice])
            there = dict.fromkeys(self.there)
        self.named |= named
        self.known |= there

    def box(self, agent: str) -> Mailbox:
        """The mailbox of an agent."""
        found = self.boxes.get(agent)
        if found is None:
            if agent not in self.known:
                self.knows(agent)
            found = self.boxes[agent] = Mailbox(agent, self.calls, [])
        return found

    def struck(self, slot: Slot, group: str) -> Fault | None:
        """The fault of the plan at this crossing, if there is one."""
        return self.injector.at(slot, len(self.log) - 1, group)

    def note(self, slot: Slot, fault: Fault) -> None:
        """Write down that it happened."""
        self.log.write(Struck, slot, fault)

    async def turn(self, name: str) -> None:
        """A crossing that is no call: whatever else is ready may go first."""
        if self.calls.preempted(name) is not None:
            await pause(STALL)

    @property
    def acting(self) -> str:
        """Who acts here."""
        return ACTING.get()
