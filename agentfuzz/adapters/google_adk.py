"""Google's ADK: a world's tools and model as its own, by its runner.

Law: the runner, its sessions and its Gemini class are ADK's; only the client behind that class is
another one. Works with `Runner.run_async` and `Runner.run`, streamed or not. Called by agents under
test:

    agent = LlmAgent(
        name="billing",
        model=adapters.google_adk.model(world),
        tools=adapters.google_adk.tools(world),
    )
    runner = InMemoryRunner(agent=agent)
    ...
    events = [event async for event in runner.run_async(...)]
    return adapters.google_adk.outcome(events)
"""

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.agents.invocation_context import LlmCallsLimitExceededError
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.events.event import Event
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.adk.tools import FunctionTool, ToolContext
from google.genai import types
from pydantic import ValidationError

from agentfuzz.adapters._google_adk_model import Hello, WorldGemini
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup
from agentfuzz.core.completion import Completion
from agentfuzz.runtime.thread_pools.patches import begins_runs
from agentfuzz.world.world import World

for _name in (
    "google_adk",
    "opentelemetry",
):  # no last resort: what they log is for who asks for it
    logging.getLogger(_name).addHandler(logging.NullHandler())

begins_runs("google.adk.runners")  # `Runner.run` is called from sync code

CONFIRM = "adk_request_confirmation"
_NAMES = {"app_name": "agentfuzz", "user_id": "user", "session_id": "session"}
_TYPES: Mapping[Any, type] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}


