"""The world that an agent meets: its tools, its model, its clock, and what truly happened.

Law: a world is built fresh for every run by the scenario's function, and knows nothing of what
runs above it. It shows agents and scenario authors what is theirs; all that happens goes through
its gateway. Each leg of a run has a World of its own. Called by scenario authors (to declare) and
by agents (to act).
"""

import copy
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence
from contextlib import AbstractContextManager
from functools import partial
from types import FunctionType, MappingProxyType
from typing import Any, TypeVar, overload

from agentfuzz.core.errors import ScenarioError
from agentfuzz.runtime.clock import Clock
from agentfuzz.world.declaration import NO_HOOKS, Declaration, Dedup, Hooks, Transport
from agentfuzz.world.delivery import Failure
from agentfuzz.world.gateway import Gateway
from agentfuzz.world.local import LocalGateway
from agentfuzz.world.process import Decision
from agentfuzz.world.resources import OfServers
from agentfuzz.world.specs import KEPT, keep
from agentfuzz.world.taps.surface import OfApplications
from agentfuzz.world.team.surface import OfAgents
from agentfuzz.world.toolbox import Toolbox

F = TypeVar("F", bound=Callable[..., Any])
_NEW: tuple[Any, Any] = (None, None)  # a function that was never seen


class World(OfAgents, OfApplications, OfServers):
    """One run's world. `task` is what the agent is asked to do; `tools` and `model` are what it
    may use; `state` is a dict for whatever the scenario's tools share; `store` is what outlives
    the agent's process; `clock.now` is the time, in virtual seconds.

    `leg` numbers the legs of the run from 1, `why` says what began this one (empty for the first,
    then `restart`, `decision`, `follow_up`, `task`, `interrupt` or `duplicate`), `decision` is the
    one that it brings, and `trigger_id` names the user's request: the same in every leg about it,
    another one for each of the scenario's `tasks`. `data` are the
    inputs of the run (`given=` of the scenario), as plain values. `recording` says that a cassette
    is being recorded: then the agent talks to its real model.

    `gateway` is for adapters: see `agentfuzz.world.gateway`.
    """

    trigger_id = "trigger_1"
    why = ""
    decision: Decision | None = None
    recording = False
    data: Mapping[str, Any] = MappingProxyType({})
    _given: Mapping[str, Any] = data
    _serve: Callable[..., Any] | None = None
    _built: tuple[frozenset[str], frozenset[str]]  # the names on it, and in its `state`, at first

    def __init__(self, task: str, gateway: LocalGateway) -> None:
        self.task = task
        self.gateway: Gateway = gateway
        self._local = gateway  # what only the process has in which the world lives
        self.clock: Clock = gateway.clock
        self.state: dict[str, Any] = {}
        self.tools = Toolbox(gateway)

    @property
    def leg(self) -> int:
        """The number of this leg of the run, from 1."""
        return self.gateway.leg

    def _again(self, why: str, *, task: str = "", decision: Decision | None = None) -> "World":
        """The world of another leg of this run: the same backend, store and clock. What a process
        that died had laid on its world, or in its `state`, is gone; what the scenario had laid
        there, and what the tools' bodies keep in theirs, is left."""
        other = copy.copy(self)
        if why == "restart":
            names, keys = self._built
            for name in other.__dict__.keys() - names:
                del other.__dict__[name]
            other.state = {key: item for key, item in self.state.items() if key in keys}
        if why == "task":
            other.trigger_id = f"trigger_{self._local.task + 1}"
        else:  # the first trigger is the one that comes again
            other.trigger_id = World.trigger_id if why == "duplicate" else self.trigger_id
        task_number = int(other.trigger_id.rpartition("_")[2])
        other.gateway = other._local = self._local.again(task_number)
        if self._given:
            other._has(self._given)
        other.task = task or self.task
        other.why, other.decision = why, decision
        other.tools = Toolbox(other.gateway)
        for tap in self._taps:
            tap.follows(other)
        return other

    def _has(self, given: Mapping[str, Any]) -> None:
        """Its inputs are these; whoever changes them has a copy."""
        self._given, self.data = given, copy.deepcopy(dict(given))

    def _begins(self) -> None:
        """The agent's process begins: what lies here now is the scenario's."""
        self._built = (frozenset([*self.__dict__, "_built"]), frozenset(self.state))

    # What a scenario declares ------------------------------------------------------------

    @overload
    def tool(self, fn: F, /) -> F: ...
    @overload
    def tool(
        self,
        /,
        *,
        effect: str | None = None,
        scope: tuple[str, ...] | None = None,
        dedup: Dedup = "none",
        undoes: str | None = None,
        name: str | None = None,
        transport: Transport = "network",
        effect_if: Callable[[Any], object] | None = None,
        observe: Callable[[Any], Iterable[Any]] | None = None,
        state: Callable[[], Any] | None = None,
    ) -> Callable[[F], F]: ...
    def tool(
        self,
        fn: Callable[..., Any] | None = None,
        /,
        *,
        effect: str | None = None,
        scope: tuple[str, ...] | None = None,
        dedup: Dedup = "none",
        undoes: str | None = None,
        name: str | None = None,
        transport: Transport = "network",
        effect_if: Callable[[Any], object] | None = None,
        observe: Callable[[Any], Iterable[Any]] | None = None,
        state: Callable[[], Any] | None = None,
    ) -> Any:
        """Declare a typed function as a tool. Its body runs at the commit point.

        `effect` names what a successful call does to the world (None: it only reads); `scope`
        names the parameters that say which intent it is (None: all but the key; `()`: one in a
        run); `dedup` is how the backend recognises a repeat: not at all, by an `idempotency_key`
        argument, by the scope itself, or (`probe`) as its body does when it is called twice before
        the campaign, by what it closes over and by `state()`, where its state lies elsewhere;
        `undoes` names the tool whose effect this one takes back (a refund, a cancellation).
        `transport` says where it runs: behind a `network`, behind one that delivers `at_most_once`
        (nothing twice, nothing late), or `local`, as a function of this process.

        A body may do nothing: `effect_if` gets its answer and says whether the effect took place
        (left out, an answer as `{"error": ...}` or `{"ok": false}` says that it did not).
        `observe` gets the world and returns the rows of a backend of your own, each by its scope:
        then the effects are the rows that appear, and the backend recognises repeats, or does not.

        Raises ScenarioError for a signature without a JSON schema or an unknown parameter.
        """
        if scope is not None and type(scope) is not tuple:
            if isinstance(scope, str):
                raise ScenarioError(f"scope={scope!r} is a string; write scope=({scope!r},).")
            scope = tuple(scope)
        words = (name, effect, scope, dedup, undoes, transport, effect_if, observe, state)
        return partial(self._declare, words) if fn is None else self._declare(words, fn)

    def _declare(self, words: tuple[Any, ...], function: F) -> F:
        """Declare a function with the words of `tool`; what another world has said of it, too, is
        known."""
        local = self._local
        if type(function) is FunctionType:
            was, spec = KEPT.get(function, _NEW)
            if was == words and (label := spec.name) not in local.specs:
                local.specs[label], local.facts[label] = spec, spec.facts
                local.functions[label] = function
                return function
        name, effect, scope, dedup, undoes, transport, effect_if, observe, state = words
        hooks = NO_HOOKS
        if effect_if is not None or observe is not None or state is not None:
            hooks = _hooks(self, effect_if, observe, state)
        own = observe is not None
        declared = Declaration(name, effect, scope, dedup, undoes, transport, own)
        spec = local.declare(declared, function, hooks)
        if hooks is NO_HOOKS and spec.name not in local.probes:
            keep(function, words, spec)
        return function

    def raise_as(
        self,
        *,
        timeout: Failure | None = None,
        error: Failure | None = None,
        rate_limited: Failure | None = None,
        unauthorized: Failure | None = None,
        raises: Failure | None = None,
    ) -> None:
        """How a timeout, a lost connection, a 429, a 401, or the failure of a local tool (`raises`)
        reaches the agent: an exception class or a function from the message to an exception,
        `"text"` for an error text as the reply, or (timeouts only) `"hang"`: nothing comes until
        the agent's own deadline ends the wait."""
        given = {
            "timeout": timeout,
            "error": error,
            "rate_limited": rate_limited,
            "unauthorized": unauthorized,
            "raises": raises,
        }
        for kind, failure in given.items():
            if failure is not None:
                words = ("text", "hang") if kind == "timeout" else ("text",)
                if failure not in words and not callable(failure):
                    raise ScenarioError(
                        f"raise_as({kind}={failure!r}): say {' or '.join(map(repr, words))}, or "
                        "give an exception class or a function from the message to an exception."
                    )
                self._local.calls.failures[kind] = failure

    @property
    def model(self) -> Any:
        """The simulated model. Raises ScenarioError when the scenario has no script."""
        if self.recording:
            raise ScenarioError(
                "while a cassette is recorded the agent talks to its own provider: use "
                "agentfuzz.wire.openai_client(world) or anthropic_client(world), which are the "
                "real clients then, or your own client `if world.recording`."
            )
        model = self.gateway.model
        if model is None:
            raise ScenarioError(
                "this scenario has no model; give it a script: "
                "@scenario(..., script=[('tool', {...}), 'closing'])."
            )
        return model

    @property
    def has_model(self) -> bool:
        """Whether the scenario has a script for a model."""
        return self.gateway.model is not None

    # What agents use ----------------------------------------------------------------------

    @property
    def store(self) -> MutableMapping[str, Any]:
        """What outlives the agent's process, as a mapping: each write is a crossing, at which the
        process may die before or after."""
        return self.gateway.store

    def call(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as a sync agent does. `asked` is the model's id for the call."""
        return self.gateway.call(name, arguments, asked)

    async def acall(self, name: str, arguments: Mapping[str, Any], asked: str | None = None) -> Any:
        """Call a tool by name, as an async agent does; a sync tool as well as an async one."""
        return await self.gateway.acall(name, arguments, asked)

    def serve(self, **kwargs: Any) -> Any:
        """Serve this world on loopback, for an agent in another process and any language: `with
        world.serve() as urls:` gives `urls.openai`, `urls.anthropic` and `urls.mcp`. See
        `agentfuzz.wire.serve`; needs the extras `wire` and `mcp`."""
        assert self._serve is not None, "a scenario gives its worlds a server"
        return self._serve(self, **kwargs)

    def saving(self, name: str, value: Any = None) -> AbstractContextManager[None]:
        """Mark a durable write of the agent's own, into a file or a database: the process may die
        before it, or right after it. `name` is the store's, `value` what is written, if it is to
        be seen in the history."""
        return self.gateway.saving(name, value)

    def request_approval(self, tool: str, *, call: str = "") -> str:
        """Ask a person to allow a call, and return the id of the request. The agent then ends its
        leg; the next one brings `world.decision`. `call` is the id under which the call will be
        made: `world.call(tool, arguments, asked=call)`."""
        return self.gateway.request_approval(tool, call)

    def decision_on(self, request: str) -> Decision | None:
        """What a person has decided about a request by now, or None, for an agent that waits for it
        within its leg. It gets the decision once, and no leg brings it again."""
        return self.gateway.decision_on(request)

    @property
    def cancelled(self) -> bool:
        """The cancel token: whether somebody has pressed Stop. An agent that looks at it is not
        stopped otherwise; an async one that never looks has its task cancelled."""
        return self.gateway.cancelled

    @property
    def inbox(self) -> MutableSequence[str]:
        """What the user has said since the task began. An agent that reads it takes the messages
        out (`world.inbox.pop(0)`); an async one that never looks is cancelled, and a leg begins
        with the message."""
        return self.gateway.inbox


def inside(world: World) -> LocalGateway:
    """What the engine knows of a world that lives in this process."""
    found: LocalGateway = world._local
    return found


def _hooks(world: World, effect_if: Any, observe: Any, state: Any) -> Hooks:
    for word, given in (("effect_if", effect_if), ("observe", observe)):
        if given is not None and not callable(given):
            raise ScenarioError(f"{word}={given!r} is no function; see World.tool.")
    return Hooks(effect_if, None if observe is None else partial(observe, world), state)
