"""The gateway of a world that lives in this process: crossings, calls, the store, completions.

Law: each leg of a run has a gateway of its own over the same backend; that of a dead process may
not act. Made with the World of each leg, asked by whoever stands on the agent's side, and by the
engine, which knows its inside.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from weakref import WeakMethod

from pydantic import ValidationError

from agentfuzz.core.codec import plain
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import Crash, ScenarioError
from agentfuzz.core.events import Done, Saved
from agentfuzz.core.faults import Slot
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.acting import anew
from agentfuzz.world.declaration import NO_HOOKS, Declaration, Hooks
from agentfuzz.world.injector import Injector
from agentfuzz.world.lane import Lane
from agentfuzz.world.log import Log
from agentfuzz.world.process import Decision, Process
from agentfuzz.world.process_faults.striking import at_a_place, fault_at
from agentfuzz.world.specs import spec_of
from agentfuzz.world.store import MISSING, Store, half
from agentfuzz.world.tools import ToolSpec


def _check_names(declared: Declaration) -> None:
    """Raise ScenarioError for what is no name."""
    for word in ("effect", "undoes", "name"):
        text = getattr(declared, word)
        if text is not None and (not text or not isinstance(text, str)):
            raise ScenarioError(f"{word}={text!r} is no name; write a text, or leave it out.")


class LocalGateway:
    """See `Gateway`. `said` tells whether there is a Done in this run; `model` is the simulated
    one, or None."""

    leg = 1
    task = 1
    offers_done = False
    moved = False  # into a process of its own
    model: Any = None
    commands: Any = None  # child processes that its agent waits for, where something may come

    def __init__(
        self, injector: Injector, clock: Clock, *, max_crossings: int, trace: bool
    ) -> None:
        anew()
        self.said = False
        self.clock = clock
        self.injector = injector
        self.log = Log(clock)
        self.process = Process(self.log, injector)
        self.life = self.process.life
        self.calls = Lane(self.log, injector, self.process, budget=max_crossings, trace=trace)
        self.specs: dict[str, ToolSpec] = self.calls.specs
        self.functions = self.calls.functions
        self.facts: dict[str, Any] = {}  # what a law may know about the tools
        self.hooks: dict[str, Hooks] = {}  # of the few tools that have some
        self.probes: dict[str, Declaration] = {}  # of those whose dedup is to be found out
        self._durable: dict[str, Any] = {}
        self.outside: dict[str, Any] = {}

    def again(self, task: int = 1) -> "LocalGateway":
        """The gateway of another leg: the same backend, store and clock. `task` is the number of
        the task that the leg is about."""
        other = copy.copy(self)
        other.task = task
        other.leg, other.life = self.process.leg, self.process.life
        other.__dict__.pop("store", None)
        if self.model is not None:
            other.model = self.model.of_leg(other)
        return other

    def declare(self, declared: Declaration, function: Any, hooks: Hooks = NO_HOOKS) -> ToolSpec:
        """Add a tool: what is declared of it, and its body. Returns its spec."""
        _check_names(declared)
        if declared[3] == "probe":
            declared = self._to_be_probed(declared, function, hooks)
        spec = spec_of(function, declared)
        label, specs = spec.name, self.specs
        if label in specs or label == "done":
            raise ScenarioError(
                f"the tool {label!r} is declared twice, or bears the name of the done "
                "tool; give one of them another name=."
            )
        specs[label] = spec
        self.facts[label] = spec.facts
        self.functions[label] = function
        if hooks is not NO_HOOKS:
            self.hooks[label] = hooks
            if hooks.effect_if is not None or hooks.observe is not None:
                self.calls.ask(spec, hooks)
        return spec

    def _to_be_probed(self, declared: Declaration, function: Any, hooks: Hooks) -> Declaration:
        """What holds of a tool until its dedup is found out: none."""
        name = declared.name or str(getattr(function, "__name__", "tool"))
        if declared.effect is None or hooks.observe is not None:
            why = (
                "it has no effect to repeat: say effect='...'"
                if declared.effect is None
                else "observe= sees by itself what the body recognises: leave dedup out"
            )
            raise ScenarioError(f"tool {name!r} cannot have dedup='probe', for {why}.")
        self.probes[name] = declared
        return declared._replace(dedup="none")

    def redeclare(self, name: str, dedup: str) -> None:
        """The dedup of a tool that was to be probed is known."""
        spec = spec_of(self.functions[name], self.probes[name]._replace(dedup=dedup))
        self.specs[name], self.facts[name] = spec, spec.facts

    # Crossings ----------------------------------------------------------------------------

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does."""
        if self.life is not self.process.life:
            raise Crash
        return self.calls.call(name, arguments, asked)

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as an async agent does; a sync tool as well as an async one."""
        self.living()
        return await self.calls.acall(name, arguments, asked)

    def crossing(self) -> None:
        """Count one crossing of a boundary. Raises CutOff once they are used up."""
        self.living()
        self.calls.crossing()

    def living(self) -> None:
        """Raises Crash when the process that this leg belongs to is dead."""
        if self.life is not self.process.life:
            raise Crash

    def went_out(self, name: str) -> None:
        """Something outside has changed: nobody else keeps it."""

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        """The next slot of a name at a boundary."""
        return self.calls.slot_for(boundary, name, asked)

    def reserve(self, call_id: str, tool: str) -> None:
        """Keep the next slot of a tool for a call that the model asked for."""
        self.calls.reserve(call_id, tool)

    # The life of the agent's process ------------------------------------------------------

    @cached_property
    def store(self) -> Store:
        """What outlives the agent's process, as a mapping."""
        return Store(self._durable, WeakMethod(self._kept))

    @contextmanager
    def saving(self, name: str, value: Any = None) -> Iterator[None]:
        """Mark a durable write: the process may die before it, or right after it."""
        with self.may_die("store", name, "process own save") as slot:
            yield
            self.log.write(Saved, slot, plain(value))

    def _kept(self, name: str, value: Any, write: Callable[[Any], Callable[[], object]]) -> None:
        """A write into the store, whole, by halves, or for as long as the process lives. `write`
        returns what takes it back."""
        process = self.process
        with self.may_die("store", name, "process save") as slot:
            how, process.save = process.save, ""
            if how == "torn" and value is not MISSING:
                value = half(value)
            back = write(value)
            self.log.write(Saved, slot, None if value is MISSING else plain(value))
        if how == "torn":
            process.crash(slot)
        if how == "stale":
            process.unwritten(back)

    @contextmanager
    def may_die(self, boundary: str, name: str, group: str) -> Iterator[Slot]:
        """A crossing of the process's own: something may happen to it before, or after."""
        self.living()
        process = self.process
        if self.log.named:
            self.log.acts()
        slot = process.slot(boundary, name)
        fault = fault_at(process, slot, group) if process.asks else None
        at_a_place(process, slot, "before", fault)
        yield slot
        at_a_place(process, slot, "after", fault)

    def request_approval(self, tool: str, call: str) -> str:
        """Ask a person to allow a call. The id of the request."""
        self.crossing()
        return self.process.ask(tool, call)

    def decision_on(self, request: str) -> Decision | None:
        """What has been decided about a request by now."""
        self.crossing()
        return self.process.decision_on(request)

    @property
    def cancelled(self) -> bool:
        """Whether somebody has pressed Stop; whoever looks is not stopped otherwise."""
        self.process.polls.add("token")
        return self.process.stopped

    @property
    def inbox(self) -> list[str]:
        """What the user has said; whoever looks takes the messages out."""
        self.process.polls.add("inbox")
        return self.process.inbox

    def complete(
        self,
        via: str,
        status: Any,
        reason: Any,
        handle: Any,
        detail: Any = "",
        unknown: Mapping[str, Any] | None = None,
    ) -> str:
        """Write down a completion event; the problem with it, or an empty string."""
        problem = ""
        try:
            done = Completion(status=status, reason=reason or "", handle=handle, detail=detail)
            reason = done.reason
        except ValidationError as error:
            problem = "; ".join(part["msg"] for part in error.errors(include_url=False))
        if unknown and not problem:
            problem = f"unknown arguments: {', '.join(sorted(unknown))}"
        self.said = True
        if self.log.named:
            self.log.acts()
        facts = (str(status), str(reason or ""), plain(handle), problem)
        self.log.write(Done, via, *facts, str(plain(detail or "")))
        return problem