class GoogleADK(Adapter):
    """ADK by its runner: `async` is `Runner.run_async`, `stream` the same with streaming replies,
    `sync` is `Runner.run`. Its options are those of the agent, the RunConfig and the Runner."""

    name = "google_adk"
    package = "google-adk"
    needs = ">=1.4"
    quiet = {"OTEL_SDK_DISABLED": "true"}
    limits = {"max_llm_calls": Limit("turns", 500)}
    meets = {
        "raised": "raised",
        "soft": "raised",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = True
    typed = find_spec("google.adk.tools.set_model_response_tool") is not None
    pauses_for = find_spec("google.adk.tools.tool_confirmation") is not None
    hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way to run an agent."""
        return {"async": self._run, "stream": self._stream, "sync": self._sync}

    def warm(self) -> None:
        """One plain run: ADK imports half of itself in its first."""
        runner = Runner(
            app_name=_NAMES["app_name"],
            agent=LlmAgent(name="assistant", model=Hello(), tools=[FunctionTool(_hello)]),
            session_service=InMemorySessionService(),
        )
        asyncio.run(_greeted(runner))

    def tool(self, bridge: Bridge) -> FunctionTool:
        """A function as a tool, with the parameters of the world's."""
        return _Tool(bridge)

    def model(self, world: World, *, agent: str | None = None) -> WorldGemini:
        """The world's model behind ADK's own Gemini."""
        return WorldGemini(world, agent)

    def ended(self, result: Any) -> Ended | None:
        """A run ends with its last event; with an output schema its text is the value."""
        if isinstance(result, LlmCallsLimitExceededError):
            return Ended(why="limit")
        if isinstance(result, BaseException):
            return None
        if self.pauses(result):
            return Ended(why="paused")
        last = next((event for event in reversed(result) if not event.partial), None)
        if last is None:
            return Ended()
        text = "".join(part.text or "" for part in (last.content and last.content.parts) or ())
        reasons = {str(last.error_code), str(getattr(last, "finish_reason", None))}
        if any(reason.endswith("MAX_TOKENS") for reason in reasons):
            return Ended(text, "length")
        if last.error_code:
            return Ended(text, "error")
        try:
            return Ended(Completion.model_validate_json(text))
        except ValidationError:
            return Ended(text)

    def session(self, world: World) -> "WorldSessions":
        """ADK's sessions in memory."""
        return WorldSessions(world)

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls for which ADK asks a confirmation."""
        asked = [
            call for event in result for call in event.get_function_calls() if call.name == CONFIRM
        ]
        return tuple(
            Pause(call.args["originalFunctionCall"]["id"], _asked(call), call.id) for call in asked
        )

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """ADK has one tool for all its transfers."""
        return "transfer_to_agent", {"agent_name": to}

    # The entrypoints ----------------------------------------------------------------------

    async def _run(self, setup: Setup) -> list[Event]:
        runner, words = self._made(setup)
        await _session(runner)
        return [event async for event in runner.run_async(**words)]

    async def _stream(self, setup: Setup) -> list[Event]:
        runner, words = self._made(setup, streaming_mode=StreamingMode.SSE)
        await _session(runner)
        return [event async for event in runner.run_async(**words)]

    def _sync(self, setup: Setup) -> list[Event]:
        runner, words = self._made(setup)
        asyncio.run(_session(runner))
        return list(runner.run(**words))

    def _made(self, setup: Setup, **more: Any) -> tuple[Runner, dict[str, Any]]:
        """The runner of a setup, and the words for its run."""
        options = {**setup.options, **more}
        config = {name: options.pop(name) for name in RunConfig.model_fields if name in options}
        for_agent = {name: options.pop(name) for name in LlmAgent.model_fields if name in options}
        sessions = setup.session or InMemorySessionService()
        if isinstance(sessions, WorldSessions):
            sessions.world = setup.world
        runner = Runner(
            app_name=_NAMES["app_name"],
            agent=self._agent(setup, for_agent),
            session_service=sessions,
            **options,
        )
        words = {"user_id": _NAMES["user_id"], "session_id": _NAMES["session_id"]}
        return runner, {
            **words,
            "new_message": _message(setup, self.pauses(setup.paused or ())),
            "run_config": RunConfig(**config),
        }

    def _agent(self, setup: Setup, options: Mapping[str, Any]) -> LlmAgent:
        def made(agent: str | None, **more: Any) -> LlmAgent:
            return LlmAgent(
                name=agent or "assistant",
                model=self.model(setup.world, agent=agent),
                tools=[tool.waiting(setup.approvals) for tool in self.offered(setup, agent)],
                **({"output_schema": Completion} if setup.typed else {}),
                **options,
                **more,
            )

        first, *others = setup.agents or (None,)
        return made(first, sub_agents=[made(other) for other in others])


class _Tool(FunctionTool):
    """A tool of a world as a function with its parameters, declared with its own schema."""

    def __init__(self, bridge: Bridge, **options: Any) -> None:
        async def call(tool_context: ToolContext, **arguments: Any) -> Any:
            return _value(await bridge.acall(arguments, tool_context.function_call_id))

        required = bridge.schema.get("required", ())
        parameters = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if name in required else None,
                annotation=_TYPES.get(part.get("type"), Any),
            )
            for name, part in bridge.inputs.items()
        ]
        context = inspect.Parameter(
            "tool_context", inspect.Parameter.KEYWORD_ONLY, annotation=ToolContext
        )
        call.__signature__ = inspect.Signature([*parameters, context])  # type: ignore[attr-defined]
        call.__annotations__ = {one.name: one.annotation for one in (*parameters, context)}
        call.__name__, call.__doc__ = bridge.name, bridge.description
        super().__init__(call, **options)
        self._bridge = bridge
        self._declared = types.FunctionDeclaration(
            name=bridge.name,
            description=bridge.description,
            parameters_json_schema=bridge.schema,
        )

    def waiting(self, approvals: Sequence[str]) -> "_Tool":
        """The same, which a person must allow if it is among these."""
        if self.name not in approvals:
            return self
        return _Tool(self._bridge, require_confirmation=True)

    def _get_declaration(self) -> types.FunctionDeclaration:
        return self._declared


def _value(text: str) -> Any:
    """A result as a function of ADK returns it: an object as a dict, all else as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


class WorldSessions(InMemorySessionService):
    """ADK's sessions in memory; to append an event is a save of the world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    async def append_event(self, session: Any, event: Event) -> Event:
        """Append it. The process may die before, or right after."""
        with self.world.saving("session"):
            return await super().append_event(session=session, event=event)


def _hello(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}."


async def _greeted(runner: Runner) -> None:
    await _session(runner)
    said = types.Content(role="user", parts=[types.Part(text="Hello.")])
    words = {"user_id": _NAMES["user_id"], "session_id": _NAMES["session_id"]}
    async for _ in runner.run_async(**words, new_message=said):
        pass


async def _session(runner: Runner) -> None:
    """The session of the conversation, new or as it was left."""
    if await runner.session_service.get_session(**_NAMES) is None:
        await runner.session_service.create_session(**_NAMES)


def _message(setup: Setup, pauses: Sequence[Pause]) -> types.Content:
    """What the user says: the task, or what has been decided."""
    if not setup.decisions:
        return types.Content(role="user", parts=[types.Part(text=setup.world.task)])
    decided = [
        types.FunctionResponse(
            id=pause.handle, name=CONFIRM, response={"confirmed": setup.decisions[pause.call]}
        )
        for pause in pauses
    ]
    return types.Content(role="user", parts=[types.Part(function_response=one) for one in decided])


def _asked(call: Any) -> str:
    return str(call.args["originalFunctionCall"]["name"])


ADAPTER = GoogleADK()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
