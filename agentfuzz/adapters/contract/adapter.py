"""What an adapter is: how one framework's loop is put into a world, and what came of it.

Law: an adapter translates and decides nothing; what the framework does by default is what is
tested. Written by whoever knows a framework; read by `play`, the test kit and `--agentfuzz-loop`.

An adapter names itself, its entrypoints and what its users may set; all else has a default. Others
publish theirs in the entry-point group `agentfuzz.adapters`: a name, and where the object is.
"""

from abc import abstractmethod
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

from agentfuzz.adapters.contract.bridge import Bridge, Key, bridges
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import InvalidArguments
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.world import World

Why = Literal["completed", "limit", "cancelled", "paused", "length", "error"]

# How the failure of a tool comes to the framework: as the tool raises it, as the framework's own
# soft error (what its users raise for the model to see), or as a cancellation.
Failures = Literal["raised", "soft", "cancelled"]

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limit:
    """One of a framework's own limits: what it counts, and how many it allows when nobody says
    anything; None for no limit."""

    counts: Literal["turns", "calls", "seconds", "retries"]
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A call that waits for a person: its id, its tool, and what the framework wants back when the
    decision has come (an object of its own)."""

    call: str
    tool: str
    handle: Any = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a framework's run ended: its value, and why, never read out of the text."""

    value: Any = None
    why: Why = "completed"


@dataclass(frozen=True, slots=True)
class Setup:
    """What an entrypoint is given.

    `world` of this leg, whose `task` is what the user says; `key` and `failures` go to the tools;
    `approvals` are the tools that a person must allow; `session` is the framework's own store of
    the conversation, the same in each leg of a run, or None; `paused` is the result that an earlier
    leg ended with, whose calls wait, and `decisions` says of them, by id, whether they are granted.
    `typed` asks for a Completion as the typed output; `agents` are the names of those that have a
    script, of which the first begins and each may hand over to the others; `options` are the
    framework's own words, for its agent or its runner. `attempt` is 2 when the caller calls once
    more what has raised, and then `held` has what the adapter laid there: the objects that a caller
    still holds.
    """

    world: World
    key: Key = None
    failures: Failures = "raised"
    approvals: tuple[str, ...] = ()
    session: Any = None
    paused: Any = None
    decisions: Mapping[str, bool] = field(default_factory=dict)
    typed: bool = False
    agents: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    held: dict[str, Any] = field(default_factory=dict)


Entrypoint = Callable[[Setup], Any] | Callable[[Setup], Awaitable[Any]]


def met(**otherwise: str) -> Mapping[str, str]:
    """What most frameworks do of a tool's failure: the model is told; and what is otherwise."""
    return dict.fromkeys(("raised", "soft", "cancelled", "invalid", "unknown"), "told") | otherwise


