"""What the OpenAI Agents SDK is to agentfuzz.

Law: the runner and its error handling are the SDK's. Read by the contract, and by agents under
test as `adapters.openai_agents`.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

import agents
from agents import FunctionTool, MaxTurnsExceeded, Model, Tool, set_tracing_disabled

from agentfuzz.adapters.contract import (
    Adapter,
    Bridge,
    Ended,
    Failures,
    Key,
    Limit,
    Pause,
    Setup,
    met,
)
from agentfuzz.adapters.openai_agents import loops
from agentfuzz.adapters.openai_agents.model import model_of
from agentfuzz.adapters.openai_agents.tools import APPROVES, UNSET, function_tool, set_up
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.world.world import World

if not hasattr(agents, "SQLiteSession"):
    raise AgentfuzzError(
        "adapters.openai_agents needs openai-agents 0.2 or newer, and this is "
        f"{version('openai-agents')}: pip install -U openai-agents."
    )


class OpenAIAgents(Adapter):
    """The SDK by its runner: `run`, `stream` and `sync` with a native model, the others over its
    own models of Chat Completions and Responses. Its options are those of the agent, the runner,
    the client, and `failure_error_function`; with `as_tools=True` its agents are tools of each
    other, and nothing is handed over."""

    name = "openai_agents"
    package = "openai-agents"
    needs = ">=0.2"
    quiet = {"OPENAI_AGENTS_DISABLE_TRACING": "1"}
    limits = {"max_turns": Limit("turns", 10)}
    raises = {MaxTurnsExceeded: "limit"}
    meets = met(unknown="raised")
    sessions = typed = hands_over = True
    pauses_for = APPROVES

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way into the runner, and every API that it speaks."""
        return {
            "run": partial(loops.run, self, "native"),
            "stream": partial(loops.stream, self, "native"),
            "sync": partial(loops.sync, self),
            "chat": partial(loops.run, self, "chat"),
            "chat_stream": partial(loops.stream, self, "chat"),
            "responses": partial(loops.run, self, "responses"),
            "responses_stream": partial(loops.stream, self, "responses"),
        }

    def tool(self, bridge: Bridge) -> FunctionTool:
        """A function tool that fails as `@function_tool` fails by default."""
        return function_tool(bridge)

    def tools(
        self,
        world: World,
        *,
        key: Key = None,
        agent: str | None = None,
        failures: Failures = "raised",
        done: bool = True,
        needs_approval: Collection[str] = (),
        failure_error_function: Any = UNSET,
    ) -> list[Tool]:
        """The world's tools as function tools that fail as `@function_tool` fails by default, or as
        `failure_error_function` says; those in `needs_approval` wait for a person. `key` says where
        the idempotency key of a tool with `dedup="key"` comes from: the model (None), `"call_id"`,
        or a function of (tool, arguments, call_id). `agent` is who calls them (left out: whoever
        acts)."""
        made = super().tools(world, key=key, agent=agent, failures=failures, done=done)
        return set_up(made, needs_approval, failure_error_function)

    def model(
        self, world: World, *, agent: str | None = None, api: str = "native", **client: Any
    ) -> Model:
        """The world's simulated model as a model of the SDK, asked by this agent (left out: by
        whoever acts): natively, or over `chat` or `responses` with a client of the wire, whose
        words `client` are. Raises ScenarioError without a script."""
        return model_of(world, agent, api, client)

    def ending(self, result: Any) -> Ended:
        """A run ends with its final output."""
        return Ended(getattr(result, "final_output", result))

    def warm(self) -> None:
        """Tracing is off: its exporter wants the network."""
        set_tracing_disabled(True)

    def session(self, world: World) -> Any:
        """The SDK's own session, in memory."""
        return agents.SQLiteSession("agentfuzz")

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls that need approval."""
        waiting: Any = getattr(result, "interruptions", ())
        return tuple(Pause(one.raw_item.call_id, one.raw_item.name) for one in waiting)
