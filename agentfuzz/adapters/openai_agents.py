"""The OpenAI Agents SDK: a world's tools, model and runs as its own.

Law: the runner and its error handling are the SDK's; this file only puts items into other words.
Called by agents under test:

    agent = Agent(
        name="billing",
        model=adapters.openai_agents.model(world),
        tools=adapters.openai_agents.tools(world),
    )
    return adapters.openai_agents.outcome(await Runner.run(agent, world.task))

`model(world, api="chat")` and `api="responses"` are the SDK's own models over a client of the wire,
with the client's own retries; what else they are given is the client's (`max_retries=0`). Tools may
wait for a person, or fail for good: `tools(world, needs_approval=("refund",),
failure_error_function=None)`; a session's writes are places to die at: `session(world,
SQLiteSession("s"))`. Of several agents each says who it is, and hands over with `handoff`:

    billing = Agent(name="billing", model=model(world, agent="billing"), ...)
    triage = Agent(name="triage", model=model(world, agent="triage"), handoffs=[
        handoff(world, billing)])

Naming the model switches the SDK's tracing off, in this process: its exporter wants the network.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from functools import partial
from importlib.metadata import version
from typing import Any

import agents
from agents import (
    Agent,
    FunctionTool,
    Handoff,
    MaxTurnsExceeded,
    Model,
    Runner,
    Tool,
    set_tracing_disabled,
)

from agentfuzz.adapters._openai_handoffs import handoff as crossing
from agentfuzz.adapters._openai_model import native, wired
from agentfuzz.adapters._openai_session import Saved
from agentfuzz.adapters._openai_tools import APPROVES, UNSET, as_tool, fails, function_tool, waits
from agentfuzz.adapters.contract.adapter import Adapter, Ended, Failures, Limit, Pause, Setup
from agentfuzz.adapters.contract.bridge import Bridge, Key
from agentfuzz.core.completion import Completion
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.world.world import World

if not hasattr(agents, "SQLiteSession"):
    raise AgentfuzzError(
        "adapters.openai_agents needs openai-agents 0.2 or newer, and this is "
        f"{version('openai-agents')}: pip install -U openai-agents."
    )

APIS = ("native", "chat", "responses")
_CLIENT = ("base_url", "max_retries", "timeout")
_AGENT = frozenset(one.name for one in fields(Agent))


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
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "told",
        "invalid": "told",
        "unknown": "raised",
    }
    sessions = True
    typed = True
    pauses_for = APPROVES
    hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way into the runner, and every API that it speaks."""
        return {
            "run": partial(_run, "native"),
            "stream": partial(_stream, "native"),
            "sync": _sync,
            "chat": partial(_run, "chat"),
            "chat_stream": partial(_stream, "chat"),
            "responses": partial(_run, "responses"),
            "responses_stream": partial(_stream, "responses"),
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
        for tool in made:
            if failure_error_function is not UNSET:
                fails(tool, failure_error_function)
            if tool.name in needs_approval:
                waits(tool)
        return made

    def model(
        self, world: World, *, agent: str | None = None, api: str = "native", **client: Any
    ) -> Model:
        """The world's simulated model as a model of the SDK, asked by this agent (left out: by
        whoever acts): natively, or over `chat` or `responses` with a client of the wire, whose
        words `client` are. Raises ScenarioError without a script."""
        set_tracing_disabled(True)
        if api not in APIS or (api == "native" and client):
            raise AgentfuzzError(
                f"openai_agents.model(api={api!r}): there is {', '.join(APIS)}, and only the last "
                "two have a client whose words could be given."
            )
        return native(world, agent) if api == "native" else wired(world, agent, api, client)

    def ended(self, result: Any) -> Ended | None:
        """A run ends with its final output, or by its limit."""
        if isinstance(result, MaxTurnsExceeded):
            return Ended(why="limit")
        if isinstance(result, BaseException):
            return None
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


async def _run(api: str, setup: Setup) -> Any:
    agent, words = _made(api, setup)
    return await Runner.run(agent, await _input(setup, agent), **words)


async def _stream(api: str, setup: Setup) -> Any:
    agent, words = _made(api, setup)
    result = Runner.run_streamed(agent, await _input(setup, agent), **words)
    async for _ in result.stream_events():
        pass
    return result


def _sync(setup: Setup) -> Any:
    agent, words = _made("native", setup)
    given = asyncio.run(_input(setup, agent)) if setup.decisions else setup.world.task
    return Runner.run_sync(agent, given, **words)


def _made(api: str, setup: Setup) -> tuple[Agent[Any], dict[str, Any]]:
    """The agent that begins, and the words for its run."""
    words = dict(setup.options)
    client = {name: words.pop(name) for name in _CLIENT if name in words}
    at_agent = {name: words.pop(name) for name in _AGENT & words.keys()}
    fails = words.pop("failure_error_function", UNSET)
    as_tools = words.pop("as_tools", False)
    names: tuple[str | None, ...] = setup.agents or (None,)
    made = [
        Agent(
            name=name or "agent",
            model=ADAPTER.model(setup.world, agent=name, api=api, **client),
            tools=ADAPTER.tools(
                setup.world,
                key=setup.key,
                agent=name,
                failures=setup.failures,
                done=not setup.typed,
                needs_approval=setup.approvals,
                failure_error_function=fails,
            ),
            **{**({"output_type": Completion} if setup.typed else {}), **at_agent},
        )
        for name in names
    ]
    if setup.agents:
        for one in made:
            others = [other for other in made if other is not one]
            if as_tools:
                one.tools = [*one.tools, *(as_tool(other, setup.world.task) for other in others)]
            else:
                one.handoffs = [handoff(setup.world, other) for other in others]
    if setup.session is not None:
        words["session"] = session(setup.world, setup.session)
    return made[0], words


async def _input(setup: Setup, agent: Agent[Any]) -> Any:
    """What the run begins with: the task, or the state of one that waited, as another process
    finds it; who calls once more has that state still."""
    if not setup.decisions:
        return setup.world.task
    if "state" in setup.held:
        return setup.held["state"]
    from agents.run_state import RunState  # which old releases have not

    kept = setup.paused.to_state().to_string()
    state: Any = await RunState.from_string(agent, kept)
    for one in state.get_interruptions():
        (state.approve if setup.decisions[one.raw_item.call_id] else state.reject)(one)
    setup.held["state"] = state
    return state


ADAPTER = OpenAIAgents()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome


def session(world: World, session: Any) -> Any:
    """A session of the SDK, each of whose writes is a save of this world."""
    return Saved(world, session)


def handoff(
    world: World, agent: Agent[Any], *, carry: Iterable[str] = (), **options: Any
) -> "Handoff[Any, Agent[Any]]":
    """The SDK's `agents.handoff(agent, **options)`, as a handoff of this world: it may get lost
    (TimeoutError), take control to another of the agents that this function was given, or arrive
    spoilt: the typed input, or, without an `input_type`, what has been said. `carry` names the
    fields of the typed input that must arrive as they are. Raises ScenarioError for an agent whose
    model says no name."""
    return crossing(world, agent, carry, options)
