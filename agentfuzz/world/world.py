"""The world that an agent meets: its tools, its model, its clock, and what truly happened.

Law: a world is built fresh for every run by the scenario's function, and knows nothing of what
runs above it. Each leg of a run has a World of its own over the same backend; that of a dead
process may not act. Called by scenario authors (to declare), by agents (to act) and by adapters.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from importlib import import_module
from types import FunctionType
from typing import Any, TypeVar, overload

from agentfuzz.core.codec import plain
from agentfuzz.core.errors import Crash, ScenarioError
from agentfuzz.core.faults import Slot
from agentfuzz.core.history import Done, Event, Saved
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.calls import Calls, Failure
from agentfuzz.world.injector import Injector
from agentfuzz.world.process import Decision, Process
from agentfuzz.world.process_faults import at_a_place
from agentfuzz.world.store import Store
from agentfuzz.world.toolbox import Toolbox
from agentfuzz.world.tools import SAME, Dedup, ToolSpec, spec_of

F = TypeVar("F", bound=Callable[..., Any])


class World:
    """One run's world. `task` is what the agent is asked to do; `tools` and `model` are what it
    may use; `state` is a dict for whatever the scenario's tools share; `store` is what outlives
    the agent's process.

    `leg` numbers the legs of the run from 1, `why` says what began this one (empty for the first,
    then `restart`, `decision`, `follow_up`, `interrupt` or `duplicate`), `decision` is the one
    that it brings, and `trigger_id` names the user's request: the same in every leg.
    """

    trigger_id = "trigger_1"
    leg = 1
    why = ""
    decision: Decision | None = None
    recording = False
    said = False  # whether there is a Done in this run
    _model: Any = None
    _life = 1
    patience = 10.0  # real seconds until a leg in another process is taken to spin

    def __init__(
        self,
        task: str,
        injector: Injector,
        clock: Clock,
        *,
        max_crossings: int = 200,
        trace: bool = False,
    ) -> None:
        self.task = task
        self.clock = clock
        self.injector = injector
        self.state: dict[str, Any] = {}
        self.events: list[Event] = []
        self.process = Process(self.events, clock, injector)
        self.calls = Calls(
            self.events, injector, clock, self.process, budget=max_crossings, trace=trace
        )
        self.specs: dict[str, ToolSpec] = self.calls.specs
        self.facts: dict[str, Any] = {}  # what a law may know about the tools
        self.tools = Toolbox(self)
        self._durable: dict[str, Any] = {}

    def again(self, why: str, *, task: str = "", decision: Decision | None = None) -> "World":
        """The world of another leg of this run: the same backend, store and clock."""
        other = copy.copy(self)
        other.task = task or self.task
        other.why, other.decision = why, decision
        other.leg, other._life = self.process.leg, self.process.life
        other.tools = Toolbox(other)
        other.tools.offers_done = self.tools.offers_done
        other.__dict__.pop("store", None)
        if self._model is not None:
            other._model = copy.copy(self._model)
            other._model._world = other
        return other

    @cached_property
    def store(self) -> Store:
        """What outlives the agent's process, as a mapping."""
        return Store(self._durable, self.saving)

    # What a scenario declares ------------------------------------------------------------

    @overload
    def tool(self, fn: F, /) -> F: ...
    @overload
    def tool(
        self,
        /,
        *,
        effect: str | None = None,
        scope: tuple[str, ...] = (),
        dedup: Dedup = "none",
        undoes: str | None = None,
        name: str | None = None,
    ) -> Callable[[F], F]: ...
    def tool(
        self,
        fn: Callable[..., Any] | None = None,
        /,
        *,
        effect: str | None = None,
        scope: tuple[str, ...] = (),
        dedup: Dedup = "none",
        undoes: str | None = None,
        name: str | None = None,
    ) -> Any:
        """Declare a typed function as a tool. Its body runs at the commit point.

        `effect` names what a successful call does to the world (None: it only reads); `scope`
        names the parameters that say which intent it is; `dedup` is how the backend recognises
        a repeat: not at all, by an `idempotency_key` argument, or by the scope itself; `undoes`
        names the tool whose effect this one takes back (a refund, a cancellation).
        Raises ScenarioError for a signature without a JSON schema or an unknown parameter.
        """
        if isinstance(scope, str):
            raise ScenarioError(f"scope={scope!r} is a string; write scope=({scope!r},).")
        declared = (name, effect, scope, dedup, undoes)
        if fn is None:
            return partial(self._declare, declared)
        return self._declare(declared, fn)

    def _declare(self, declared: tuple[Any, ...], function: F) -> F:
        same = SAME.get(function) if type(function) is FunctionType else None
        spec = same[1] if same is not None and same[0] == declared else spec_of(function, *declared)
        label = spec.name
        if label in self.specs or label == "done":
            raise ScenarioError(
                f"the tool {label!r} is declared twice, or bears the name of the done "
                "tool; give one of them another name=."
            )
        self.specs[label] = spec
        self.facts[label] = spec.facts
        self.calls.functions[label] = function
        return function

    def raise_as(
        self,
        *,
        timeout: Failure | None = None,
        error: Failure | None = None,
        rate_limited: Failure | None = None,
    ) -> None:
        """How a timeout, a lost connection or a 429 reaches the agent: an exception class or a
        function from the message to an exception, `"text"` for an error text as the reply, or
        (timeouts only) `"hang"`: nothing comes until the agent's own deadline ends the wait."""
        given = {"timeout": timeout, "error": error, "rate_limited": rate_limited}
        for kind, failure in given.items():
            if failure is not None:
                words = ("text", "hang") if kind == "timeout" else ("text",)
                if failure not in words and not callable(failure):
                    raise ScenarioError(
                        f"raise_as({kind}={failure!r}): say {' or '.join(map(repr, words))}, or "
                        "give an exception class or a function from the message to an exception."
                    )
                self.calls.failures[kind] = failure

    @property
    def model(self) -> Any:
        """The simulated model. Raises ScenarioError when the scenario has no script."""
        if self.recording:
            raise ScenarioError(
                "while a cassette is recorded the agent talks to its own provider: use "
                "agentfuzz.wire.openai_client(world) or anthropic_client(world), which are the "
                "real clients then, or your own client `if world.recording`."
            )
        if self._model is None:
            raise ScenarioError(
                "this scenario has no model; give it a script: "
                "@scenario(..., script=[('tool', {...}), 'closing'])."
            )
        return self._model

    @property
    def has_model(self) -> bool:
        """Whether the scenario has a script for a model."""
        return self._model is not None

    # What agents and adapters use ---------------------------------------------------------

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        if self._life != self.process.life:
            raise Crash
        return self.calls.call(name, arguments, asked)

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as an async agent does; a sync tool as well as an async one."""
        self.living()
        return await self.calls.acall(name, arguments, asked)

    def serve(self, **kwargs: Any) -> Any:
        """Serve this world on loopback, for an agent in another process and any language: `with
        world.serve() as urls:` gives `urls.openai`, `urls.anthropic` and `urls.mcp`. See
        `agentfuzz.wire.serve`; needs the extras `wire` and `mcp`."""
        return import_module("agentfuzz.wire.server").serve(self, **kwargs)

    def crossing(self) -> None:
        """Count one crossing of a boundary. Raises CutOff once the budget is used up."""
        self.living()
        self.calls.crossing()

    def living(self) -> None:
        """Raises Crash when the process that this world belongs to is dead."""
        if self._life != self.process.life:
            raise Crash

    # The life of the agent's process ------------------------------------------------------

    @contextmanager
    def saving(self, name: str, value: Any = None) -> Iterator[None]:
        """Mark a durable write of the agent's own, into a file or a database: the process may die
        before it, or right after it. `name` is the store's, `value` what is written, if it is to
        be seen in the history."""
        with self.may_die(name, "process save") as slot:
            yield
            self.events.append(Saved(len(self.events), self.clock.now, slot, plain(value)))

    @contextmanager
    def may_die(self, name: str, group: str) -> Iterator[Slot]:
        """A crossing of the process's own: something may happen to it before, or after."""
        self.living()
        process = self.process
        slot = process.slot(name)
        fault = process.fault(slot, group) if process.asks else None
        at_a_place(process, slot, "before", fault)
        yield slot
        at_a_place(process, slot, "after", fault)

    def request_approval(self, tool: str, *, call: str = "") -> str:
        """Ask a person to allow a call, and return the id of the request. The agent then ends its
        leg; the next one brings `world.decision`. `call` is the id under which the call will be
        made: `world.call(tool, arguments, asked=call)`."""
        self.crossing()
        return self.process.ask(tool, call)

    @property
    def cancelled(self) -> bool:
        """The cancel token: whether somebody has pressed Stop. An agent that looks at it is not
        stopped otherwise; an async one that never looks has its task cancelled."""
        self.process.polls.add("token")
        return self.process.stopped

    @property
    def inbox(self) -> list[str]:
        """What the user has said since the task began. An agent that reads it takes the messages
        out (`world.inbox.pop(0)`); an async one that never looks is cancelled, and a leg begins
        with the message."""
        self.process.polls.add("inbox")
        return self.process.inbox

    def slot_for(self, boundary: str, name: str, asked: str | None = None) -> Slot:
        """The next slot of a name at a boundary."""
        return self.calls.slot_for(boundary, name, asked)

    def reserve(self, call_id: str, tool: str) -> None:
        """Keep the next slot of a tool for a call that the model asked for."""
        self.calls.reserve(call_id, tool)

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
        from pydantic import ValidationError

        from agentfuzz.core.completion import Completion

        problem = ""
        try:
            done = Completion(status=status, reason=reason or "", handle=handle, detail=detail)
            reason = done.reason
        except ValidationError as error:
            problem = "; ".join(part["msg"] for part in error.errors(include_url=False))
        if unknown and not problem:
            problem = f"unknown arguments: {', '.join(sorted(unknown))}"
        event = Done(
            len(self.events),
            self.clock.now,
            via,
            str(status),
            str(reason or ""),
            plain(handle),
            problem,
            str(plain(detail or "")),
        )
        self.said = True
        self.events.append(event)
        return problem
