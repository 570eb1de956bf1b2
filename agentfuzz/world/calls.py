"""The life of a call: from the agent's hand to the backend and back, with what strikes on the way.

Law: everything that crosses a boundary is written to the history, faults strike only where the
injector says so, and the agent learns nothing that a real backend would not tell it. Owned by
the world, one per run.
A call is the generator `_cross`, which sync and async agents share.
"""

import threading
from collections.abc import Mapping
from typing import Any

from agentfuzz.core.codec import message, snapshot
from agentfuzz.core.errors import Crash, CutOff, InvalidArguments, UnknownTool, near_miss
from agentfuzz.core.events import Refused, Struck, made
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.runtime.clock import FOREVER
from agentfuzz.runtime.user_code import caller
from agentfuzz.world.acting import ACTING
from agentfuzz.world.backend import Backend, Request
from agentfuzz.world.delivery import LATE, Delivery, Failure, Preempted, Sleep, Steps, hung
from agentfuzz.world.injector import FromPlan, Injector
from agentfuzz.world.local_faults import misbehaving
from agentfuzz.world.log import Log
from agentfuzz.world.process import Life, Process
from agentfuzz.world.process_faults.striking import in_turn, through
from agentfuzz.world.reply_faults import MISSING, REFUSED, TIMEOUT, Reply, damaged, failure, phantom
from agentfuzz.world.team.state import Team
from agentfuzz.world.tools import KEY, ToolSpec


class _CallIds(dict[int, str]):
    """The ids of the calls of a run by number, made once."""

    def __missing__(self, number: int) -> str:
        found = self[number] = f"call_{number}"
        return found


CALL_IDS = _CallIds()


