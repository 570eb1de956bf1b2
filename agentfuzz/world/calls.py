"""The life of a call: from the agent's hand to the backend and back, with what strikes on the way.

Law: everything that crosses a boundary is written to the history, faults strike only where the
injector says so, and the agent learns nothing that a real backend would not tell it. Owned by
the world, one per run.

A call is the generator `_cross`: it yields where time passes or an async body has to be awaited,
so that sync and async agents share every line of it.
"""

import asyncio
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any

from agentfuzz.core.codec import message, plain, snapshot
from agentfuzz.core.errors import Crash, CutOff, InvalidArguments, UnknownTool, near_miss
from agentfuzz.core.events import made
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import Called, Event, Intent, Json, Refused, Replied, Struck
from agentfuzz.runtime.async_library import cancellations, given_up, pause
from agentfuzz.runtime.clock import FOREVER, Clock
from agentfuzz.runtime.user_code import caller
from agentfuzz.world.backend import Backend, Request
from agentfuzz.world.injector import Injector
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults import Preempted, Sleep, in_turn, through
from agentfuzz.world.reply_faults import TIMEOUT, Reply, damaged, failure, phantom
from agentfuzz.world.tools import KEY, ToolSpec

Failure = Callable[[str], BaseException] | type[BaseException] | str
Steps = Generator[Any, Any, Any]

_SLOTS: dict[tuple[str, str, int], Slot] = {}  # the same in every run
LATE = 45.0  # virtual seconds until a late request arrives, unless the fault says otherwise


