"""What Microsoft Agent Framework is to agentfuzz.

Law: the agent, its loop of tools, its history and its workflows are the framework's. Read by the
contract, and by agents under test as `adapters.agent_framework`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from agent_framework import AgentResponse, FunctionTool

from agentfuzz.adapters.agent_framework import loops
from agentfuzz.adapters.agent_framework.model import model_of
from agentfuzz.adapters.agent_framework.session import Session
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, met
from agentfuzz.adapters.contract.adapter import Entrypoint, Why
from agentfuzz.core.completion import Completion
from agentfuzz.world.world import World

_WHY: Mapping[str, Why] = {"length": "length", "content_filter": "error"}


class AgentFramework(Adapter):
    """Agents, and workflows in which they hand over to each other."""

    name = "agent_framework"
    package = "agent-framework-core"
    needs = ">=1.0"
    quiet = {"ENABLE_INSTRUMENTATION": "false"}
    limits = {
        "max_consecutive_errors_per_request": Limit("retries", 3),
        "max_duration_seconds": Limit("seconds"),
    }
    meets = met(cancelled="ended")
    sessions = typed = pauses_for = hands_over = True

    @property
    def entrypoints(self) -> Mapping[str, Entrypoint]:
        """`run` and `stream` by the Responses API, `chat` and `chat_stream` by Chat Completions.
        Several agents are a handoff workflow."""
        return {
            "run": partial(loops.run, self),
            "stream": partial(loops.run, self, stream=True),
            "chat": partial(loops.run, self, chat=True),
            "chat_stream": partial(loops.run, self, chat=True, stream=True),
        }

    def tool(self, bridge: Bridge) -> Any:
        """A function tool, which is not told the id of its call."""

        async def call(**arguments: Any) -> str:
            return await bridge.acall(arguments)

        return FunctionTool(
            name=bridge.name,
            description=bridge.description,
            func=call,
            input_model=bridge.schema,
        )

    def model(
        self, world: World, *, agent: str | None = None, chat: bool = False, **options: Any
    ) -> Any:
        """The framework's client of the Responses API, or of Chat Completions (`chat`), asked by
        this agent; `options` are its own and those of its function invocation."""
        return model_of(world, agent, chat, options)

    def ended(self, result: Any) -> Ended | None:
        """A response: its typed value, or its text, and its finish reason says why."""
        if not isinstance(result, AgentResponse):
            return None
        if isinstance(result.value, Completion):
            return Ended(result.value)
        return Ended(result.text, _WHY.get(str(result.finish_reason), "completed"))

    def session(self, world: World) -> Session:
        """The framework's session, and its checkpoints."""
        return Session()

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls that need approval."""
        asked = [(one.function_call, one) for one in result.user_input_requests]
        return tuple(Pause(call.call_id, call.name, one) for call, one in asked if call is not None)

    def handoff(self, to: str) -> tuple[str, Mapping[str, Any]]:
        """A tool for each agent."""
        return f"handoff_to_{to}", {}