class Calls(Delivery):
    """The calls of one run: counts crossings, keeps slots, writes events. `trace` says whether
    the line of the user's code is noted at each call, `straight` whether a call may go the
    straight way."""

    _lock: Any = None
    _team: Team | None = None

    def __init__(
        self, log: Log, injector: Injector, process: Process, *, budget: int, trace: bool
    ) -> None:
        self.log = log
        self.clock = log.clock
        self.process = process
        self.budget = budget
        self.functions = {}
        self.late = []
        self.specs: dict[str, ToolSpec] = {}
        self.failures: dict[str, Failure] = {}
        self.trace = trace
        self.exhausted = False
        self.crossings = self._calls = 0
        self.straight = not (trace or process.asks)
        self._injector = injector
        self._crossed = injector.crossings.append
        self._strikes = injector.strikes if type(injector) is FromPlan else None
        self._backend = Backend(log)
        self._nth: dict[str, int] = {}  # by tool
        self._reserved: dict[str, Slot] = {}  # by the model's ids
        self._given_out: set[str] = set()

    @property
    def lock(self) -> Any:
        """Held in the midst of a call; made when a second thread is about."""
        if self._lock is None:
            self._lock = threading.RLock()
        return self._lock

    @property
    def team(self) -> Team:
        """The agents of this run; made when somebody asks for them."""
        if self._team is None:
            self._team = Team(self)
        return self._team

    def disbanded(self) -> tuple[str, ...]:
        """The run is over, and its team is in no circle with it: who was named for it."""
        team, self._team = self.team, None
        self.process.life.team = None
        return tuple(team.named)

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        """The next slot of a name, or the one kept for a call that the model asked for: by its
        id, or, where a loop hands none on or has renamed it, the oldest kept one of the name."""
        if self._reserved and boundary == "tool":
            if asked not in self._given_out:
                asked = next((c for c, slot in self._reserved.items() if slot.name == name), None)
            kept = self._reserved.pop(asked, None) if asked is not None else None
            if kept is not None and kept.name == name:
                return kept
        return self._next_slot(name) if boundary == "tool" else self.process.slot(boundary, name)

    def _next_slot(self, name: str) -> Slot:
        spec = self.specs.get(name)
        nth = self._nth[name] = self._nth.get(name, 0) + 1
        return Slot("tool", name, nth) if spec is None else spec.slot(nth)

    def reserve(self, call_id: str, tool: str) -> None:
        """Keep the next slot of a tool for a call id: slots follow the model's order of calls."""
        if tool in self.specs and call_id not in self._reserved:
            self._reserved[call_id] = self._next_slot(tool)
            self._given_out.add(call_id)

    @property
    def crossed(self) -> int:
        """How far the run has come: what it has written down, as long as it may go on."""
        return min(len(self.log), 10 * max(self.budget, 0))

    def crossing(self) -> None:
        """Count one crossing. Raises CutOff once the budget is used up, and at each one after."""
        self.crossings += 1
        if self.crossings > self.budget:
            self.exhausted = True
            raise CutOff("budget", f"more than {self.budget} crossings")
        log = self.log
        if log.named and (log.leg or log.arriving or ACTING.get() != log.acting):
            log.acts()

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        spec = self.specs.get(name)
        if spec is None:
            return self._unknown(name, arguments, asked)
        if spec.is_async:
            return self.acall(name, arguments, asked)
        if self.clock.gate is not None:
            self.clock.gate.enter()
        life = self.process.life
        with self.lock:
            return self._by_hand(self._cross(spec, arguments, asked), name, life)

    def _by_hand(self, steps: Steps, name: str, life: Life) -> Any:
        """The steps of a call that nobody can await."""
        gate = self.clock.gate
        try:
            while True:
                step = next(steps)
                if not isinstance(step, Sleep):
                    step.close()  # nobody can await here
                elif gate is not None and gate.waits(step, type(step) is Preempted):
                    if life is not self.process.life:
                        raise Crash
                elif step == FOREVER:
                    raise hung(name)
                else:
                    self.clock.advance(step)
        except StopIteration as stop:
            return stop.value

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as an async agent does; a sync tool as well as an async one."""
        spec = self.specs.get(name)
        if spec is None:
            return self._unknown(name, arguments, asked)
        return await self._driven(self._cross(spec, arguments, asked, awaits=True))

    def _request(
        self, spec: ToolSpec, arguments: Mapping[str, Any], asked: str | None
    ) -> tuple[Request, Slot]:
        """A call is made: what the backend will get of it. Raises InvalidArguments."""
        self.crossing()
        slot = self.slot_for("tool", spec.name, asked)
        self._calls += 1
        call = CALL_IDS[self._calls]
        args = snapshot(arguments)
        key = args.get(KEY) if spec.dedup == "key" else None
        try:
            bound = spec.validate(arguments)
        except InvalidArguments as error:
            self.log.called(call, slot, args, key, None, self._where(), asked)
            self._refused(call, "invalid_arguments", error)
            raise
        intent = spec.intent(bound)
        if intent is not None and self.log.named:
            self.log.takes()
        self.log.called(call, slot, args, key, intent, self._where(), asked)
        return made(Request, (call, spec, args, bound, key, intent)), slot

    def _cross(
        self, spec: ToolSpec, arguments: Mapping[str, Any], asked: str | None, awaits: bool = False
    ) -> Steps:
        request, slot = self._request(spec, arguments, asked)
        place = spec.place(slot)
        fault = self._injector.at(place, len(self.log) - 1, spec.group)
        if fault is not None:
            return (yield from self._struck(request, place, fault))
        if self.process.asks or self.process.double:
            return (yield from through(self, request, slot))
        if awaits or self.clock.gate is not None:
            return (yield from in_turn(self, request, slot))
        # In no name here: an error that is raised knows this frame.
        return self.answer(
            request.call,
            (yield from self.served(request)) if spec.is_async else self._deliver(request),
        )

    def _where(self) -> str | None:
        return caller() if self.trace else None

    def _struck(self, request: Request, slot: Slot, fault: Fault) -> Steps:
        delivery, kind = fault.axes
        last = self._note_struck(request, slot, fault)
        if not request.spec.remote:
            return (yield from misbehaving(self, request, fault))
        if delivery in ("once", "twice"):
            reply = yield from self.served(request)
            if delivery == "twice":  # the agent gets the first arrival's reply
                yield from self.served(request)
        else:
            reply = self._phantom(request, last, delivery, fault)
        if kind in MISSING:
            return (yield from self._fail(request, kind))
        return self._damaged(request, reply, fault, last)

    def _note_struck(self, request: Request, slot: Slot, fault: Fault) -> object:
        self.log.write(Struck, slot, fault)  # and answer the tool's last reply before it
        return self._backend.last.get(request.spec.name)

    def _phantom(self, request: Request, last: object, delivery: str, fault: Fault) -> Reply:
        """The reply of work that was not done, or not yet."""
        if delivery == "late":
            self.under_way(request, LATE if fault.latency is None else fault.latency)
        return Reply("applied", phantom(request.args, last))

    def _damaged(self, request: Request, reply: Reply, fault: Fault, last: object) -> Any:
        if (kind := fault.axes[1]) != "intact":
            reply = damaged(kind, fault.variant, reply, request.spec.name, last)
        return self.answer(request.call, reply)

    def _fail(self, request: Request, kind: str) -> Steps:
        """The agent gets no reply: a timeout, a lost connection, or a 429."""
        if kind == "timeout":
            try:
                yield Sleep(FOREVER if self.failures.get(kind) == "hang" else TIMEOUT)
            except BaseException as given_up:
                self.gave_up(request.call, given_up)
                raise
        return self.failed(request, kind)

    def failed(self, request: Request, kind: str, outcome: str = "") -> Any:
        """The agent gets an error instead of a reply, as the scenario says that it comes."""
        outcome = outcome or ("failed" if kind in REFUSED else "unknown")
        if kind == "gone":
            error = failure(kind, request.spec.name)
            self._refused(request.call, "unknown_tool", error)
            raise error
        if self.failures.get(kind) == "text":
            default = f"Error: {failure(kind, request.spec.name)}"
            return self.answer(request.call, Reply(outcome, default))
        return self.answer(request.call, Reply(outcome, error=self._failure(kind, request)))

    def _failure(self, kind: str, request: Request) -> BaseException:
        wanted, default = self.failures.get(kind), failure(kind, request.spec.name)
        return default if wanted is None or isinstance(wanted, str) else wanted(str(default))

    def _refused(self, call: str, kind: str, error: BaseException) -> None:
        text = message(error)
        self.log.write(Refused, call, kind, text)
        self._replied(call, Reply("failed", error=error), text)

    def _unknown(self, name: str, arguments: Mapping[str, Any], asked: str | None) -> Any:
        """Answer a call of a tool that does not exist, as a real backend would."""
        self.crossing()
        self._calls += 1
        call = CALL_IDS[self._calls]
        slot = self.slot_for("tool", str(name))
        self.log.called(call, slot, snapshot(arguments), None, None, self._where(), asked)
        there = [one for one, spec in self.specs.items() if spec.offered]
        hint = near_miss(str(name), there)
        error = UnknownTool(f"no tool {name!r}; there is: {', '.join(there) or 'none'}.{hint}")
        self._refused(call, "unknown_tool", error)
        raise error
