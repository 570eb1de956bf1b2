"""What Google's ADK is to agentfuzz.

Law: the runner, its sessions and its Gemini class are ADK's. Read by the contract, and by agents
under test as `adapters.google_adk`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Any

from google.adk.agents.invocation_context import LlmCallsLimitExceededError
from google.adk.tools import FunctionTool
from pydantic import ValidationError

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup, met
from agentfuzz.adapters.google_adk import loops
from agentfuzz.adapters.google_adk.greeting import greeted
from agentfuzz.adapters.google_adk.loops import CONFIRM
from agentfuzz.adapters.google_adk.model import WorldGemini
from agentfuzz.adapters.google_adk.session import WorldSessions
from agentfuzz.adapters.google_adk.tools import WorldTool
from agentfuzz.core.completion import Completion
from agentfuzz.runtime.thread_pools.patches import begins_runs
from agentfuzz.world.world import World

for _name in ("google_adk", "opentelemetry"):  # what they log is for who asks for it
    logging.getLogger(_name).addHandler(logging.NullHandler())

begins_runs("google.adk.runners")  # `Runner.run` is called from sync code


class GoogleADK(Adapter):
    """ADK by its runner: `async` is `Runner.run_async`, `stream` the same with streaming replies,
    `sync` is `Runner.run`. Its options are those of the agent, the RunConfig and the Runner."""

    name = "google_adk"
    package = "google-adk"
    needs = ">=1.4"
    quiet = {"OTEL_SDK_DISABLED": "true"}
    limits = {"max_llm_calls": Limit("turns", 500)}
    raises = {LlmCallsLimitExceededError: "limit"}
    meets = met(raised="raised", soft="raised", cancelled="ended")
    sessions = hands_over = True
    typed = find_spec("google.adk.tools.set_model_response_tool") is not None
    pauses_for = find_spec("google.adk.tools.tool_confirmation") is not None

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way to run an agent."""
        return {
            "async": partial(loops.run, self),
            "stream": partial(loops.stream, self),
            "sync": partial(loops.sync, self),
        }

    def warm(self) -> None:
        """One plain run: ADK imports half of itself in its first."""
        asyncio.run(greeted())

    def tool(self, bridge: Bridge) -> FunctionTool:
        """A function as a tool, with the parameters of the world's."""
        return WorldTool(bridge)

    def model(self, world: World, *, agent: str | None = None) -> WorldGemini:
        """The world's model behind ADK's own Gemini."""
        return WorldGemini(world, agent)

    def ending(self, result: Any) -> Ended:
        """A run ends with its last event; with an output schema its text is the value."""
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

    def session(self, world: World) -> WorldSessions:
        """ADK's sessions in memory."""
        return WorldSessions(world)

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls for which ADK asks a confirmation."""
        calls = [call for event in result for call in event.get_function_calls()]
        asked = [one for one in calls if one.name == CONFIRM]
        waiting = [(one.args["originalFunctionCall"], one.id) for one in asked]
        return tuple(Pause(call["id"], str(call["name"]), id) for call, id in waiting)

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """ADK has one tool for all its transfers."""
        return "transfer_to_agent", {"agent_name": to}