class Calls:
    """The calls of one run: counts crossings, keeps slots, writes events."""

    exhausted = False
    library: Any = None  # what the agent's loop is built on, if not asyncio
    _lock: Any = None
    _crossings = 0
    _calls = 0

    def __init__(
        self,
        events: list[Event],
        injector: Injector,
        clock: Clock,
        process: Process,
        *,
        budget: int,
        trace: bool,
    ) -> None:
        self.specs: dict[str, ToolSpec] = {}
        self.functions: dict[str, Callable[..., Any]] = {}
        self.failures: dict[str, Failure] = {}
        self.late: list[asyncio.Task[Any]] = []
        self.events = events
        self.clock = clock
        self.process = process
        self.budget = budget
        self._injector = injector
        self._backend = Backend(events, clock)
        self._nth: dict[str, int] = {}
        self._reserved: dict[str, Slot] = {}
        self._trace = trace

    @property
    def lock(self) -> Any:
        """Held in the midst of a call; made when a second thread is about."""
        found = self._lock
        if found is None:
            found = self._lock = threading.RLock()
        return found

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        """The next slot of a name, or the one kept for a call that the model asked for: by its
        id, or, for a loop that hands no ids on, the oldest kept one of this name."""
        if self._reserved:
            if asked is None:
                names = (call for call, slot in self._reserved.items() if slot.name == name)
                asked = next(names, None)
            kept = self._reserved.pop(asked, None) if asked is not None else None
            if kept is not None and kept.name == name:
                return kept
        return self._next_slot(boundary, name)

    def others_ready(self) -> bool:
        """Whether another task of this loop, or another thread of the run, could go on now."""
        loop = asyncio._get_running_loop()
        if loop is not None:
            return bool(getattr(loop, "_ready", ()))
        if self.library is not None:
            return bool(self.library.others_ready())
        return self.clock.gate is not None and self.clock.gate.others_ready()

    def _next_slot(self, boundary: str, name: str) -> Slot:
        nth = self._nth.get(name, 0) + 1
        self._nth[name] = nth
        slot = _SLOTS.get((boundary, name, nth))
        if slot is None:
            slot = _SLOTS[boundary, name, nth] = Slot(boundary, name, nth)
        return slot

    def reserve(self, call_id: str, tool: str) -> None:
        """Keep the next slot of a tool for a call id: a slot follows the model's order of calls,
        whatever order a thread pool makes them in."""
        if tool in self.specs and call_id not in self._reserved:
            self._reserved[call_id] = self._next_slot("tool", tool)

    def crossing(self) -> None:
        """Count one crossing. Raises CutOff once the budget is used up, and at each one after."""
        self._crossings += 1
        if self._crossings > self.budget:
            self.exhausted = True
            raise CutOff("budget", f"more than {self.budget} crossings")

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        spec = self.specs.get(name)
        if spec is None:
            return self._unknown(name, arguments, asked)
        if spec.is_async:
            return self.acall(name, arguments, asked)
        gate, process = self.clock.gate, self.process
        if gate is None and not process.asks and process.double is None:
            return self._at_once(spec, arguments, asked)  # nothing can come in between
        if gate is not None:
            gate.enter()
        life = self.process.life
        with self.lock:
            steps = self._cross(spec, arguments, asked)
            try:
                step = next(steps)
                while True:
                    if not isinstance(step, Sleep):
                        step.close()  # nobody can await here
                    elif gate is not None and gate.waits(step, type(step) is Preempted):
                        if life != self.process.life:
                            raise Crash
                    elif step == FOREVER:
                        raise CutOff("hung", f"{name} never answers and the loop set no deadline")
                    else:
                        self.clock.advance(step)
                    step = next(steps)
            except StopIteration as stop:
                return stop.value

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as an async agent does; a sync tool as well as an async one."""
        spec = self.specs.get(name)
        if spec is None:
            return self._unknown(name, arguments, asked)
        return await self._drive(self._cross(spec, arguments, asked, awaits=True))

    async def _drive(self, steps: Steps) -> Any:
        try:
            step = next(steps)
            while True:
                try:
                    result = await (pause(step) if isinstance(step, Sleep) else step)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as stop:
            return stop.value

    def _at_once(self, spec: ToolSpec, arguments: Mapping[str, Any], asked: str | None) -> Any:
        """What `_cross` does, for a sync agent without threads whose process is left alone."""
        intent = None if self._reserved or self._trace else spec.taken(arguments)
        if intent is None:
            request, slot = self._request(spec, arguments, asked)
        else:
            request, slot = self._plain_request(spec, arguments, intent, asked)
        events = self.events
        group = "read" if request[5] is None else "write"
        fault = self._injector.at(slot, len(events) - 1, group)
        if fault is None:
            reply = self._backend.carry_out(request, self.functions[spec.name])
            outcome, value, error, complete = reply
            if error is not None:
                return self.answer(request[0], reply)
            at = (len(events), self.clock.now, request[0], outcome, complete, plain(value), None)
            events.append(made(Replied, at))
            return value
        delivery, kind = fault.axes
        last = self._note_struck(request, slot, fault)
        if delivery == "once":
            reply = self._deliver(request)
        elif delivery == "twice":
            reply = self._deliver(request)
            self._deliver(request)
        else:
            reply = self._phantom(request, last, delivery, fault)
        if kind not in ("timeout", "error", "rate_limited"):
            return self._damaged(request, reply, fault, last)
        if kind == "timeout":
            if self.failures.get(kind) == "hang":
                name = spec.name
                raise CutOff("hung", f"{name} never answers and the loop set no deadline")
            self.clock.advance(TIMEOUT)
        return self._failed(request, kind)

    def _plain_request(
        self, spec: ToolSpec, arguments: Mapping[str, Any], intent: Any, asked: str | None
    ) -> tuple[Request, Slot]:
        """The same as `_request`, of arguments that `ToolSpec.taken` has found to be plain."""
        self._crossings += 1
        if self._crossings > self.budget:
            self._crossings -= 1
            self.crossing()
        nth = self._nth[spec.name] = self._nth.get(spec.name, 0) + 1
        slot = spec.slot(nth)
        self._calls += 1
        call = f"call_{self._calls}"
        args = dict(arguments)
        key = args.get(KEY) if spec.keyed else None
        if intent is True:
            intent = None
        events = self.events
        at = (len(events), self.clock.now, call, slot, args, key, intent, None, asked)
        events.append(made(Called, at))
        return made(Request, (call, spec, args, arguments, key, intent)), slot

    def _request(
        self, spec: ToolSpec, arguments: Mapping[str, Any], asked: str | None
    ) -> tuple[Request, Slot]:
        """A call is made: what the backend will get of it. Raises InvalidArguments."""
        self.crossing()
        slot = self.slot_for("tool", spec.name, asked)
        self._calls += 1
        call = f"call_{self._calls}"
        args = snapshot(arguments)
        key = args.get(KEY) if spec.dedup == "key" else None
        try:
            bound = spec.validate(arguments)
        except InvalidArguments as error:
            self._called(call, slot, args, key, None, asked)
            self._refused(call, "invalid_arguments", error)
            raise
        intent = spec.intent(bound)
        self._called(call, slot, args, key, intent, asked)
        return made(Request, (call, spec, args, bound, key, intent)), slot

    def _cross(
        self, spec: ToolSpec, arguments: Mapping[str, Any], asked: str | None, awaits: bool = False
    ) -> Steps:
        request, slot = self._request(spec, arguments, asked)
        group = "read" if request.intent is None else "write"
        fault = self._injector.at(slot, len(self.events) - 1, group)
        if fault is not None:
            return (yield from self._struck(request, slot, fault))
        if self.process.asks or self.process.double:
            return (yield from through(self, request, slot, group))
        if awaits or self.clock.gate is not None:
            return (yield from in_turn(self, request, slot))
        reply = (yield from self.served(request)) if spec.is_async else self._deliver(request)
        return self.answer(request.call, reply)

    def _called(
        self,
        call: str,
        slot: Slot,
        args: Mapping[str, Json],
        key: str | None,
        intent: Intent | None,
        asked: str | None,
    ) -> None:
        events = self.events
        where = caller() if self._trace else None
        at = (len(events), self.clock.now, call, slot, args, key, intent, where, asked)
        events.append(made(Called, at))

    def served(self, request: Request) -> Steps:
        """Deliver, and wait for the answer as long as the agent does."""
        if not request.spec.is_async:
            return self._deliver(request)
        try:
            return (yield from self._adeliver(request))
        except cancellations() as error:
            self.gave_up(request.call, error)
            raise

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

    def _struck(self, request: Request, slot: Slot, fault: Fault) -> Steps:
        delivery, kind = fault.axes
        last = self._note_struck(request, slot, fault)
        reply: Reply | None = None
        if delivery in ("once", "twice"):
            for _ in range(2 if delivery == "twice" else 1):
                arrived = yield from self.served(request)
                reply = reply or arrived  # the agent gets the first arrival's reply
        else:
            reply = self._phantom(request, last, delivery, fault)
        assert reply is not None, "every delivery kind has an answer"
        if kind in ("timeout", "error", "rate_limited"):
            return (yield from self._fail(request, kind))
        return self._damaged(request, reply, fault, last)

    def _note_struck(self, request: Request, slot: Slot, fault: Fault) -> object:
        """Write a fault down. The tool's last reply before it."""
        self.events.append(made(Struck, (len(self.events), self.clock.now, slot, fault.text)))
        return self._backend.last.get(request.spec.name)

    def _phantom(self, request: Request, last: object, delivery: str, fault: Fault) -> Reply:
        """The reply of work that was not done, or not yet."""
        if delivery == "late":
            self.under_way(request, LATE if fault.latency is None else fault.latency)
        return Reply("applied", phantom(request.args, last))

    def _damaged(self, request: Request, reply: Reply, fault: Fault, last: object) -> Any:
        kind = fault.axes[1]
        if kind != "intact":
            reply = damaged(kind, fault.variant, reply, request.spec.name, last)
        return self.answer(request.call, reply)

    def under_way(self, request: Request, latency: float = LATE) -> None:
        """The request arrives so many virtual seconds later, whoever still waits for it."""
        self.clock.schedule(self.clock.now + latency, lambda: self._arrive_late(request))

    def _arrive_late(self, request: Request) -> None:
        if not request.spec.is_async:
            self._deliver(request)
            return
        body = self._drive(self._adeliver(request))
        if self.library is not None:
            self.library.arrive(body)
            return
        try:
            self.late.append(asyncio.get_running_loop().create_task(body))
        except RuntimeError:  # a sync agent, whose own loops have ended
            asyncio.run(body)

    def _fail(self, request: Request, kind: str) -> Steps:
        """The agent gets no reply: a timeout, a lost connection, or a 429."""
        if kind == "timeout":
            try:
                yield Sleep(FOREVER if self.failures.get(kind) == "hang" else TIMEOUT)
            except BaseException as given_up:
                self.gave_up(request.call, given_up)
                raise
        return self._failed(request, kind)

    def _failed(self, request: Request, kind: str) -> Any:
        wanted, default = self.failures.get(kind), failure(kind, request.spec.name)
        outcome = "failed" if kind == "rate_limited" else "unknown"
        if wanted == "text":
            return self.answer(request.call, Reply(outcome, f"Error: {default}"))
        error = default if wanted is None or isinstance(wanted, str) else wanted(str(default))
        return self.answer(request.call, Reply(outcome, error=error))

    def answer(self, call: str, reply: Reply) -> Any:
        """Write down what the agent gets, and give it to it."""
        error = reply.error
        if error is None:
            self._replied(call, reply, plain(reply.value))
            return reply.value
        self._replied(call, reply, message(error))
        raise error

    def _replied(self, call: str, reply: Reply, body: Json) -> None:
        events = self.events
        raised = None if reply.error is None else type(reply.error).__name__
        outcome, _, _, complete = reply
        at = (len(events), self.clock.now, call, outcome, complete, body, raised)
        events.append(made(Replied, at))

    def _refused(self, call: str, kind: str, error: BaseException) -> None:
        text, events = message(error), self.events
        events.append(Refused(len(events), self.clock.now, call, kind, text))
        self._replied(call, Reply("failed", error=error), text)

    def _unknown(self, name: str, arguments: Mapping[str, Any], asked: str | None) -> Any:
        """Answer a call of a tool that does not exist, as a real backend would."""
        self.crossing()
        self._calls += 1
        call = f"call_{self._calls}"
        slot = self.slot_for("tool", str(name))
        self._called(call, slot, snapshot(arguments), None, None, asked)
        known, hint = ", ".join(self.specs) or "none", near_miss(str(name), self.specs)
        error = UnknownTool(f"no tool {name!r}; there is: {known}.{hint}")
        self._refused(call, "unknown_tool", error)
        raise error
