"""The agent's process: how often it lives within a run, and what may happen to it.

Law: what a dead process held may not act again; what it wrote down, and what the backend did,
stays. A run has one Process; each leg of it (a restart, a decision, a message, a second delivery
of the trigger) has a World of its own. Called by the world at every crossing, and by the
simulation between two legs.

A crash is placed before or after a crossing, or while its request is in flight. That is every
moment there is: whether the backend has only got the request, carried it out or already answered
makes no difference to a process that dies before it learns of it, for the backend lives on.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from agentfuzz.core.errors import Crash
from agentfuzz.core.events import (
    Cancelled,
    Crashed,
    Decided,
    Interrupted,
    Messaged,
    Resumed,
    Struck,
    made,
)
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.injector import Injector
from agentfuzz.world.log import Log

RESTART = 1.0  # virtual seconds until a supervisor has started the process again
MAX_RESTARTS = 5
MAX_DUPLICATES = 5  # so often a trigger is delivered again; then its sender gives up
THINKS = 30.0  # virtual seconds until a person has decided, for whom an agent waits
JUMP = 25 * 3600.0  # virtual seconds that a clock jump skips: more than keys are kept
INTERRUPTION = "Wait. Where are you with this?"


class Decision(NamedTuple):
    """A person's answer: `granted` is None when nobody answered in time."""

    approval: str
    call: str
    granted: bool | None


class Life:
    """One life of the process: a world of an earlier one is dead. `team` are the agents that it may
    still ask, once it has asked for any."""

    team: Any = None


