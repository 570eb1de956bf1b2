"""The delivery of a request: how it reaches the backend, is waited for, given up, and answered.

Law: the agent learns nothing that a real backend would not tell it, and what nobody waits for any
more still arrives. Below the calls, which decide what strikes, and below what strikes around one.

A delivery is a generator: it yields where time passes (`Sleep`) or an async body has to be
awaited, so that sync and async agents share every line of it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from agentfuzz.core.codec import message, plain
from agentfuzz.core.errors import CutOff
from agentfuzz.core.events import Json
from agentfuzz.core.faults import Fault
from agentfuzz.runtime.async_library import cancellations, given_up, pause
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.acting import BESIDE
from agentfuzz.world.backend import Backend, Request
from agentfuzz.world.declaration import Hooks
from agentfuzz.world.log import Log
from agentfuzz.world.own_backend import OwnBackend
from agentfuzz.world.process import Process
from agentfuzz.world.reply_faults import Reply
from agentfuzz.world.tools import ToolSpec

T = TypeVar("T")
Steps = Generator[Any, Any, Any]
Failure = Callable[[str], BaseException] | type[BaseException] | str
LATE = 45.0  # virtual seconds until a late request arrives, unless the fault says otherwise
STALL = 0.001  # virtual seconds: whatever else is ready goes first


def hung(name: str) -> CutOff:
    """How the run ends in which nobody would ever stop waiting for a tool."""
    return CutOff("hung", f"{name} never answers and the loop set no deadline")


class Sleep(float):
    """Yielded by a crossing: virtual seconds pass before it goes on."""


class Preempted(Sleep):
    """Yielded by a crossing: everything else that can go on goes first."""


class Delivery:
    """The deliveries of one run. `library` is what the agent's loop is built on, if not asyncio;
    a `budget` below zero says that the run is over."""

    log: Log
    clock: Clock
    process: Process
    functions: dict[str, Callable[..., Any]]
    failures: dict[str, Failure]
    late: list[asyncio.Task[Any]]
    budget: int
    library: Any = None
    straight: bool
    _backend: Backend

    def ask(self, spec: ToolSpec, hooks: Hooks) -> None:
        """Let a tool's own functions say what it did to the world."""
        if not isinstance(self._backend, OwnBackend):
            self._backend = OwnBackend(self.log)
            self.straight = False
        self._backend.ask(spec, hooks)

    def over(self) -> None:
        """The run is over: whatever was left to be seen is seen, and no body is called any more:
        it may hold its world."""
        self._backend.over()
        self.functions.clear()

    def served(self, request: Request) -> Steps:
        """Deliver, and wait for the answer as long as the agent does."""
        if not request.spec.is_async:
            return self._deliver(request)
        try:
            return (yield from self._adeliver(request))
        except cancellations() as error:
            self.gave_up(request.call, error)
            raise

    def failed(self, request: Request, kind: str, outcome: str = "") -> Any:
        """The agent gets an error instead of a reply."""
        raise NotImplementedError

    def gave_up(self, call: str, error: BaseException) -> None:
        """The agent's own deadline came before the answer: it cannot know the outcome."""
        if self.budget >= 0 and type(error) is not GeneratorExit:  # else the run is over
            self._replied(call, Reply("unknown", error=error), None)

    def _deliver(self, request: Request) -> Reply:
        return self._backend.carry_out(request, self.functions[request[1].name])

    def _adeliver(self, request: Request) -> Steps:
        nth, known = self._backend.arrive(request)
        if known is not None:
            return known
        try:
            value = yield self.functions[request.spec.name](**request.spec.for_body(request.bound))
        except given_up():
            self._backend.drop(request)
            raise
        except BaseException as error:
            return self._backend.settle(request, nth, None, error)
        return self._backend.settle(request, nth, value, None)

    def under_way(self, request: Request, latency: float = LATE) -> None:
        """The request arrives so many virtual seconds later, whoever still waits for it."""
        beside = BESIDE.get()
        self.clock.schedule(self.clock.now + latency, lambda: self._arrive_late(request, beside))

    def _arrive_late(self, request: Request, beside: object) -> None:
        token = BESIDE.set(beside)
        try:
            if request.spec.is_async:
                self.goes_on(self._driven(self._adeliver(request)))
            else:
                self._deliver(request)
        finally:
            BESIDE.reset(token)

    def goes_on(self, body: Coroutine[Any, Any, Any]) -> None:
        """What nobody waits for any more goes on beside the agent."""
        if self.library is not None:
            self.library.arrive(body)
            return
        try:
            self.late.append(asyncio.get_running_loop().create_task(body))
        except RuntimeError:  # a sync agent, whose own loops have ended
            asyncio.run(body)

    async def _driven(self, steps: Steps) -> Any:
        try:
            step = next(steps)
            while True:
                try:
                    result = await (pause(step) if isinstance(step, Sleep) else step)
                except BaseException as error:
                    if self.log.leg:
                        self.log.turn()
                    step = steps.throw(error)
                else:
                    if self.log.leg:
                        self.log.turn()
                    step = steps.send(result)
        except StopIteration as stop:
            return stop.value

    def others_ready(self) -> bool:
        """Whether another task of this loop, or another thread of the run, could go on now."""
        loop = asyncio._get_running_loop()
        if loop is not None:
            return bool(getattr(loop, "_ready", ()))
        if self.library is not None:
            return bool(self.library.others_ready())
        return self.clock.gate is not None and self.clock.gate.others_ready()

    def preempted(self, name: str) -> Fault | None:
        """At a crossing that is no call: how whatever else is ready goes first, if it does."""
        if not self.log.named or not self.others_ready():
            return None
        slot = self.process.slot("schedule", name)
        fault = self.process.injector.at(slot, len(self.log) - 1, "schedule")
        if fault is not None:
            self.process.struck(slot, fault)
        return fault

    async def in_turn(self, name: str, act: Callable[[], T]) -> T:
        """What an async agent does at such a crossing, with the others going before or after."""
        fault = self.preempted(name)
        if fault is not None and fault.axes[1] == "before":
            await pause(STALL)
        found = act()
        if fault is not None and fault.axes[1] != "before":
            await pause(STALL)
        return found

    def answer(self, call: str, reply: Reply) -> Any:
        """Write down what the agent gets, and give it to it."""
        error = reply.error
        if error is None:
            self._replied(call, reply, plain(reply.value))
            return reply.value
        self._replied(call, reply, message(error))
        try:
            raise error
        finally:  # it knows this frame: what is left of a run goes with its last reference
            del error, reply

    def _replied(self, call: str, reply: Reply, body: Json) -> None:
        raised = None if reply.error is None else type(reply.error).__name__
        outcome, _, _, complete = reply
        self.log.replied(call, outcome, complete, body, raised)