class Adapter(Protocol):
    """One framework. Subclass it for what it has by default, or have all of it.

    `name` is that of `--agentfuzz-loop`; `package` the distribution it adapts, `needs` what of it
    (`>=0.2`). `quiet` is the environment that keeps the framework from the network and from
    talking. `limits` are its own limits by the names of its options. `meets` says how the failures
    of a tool come to the framework's user by default: `told` (the model is shown a result, and goes
    on), `raised` (the run ends with the exception) or `ended` (the run ends and says nothing of
    it), by `raised`, `soft`, `cancelled`, `invalid` (arguments that do not fit) and `unknown` (no
    such tool); of an entrypoint that has it otherwise, by `entrypoint:raised`: see `met`. `raises`
    are the exceptions that are endings of the framework's own, as its limits are.
    """

    name: str
    package: str
    needs: str = ""
    quiet: Mapping[str, str] = _NOTHING
    limits: Mapping[str, Limit] = _NOTHING
    meets: Mapping[str, str] = _NOTHING
    raises: Mapping[type[BaseException], Why] = _NOTHING
    sessions: bool = False  # whether it has one
    typed: bool = False  # whether it has typed output
    pauses_for: bool = False  # whether calls can wait for a person
    hands_over: bool = False  # whether its agents hand over to each other

    @property
    @abstractmethod
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """The ways into the framework's loop, the usual one first: functions of a Setup, sync or
        async, that return the framework's own result, and let out what it raises."""

    @abstractmethod
    def tool(self, bridge: Bridge) -> Any:
        """The framework's own tool object for one tool of a world."""

    @abstractmethod
    def model(self, world: World, *, agent: str | None = None) -> Any:
        """The world's simulated model as the framework's own, asked by this agent (left out: by
        whoever acts). Raises ScenarioError without a script."""

    def ended(self, result: Any) -> Ended | None:
        """Why a run ended, by its result, or by the exception that it raised; None for an exception
        that is no ending of the framework's own (see `raises`)."""
        if not isinstance(result, BaseException):
            return self.ending(result)
        why = [why for kind, why in self.raises.items() if isinstance(result, kind)]
        return Ended(why=why[0]) if why else None

    def ending(self, result: Any) -> Ended | None:
        """Why a run ended that has raised nothing."""
        return Ended(result)

    def tools(
        self,
        world: World,
        *,
        key: Key = None,
        agent: str | None = None,
        failures: Failures = "raised",
        done: bool = True,
    ) -> list[Any]:
        """The world's tools as the framework's own. `key` says where the idempotency key of a tool
        with `dedup="key"` comes from: the model (None), `"call_id"`, or a function of (tool,
        arguments, call_id). `agent` is who calls them (left out: whoever acts). Without `done` the
        done tool is left out, for a loop that ends in another way."""
        made = bridges(world, key, agent)
        how = {"raised": None, "soft": self.soft, "cancelled": _cancelled}[failures]
        for bridge in made:
            bridge.failing, bridge.invalid = how, self.invalid
        return [self.tool(bridge) for bridge in made if done or bridge.name != DONE]

    def offered(self, setup: Setup, agent: str | None = None) -> list[Any]:
        """The tools of a setup: see `tools`."""
        return self.tools(
            setup.world,
            key=setup.key,
            agent=agent,
            failures=setup.failures,
            done=not setup.typed,
        )

    def outcome(self, result: Any) -> Completion | None:
        """The Completion that a result is, or that its ending means; None for prose."""
        found = result if isinstance(result, (Ended, Completion)) else self.ended(result)
        return found if isinstance(found, Completion) else completion(found)

    def warm(self) -> None:
        """What takes long once in a process: imports, background loops. Called before any run, in
        real time and outside every budget."""
        return

    def soft(self, error: Exception) -> BaseException:
        """The framework's own error for a tool's failure that the model shall see."""
        return error

    def invalid(self, error: InvalidArguments) -> BaseException:
        """What the framework raises for arguments that do not fit a tool's schema."""
        return error

    def session(self, world: World) -> Any:
        """A new store of the conversation, of the framework's own kind, each write of which is a
        save of the world (`world.saving`). Made once a run."""
        return None

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls of a result that wait for a person."""
        return ()

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """How a model hands over to an agent in this framework: the tool, and its arguments."""
        return f"transfer_to_{to}", {}

    def stop(self, setup: Setup) -> bool:
        """Somebody has pressed Stop: tell the run, by a token of the framework's own. False where
        it has none: then its task is cancelled."""
        return False


_MEANS: Mapping[str, Completion] = {
    "limit": Completion.failed(reason="budget_exhausted"),
    "cancelled": Completion.cancelled(),
    "paused": Completion.blocked(reason="needs_approval"),
    "length": Completion.partial(reason="other"),
    "error": Completion.failed(reason="internal_error"),
}


def completion(ended: Ended | None) -> Completion | None:
    """What an ending claims: a Completion that is its value, else what its `why` means; None for
    prose, which claims nothing."""
    if ended is None:
        return None
    if isinstance(ended.value, Completion):
        return ended.value
    return _MEANS.get(ended.why)


def _cancelled(error: Exception) -> BaseException:
    return CancelledError(str(error))
