"""Agno's agent in a world: run and streamed, sync and async.

Law: an agent is built as its users build it, with the world's tools and model. Called by the table
of contents of this room.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from agno.exceptions import RetryAgentRun
from agno.models.openai import OpenAIChat
from agno.run.agent import RunOutput
from agno.tools.function import Function

from agentfuzz.adapters.agno.agents import made
from agentfuzz.adapters.agno.model import model_of
from agentfuzz.adapters.agno.session import WorldDb
from agentfuzz.adapters.agno.tools import tool_of
from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup
from agentfuzz.adapters.contract.adapter import Why
from agentfuzz.world.world import World

_WHY: Mapping[str, Why] = {"PAUSED": "paused", "CANCELLED": "cancelled", "ERROR": "error"}


class Agno(Adapter):
    """Agno by its runs: `run` and `arun`, `stream` and `astream` with all their events. Its options
    are those of the agent, and of the client (`max_retries`, `timeout`)."""

    name = "agno"
    package = "agno"
    needs = ">=2.3"
    quiet = {"AGNO_TELEMETRY": "false"}
    limits = {"retries": Limit("retries", 0)}
    meets = {
        "raised": "told",
        "soft": "told",
        "cancelled": "ended",
        "invalid": "told",
        "unknown": "told",
    }
    sessions = typed = pauses_for = True

    @property
    def entrypoints(self) -> Mapping[str, Callable[[Setup], Any]]:
        """Every way to run an agent."""
        return {
            "run": self._run,
            "arun": self._arun,
            "stream": self._stream,
            "astream": self._astream,
        }

    def warm(self) -> None:
        """Agno prints what it logs of each failure; in a thousand runs nobody reads it."""
        for handler in logging.getLogger("agno").handlers:
            handler.setLevel(logging.CRITICAL + 1)

    def tool(self, bridge: Bridge) -> Function:
        """A function as a tool, which is told of its call."""
        return tool_of(bridge)

    def model(self, world: World, *, agent: str | None = None, **options: Any) -> OpenAIChat:
        """Agno's model for OpenAI, with the world's clients; `options` are theirs."""
        return model_of(world, **options)

    def ended(self, result: Any) -> Ended | None:
        """A run ends with its status; a stream that failed, with an event that says so."""
        if isinstance(result, BaseException):
            return None
        if not isinstance(result, RunOutput):
            return Ended(result.content, "error")
        status = str(getattr(result.status, "value", result.status)).upper()
        return Ended(result.content, _WHY.get(status, "completed"))

    def soft(self, error: Exception) -> BaseException:
        """A tool asks the model for another try."""
        found: BaseException = RetryAgentRun(str(error))
        return found

    def session(self, world: World) -> WorldDb:
        """Agno's database in memory."""
        return WorldDb(world)

    def pauses(self, result: Any) -> tuple[Pause, ...]:
        """The calls that need a confirmation."""
        if not isinstance(result, RunOutput) or not result.is_paused:
            return ()
        return tuple(
            Pause(one.tool_execution.tool_call_id, one.tool_execution.tool_name, one)
            for one in result.requirements or ()
            if one.needs_confirmation
        )

    def _run(self, setup: Setup) -> Any:
        agent, words = made(self, setup)
        return agent.continue_run(**words) if setup.paused else agent.run(**words)

    async def _arun(self, setup: Setup) -> Any:
        agent, words = made(self, setup)
        return await (agent.acontinue_run(**words) if setup.paused else agent.arun(**words))

    def _stream(self, setup: Setup) -> Any:
        agent, words = made(self, setup, stream=True, stream_events=True, yield_run_output=True)
        return list(agent.continue_run(**words) if setup.paused else agent.run(**words))[-1]

    async def _astream(self, setup: Setup) -> Any:
        agent, words = made(self, setup, stream=True, stream_events=True, yield_run_output=True)
        events = agent.acontinue_run(**words) if setup.paused else agent.arun(**words)
        return [event async for event in events][-1]
