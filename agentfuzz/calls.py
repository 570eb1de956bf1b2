"""The life of a call: from the agent's hand to the backend and back, with what strikes on the way.

Law: everything that crosses a boundary is written to the history, faults strike only where the
injector says so, and the agent learns nothing that a real backend would not tell it. Owned by
the world, one per run.

A call is the generator `_cross`: it yields where time passes or an async body has to be awaited,
so that sync and async agents share every line of it.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any

from agentfuzz.backend import Backend, Request
from agentfuzz.clock import FOREVER, Clock
from agentfuzz.codec import plain, scope_value, snapshot
from agentfuzz.errors import CutOff, InvalidArguments, RateLimited, UnknownTool, near_miss
from agentfuzz.faults import Fault, Slot
from agentfuzz.history import Called, Event, Intent, Json, Refused, Replied, Struck
from agentfuzz.injector import Injector
from agentfuzz.replies import Reply, damaged, phantom
from agentfuzz.tools import KEY, ToolSpec

Failure = Callable[[str], BaseException] | type[BaseException] | str
Steps = Generator[Any, Any, Any]

TIMEOUT = 30.0  # virtual seconds until a withheld reply becomes a timeout
LATE = 45.0  # virtual seconds until a late request arrives, unless the fault says otherwise


class Sleep(float):
    """Yielded by a crossing: virtual seconds pass before it goes on."""


class Calls:
    """The calls of one run: counts crossings, keeps slots, writes events."""

    def __init__(
        self, events: list[Event], injector: Injector, clock: Clock, *, budget: int, trace: bool
    ) -> None:
        self.specs: dict[str, ToolSpec] = {}
        self.functions: dict[str, Callable[..., Any]] = {}
        self.failures: dict[str, Failure] = {}
        self.late: list[asyncio.Task[Any]] = []
        self.events = events
        self.clock = clock
        self.budget = budget
        self._injector = injector
        self._backend = Backend(events, clock)
        self._crossings = 0
        self._calls = 0
        self._nth: dict[str, int] = {}
        self._reserved: dict[str, Slot] = {}
        self._trace = trace
        self._lock = threading.RLock()

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        """The next slot of a name, or the one kept for a call that the model asked for."""
        if asked is not None and self._reserved:
            kept = self._reserved.pop(asked, None)
            if kept is not None and kept.name == name:
                return kept
        nth = self._nth.get(name, 0) + 1
        self._nth[name] = nth
        return Slot(boundary, name, nth)

    def reserve(self, call_id: str, tool: str) -> None:
        """Keep the next slot of a tool for a call id: a slot follows the model's order of calls,
        whatever order a thread pool makes them in."""
        if tool in self.specs and call_id not in self._reserved:
            self._reserved[call_id] = self.slot_for("tool", tool)

    def crossing(self) -> None:
        """Count one crossing. Raises CutOff once the budget is used up, and at each one after."""
        self._crossings += 1
        if self._crossings > self.budget:
            raise CutOff("budget", f"more than {self.budget} crossings")

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        spec = self.specs.get(name)
        if spec is None:
            return self._unknown(name, arguments, asked)
        if spec.is_async:
            return self.acall(name, arguments, asked)
        with self._lock:
            steps = self._cross(spec, arguments, asked)
            try:
                step = next(steps)
                while True:
                    if step == FOREVER:
                        raise CutOff("hung", f"{name} never answers and the loop set no deadline")
                    self.clock.advance(step)
                    step = next(steps)
            except StopIteration as stop:
                return stop.value

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as an async agent does; a sync tool as well as an async one."""
        spec = self.specs.get(name)
        if spec is None:
            return self._unknown(name, arguments, asked)
        return await self._drive(self._cross(spec, arguments, asked))

    async def _drive(self, steps: Steps) -> Any:
        try:
            step = next(steps)
            while True:
                try:
                    result = await (_pause(step) if type(step) is Sleep else step)
                except BaseException as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(result)
        except StopIteration as stop:
            return stop.value

    def _cross(self, spec: ToolSpec, arguments: Mapping[str, Any], asked: str | None) -> Steps:
        self.crossing()
        slot = self.slot_for("tool", spec.name, asked)
        self._calls += 1
        call = f"call_{self._calls}"
        args = snapshot(arguments)
        key = arguments.get(KEY) if spec.dedup == "key" else None
        try:
            bound = spec.validate(arguments)
        except InvalidArguments as error:
            self._called(call, slot, args, key, None, asked)
            self._refused(call, "invalid_arguments", error)
            raise
        intent = _intent(spec, bound) if spec.effect is not None else None
        seq = len(self.events)
        self._called(call, slot, args, key, intent, asked)
        fault = self._injector.at(slot, seq, "read" if intent is None else "write")
        request = Request(call, spec, args, bound, key, intent)
        if fault is None:
            reply = (
                (yield from self._adeliver(request)) if spec.is_async else self._deliver(request)
            )
            return self._answer(call, reply)
        return (yield from self._struck(request, slot, fault))

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
        where = _caller() if self._trace else None
        events.append(
            Called(len(events), self.clock.now, call, slot, args, key, intent, where, asked)
        )

    def _deliver(self, request: Request) -> Reply:
        nth, known = self._backend.arrive(request)
        if known is not None:
            return known
        try:
            value = self.functions[request.spec.name](**_body_arguments(request))
        except CutOff:
            raise
        except BaseException as error:
            return self._backend.settle(request, nth, None, error)
        return self._backend.settle(request, nth, value, None)

    def _adeliver(self, request: Request) -> Steps:
        nth, known = self._backend.arrive(request)
        if known is not None:
            return known
        try:
            value = yield self.functions[request.spec.name](**_body_arguments(request))
        except (CutOff, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            return self._backend.settle(request, nth, None, error)
        return self._backend.settle(request, nth, value, None)

    def _struck(self, request: Request, slot: Slot, fault: Fault) -> Steps:
        delivery, kind = fault.axes
        self.events.append(Struck(len(self.events), self.clock.now, slot, str(fault)))
        reply: Reply | None = None
        if delivery in ("once", "twice"):
            for _ in range(2 if delivery == "twice" else 1):
                arrived = (
                    (yield from self._adeliver(request))
                    if request.spec.is_async
                    else self._deliver(request)
                )
                reply = reply or arrived  # the agent gets the first arrival's reply
        else:
            last = self._backend.last.get(request.spec.name)
            reply = Reply("applied", phantom(request.args, last))
            if delivery == "late":
                due = self.clock.now + (LATE if fault.latency is None else fault.latency)
                self.clock.schedule(due, lambda: self._arrive_late(request))
        assert reply is not None, "every delivery kind has an answer"
        if kind == "intact":
            return self._answer(request.call, reply)
        if kind in ("timeout", "error", "rate_limited"):
            return (yield from self._fail(request, kind))
        last = self._backend.last.get(request.spec.name)
        return self._answer(
            request.call, damaged(kind, fault.variant, reply, request.spec.name, last)
        )

    def _arrive_late(self, request: Request) -> None:
        if not request.spec.is_async:
            self._deliver(request)
            return
        self.late.append(
            asyncio.get_running_loop().create_task(self._drive(self._adeliver(request)))
        )

    def _fail(self, request: Request, kind: str) -> Steps:
        """The agent gets no reply: a timeout, a lost connection, or a 429."""
        tool, call = request.spec.name, request.call
        failure = self.failures.get(kind)
        message, default = _FAILURES[kind](tool)
        if kind == "timeout":
            try:
                yield Sleep(FOREVER if failure == "hang" else TIMEOUT)
            except BaseException as given_up:  # the agent's own deadline came first
                self._replied(call, Reply("unknown", error=given_up), None)
                raise
        outcome = "failed" if kind == "rate_limited" else "unknown"
        if failure == "text":
            return self._answer(call, Reply(outcome, f"Error: {message}"))
        error = default if failure is None or isinstance(failure, str) else failure(message)
        return self._answer(call, Reply(outcome, error=error))

    def _answer(self, call: str, reply: Reply) -> Any:
        """Write down what the agent gets, and give it to it."""
        error = reply.error
        if error is None:
            self._replied(call, reply, plain(reply.value))
            return reply.value
        self._replied(call, reply, str(error)[:500])
        raise error

    def _replied(self, call: str, reply: Reply, body: Json) -> None:
        events = self.events
        raised = None if reply.error is None else type(reply.error).__name__
        events.append(
            Replied(len(events), self.clock.now, call, reply.outcome, reply.complete, body, raised)
        )

    def _refused(self, call: str, kind: str, error: BaseException) -> None:
        events = self.events
        events.append(Refused(len(events), self.clock.now, call, kind, str(error)[:500]))
        self._replied(call, Reply("failed", error=error), str(error)[:500])

    def _unknown(self, name: str, arguments: Mapping[str, Any], asked: str | None) -> Any:
        """Answer a call of a tool that does not exist, as a real backend would."""
        self.crossing()
        self._calls += 1
        call = f"call_{self._calls}"
        slot = self.slot_for("tool", str(name))
        self._called(call, slot, snapshot(arguments), None, None, asked)
        known = ", ".join(self.specs) or "none"
        error = UnknownTool(
            f"no tool {name!r}; there is: {known}.{near_miss(str(name), self.specs)}"
        )
        self._refused(call, "unknown_tool", error)
        raise error


async def _pause(seconds: float) -> None:
    if seconds == FOREVER:
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(seconds)


def _body_arguments(request: Request) -> Mapping[str, Any]:
    spec, bound = request.spec, request.bound
    if spec.dedup != "key" or spec.own_key or KEY not in bound:
        return bound
    return {name: value for name, value in bound.items() if name != KEY}


def _intent(spec: ToolSpec, bound: Mapping[str, Any]) -> Intent:
    assert spec.effect is not None, "only effects have an intent"
    return Intent(spec.effect, tuple((name, scope_value(bound.get(name))) for name in spec.scope))


_FAILURES: dict[str, Callable[[str], tuple[str, BaseException]]] = {
    "timeout": lambda tool: (
        f"{tool} timed out: no reply within {TIMEOUT:g} s",
        TimeoutError(f"{tool} timed out: no reply within {TIMEOUT:g} s"),
    ),
    "error": lambda tool: (
        f"{tool}: connection reset by peer",
        ConnectionError(f"{tool}: connection reset by peer"),
    ),
    "rate_limited": lambda tool: (
        f"{tool}: 429 too many requests, retry after 1 s",
        RateLimited(f"{tool}: 429 too many requests, retry after 1 s", retry_after=1.0),
    ),
}


def _caller() -> str | None:
    """`path:line function` of the nearest frame that is the user's own code."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if not path.startswith("<") and not any(part in path for part in _NOT_USERS):
            return f"{path}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return None


_OWN = __file__.rsplit("calls.py", 1)[0]
_NOT_USERS = (_OWN, "site-packages", "dist-packages", f"{sys.base_prefix}/lib/python")