class Process:
    """The lives of one run's agent. `asks` says whether the injector is asked about them."""

    leg = 1
    legs = 1
    restarts = 0
    duplicates = 0
    stopped = False  # the token says so
    save = ""  # how the save that is being made goes wrong: `torn`, `stale`
    doomed = False  # it dies after its next call
    brought: Decision | None = None  # with which the leg that runs began
    cancel_task: Callable[[], object] | None = None
    begin_within: Callable[[str, Decision | None], Any] | None = None
    _approvals = 0

    def __init__(self, log: Log, injector: Injector) -> None:
        self.life = Life()
        self.crashed_at: int | None = None
        self.double: Decision | None = None
        self.asks = injector.process
        self.polls: set[str] = set()  # `token`, `inbox`: what the agent watches by itself
        self.inbox: list[str] = []
        self.messages: list[str] = []  # those that a leg of their own begins with
        self.waiting: list[tuple[Interrupted, Slot, Fault | None]] = []
        self.log = log
        self.injector = injector
        self._nth: dict[str, dict[str, int]] = defaultdict(dict)  # by boundary and name
        self._unwritten: list[Callable[[], object]] = []  # how saves are lost with the process

    # What the world asks ------------------------------------------------------------------

    def slot(self, boundary: str, name: str) -> Slot:
        """The next slot of a crossing that is the process's own: a save, a turn, the end."""
        counts = self._nth[boundary]
        nth = counts[name] = counts.get(name, 0) + 1
        slot: Slot = made(Slot, (boundary, name, nth))
        return slot

    def struck(self, slot: Slot, fault: Fault) -> None:
        """Write down that a fault of the plan happened."""
        self.log.write(Struck, slot, fault)

    # What happens to it -------------------------------------------------------------------

    def dies(self, slot: Slot) -> None:
        """The process is dead from here on, and so are its worlds."""
        self.log.write(Crashed, slot)
        self.life.team = None
        self.life = Life()

    def crash(self, slot: Slot) -> None:
        """The process dies here. Raises Crash."""
        self.dies(slot)
        self.crashed_at = len(self.log)
        self.log.clock.held = True  # a dying process waits for nothing
        loop = asyncio._get_running_loop()
        if loop is not None:
            loop.stop()
        raise Crash

    def unwritten(self, lost: Callable[[], object]) -> None:
        """A save was acknowledged and is lost, by `lost`, when the process dies, which is soon."""
        self._unwritten.append(lost)
        self.doomed = True

    def cancel(self) -> None:
        """Somebody presses Stop."""
        if "token" in self.polls:
            self.stopped = True
            self.log.write(Cancelled, "token")
        elif self.cancel_task is not None:
            self.log.write(Cancelled, "task")
            self.cancel_task()

    def jump(self) -> None:
        """The machine slept: time has gone on without the process."""
        self.log.clock.advance(JUMP)

    def interrupt(self) -> None:
        """The user says something while the agent is at work."""
        if "inbox" in self.polls:
            self.inbox.append(INTERRUPTION)
            self.log.write(Messaged, INTERRUPTION, "inbox")
        elif self.cancel_task is not None:
            self.messages.append(INTERRUPTION)
            self.log.write(Messaged, INTERRUPTION, "task")
            self.cancel_task()

    def within(self, why: str, decision: Decision | None) -> Any:
        """Another leg, from its beginning to its end, while this one waits. What is to be awaited
        for it, or None."""
        return None if self.begin_within is None else self.begin_within(why, decision)

    # Approvals ----------------------------------------------------------------------------

    def ask(self, tool: str, call: str) -> str:
        """A call waits for a person's decision, which a later leg brings."""
        self._approvals += 1
        slot = self.slot("approval", tool)
        asked = f"approval_{self._approvals}"
        event = self.log.write(Interrupted, asked, call or f"{tool}_{slot.nth}")
        fault = self.injector.at(slot, event.seq, "approval")
        if fault is not None and fault.axes[0] == "never":
            self.struck(slot, fault)
        else:
            self.waiting.append((event, slot, fault))
        return asked

    def decisions(self) -> list[Decision]:
        """What is decided next about the call that waits longest, in the order of arrival."""
        if not self.waiting:
            return []
        return self._answers(*self.waiting.pop(0))

    def decision_on(self, request: str) -> Decision | None:
        """What has been decided about a request by now, for an agent that waits within its leg.
        What comes after the first answer comes in a leg of its own."""
        for at, (asked, slot, fault) in enumerate(self.waiting):
            if asked.interrupt == request and self.log.clock.now - asked.t >= THINKS:
                del self.waiting[at]
                first, *more = self._answers(asked, slot, fault)
                self.waiting += [(asked, slot, None) for _ in more]
                self.brings(first)
                return first
        return None

    def _answers(self, asked: Interrupted, slot: Slot, fault: Fault | None) -> list[Decision]:
        yes = Decision(asked.interrupt, asked.call, True)
        if fault is None:
            return [yes]
        self.struck(slot, fault)
        match fault.axes[0]:
            case "twice":
                return [yes, yes]
            case "double_click":
                self.double = yes
                return [yes]
            case "refused":
                return [yes._replace(granted=False)]
        return [yes._replace(granted=None), yes]

    def brings(self, decision: Decision | None) -> None:
        """A leg begins with this decision, or with none. Who brings it waits for the answer: if the
        process dies before that is acknowledged, it is brought again, to the leg that goes on."""
        self.brought = decision
        if decision is not None:
            self.decided(decision)

    def decided(self, decision: Decision) -> None:
        """Write down that a decision arrived."""
        self.log.write(Decided, decision.approval, decision.call, decision.granted)

    # Legs ---------------------------------------------------------------------------------

    def begin(self, why: str, after: str) -> int:
        """Another leg begins: its number. After a crash nothing of what the dying process still
        said counts."""
        if self.crashed_at is not None:
            del self.log[self.crashed_at :]
            self.crashed_at = None
        self.log.acting = None
        self.log.clock.held = False
        if why == "restart":
            while self._unwritten:
                self._unwritten.pop()()
            self.doomed = False
            self.restarts += 1
            self.log.clock.advance(RESTART)
        self.duplicates += why == "duplicate"
        self.legs += 1
        self.leg = self.legs
        self.stopped = False
        self.log.write(Resumed, why, self.leg, after)
        return self.leg

    def back(self, leg: int, after: str) -> None:
        """A leg within another one is over; the outer one goes on."""
        self.leg = leg
        self.log.write(Resumed, "back", leg, after)
