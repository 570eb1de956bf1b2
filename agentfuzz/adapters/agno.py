"""Agno: a world's tools and model as its own, and its agent's runs.

Law: the loop, its retries and its pauses are Agno's own; the model is its OpenAIChat over a client
of the world's wire. Called by agents under test:

    agent = Agent(
        model=adapters.agno.model(world),
        tools=adapters.agno.tools(world),
        telemetry=False,
    )
    return adapters.agno.outcome(agent.run(world.task))

What else the model is given is the client's (`max_retries=0`). `tool_call_limit` is no limit of the
run: calls beyond it are answered with an error, and the run goes on.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.exceptions import RetryAgentRun
from agno.models.openai import OpenAIChat
from agno.run.agent import RunOutput
from agno.tools.function import Function

from agentfuzz.adapters.contract import Adapter, Bridge, Ended, Limit, Pause, Setup
from agentfuzz.adapters.contract.adapter import Why
from agentfuzz.core.completion import Completion
from agentfuzz.wire import async_openai_client, openai_client
from agentfuzz.world.world import World

_CLIENT = ("max_retries", "timeout")  # the words of the client
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
    sessions = True
    typed = True
    pauses_for = True

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

        def call(fc: Any, **arguments: Any) -> str:
            return bridge.call(arguments, fc.call_id)

        async def acall(fc: Any, **arguments: Any) -> str:
            return await bridge.acall(arguments, fc.call_id)

        return Function(
            name=bridge.name,
            description=bridge.description,
            parameters=bridge.schema,
            entrypoint=acall if bridge.is_async else call,
            skip_entrypoint_processing=True,
        )

    def model(self, world: World, *, agent: str | None = None, **options: Any) -> OpenAIChat:
        """Agno's model for OpenAI, with the world's clients; `options` are theirs."""
        return OpenAIChat(
            id="gpt-4.1",
            client=openai_client(world, **options),
            async_client=async_openai_client(world, **options),
        )

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

    def session(self, world: World) -> "WorldDb":
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

    # The entrypoints ----------------------------------------------------------------------

    def _run(self, setup: Setup) -> Any:
        agent, words = self._made(setup)
        return agent.continue_run(**words) if setup.paused else agent.run(**words)

    async def _arun(self, setup: Setup) -> Any:
        agent, words = self._made(setup)
        return await (agent.acontinue_run(**words) if setup.paused else agent.arun(**words))

    def _stream(self, setup: Setup) -> Any:
        agent, words = self._made(setup, stream=True, stream_events=True, yield_run_output=True)
        return list(agent.continue_run(**words) if setup.paused else agent.run(**words))[-1]

    async def _astream(self, setup: Setup) -> Any:
        agent, words = self._made(setup, stream=True, stream_events=True, yield_run_output=True)
        events = agent.acontinue_run(**words) if setup.paused else agent.arun(**words)
        return [event async for event in events][-1]

    def _made(self, setup: Setup, **words: Any) -> tuple[Agent, dict[str, Any]]:
        """The agent of a setup, and the words for its run."""
        options = dict(setup.options)
        client = {name: options.pop(name) for name in _CLIENT if name in options}
        tools = self.offered(setup)
        for tool in tools:
            tool.requires_confirmation = tool.name in setup.approvals or None
        if setup.session is not None:
            setup.session.world = setup.world
            options = {"db": setup.session, "add_history_to_context": True, **options}
        if setup.typed:
            options = {"output_schema": Completion, **options}
        agent = Agent(
            model=self.model(setup.world, **client),
            tools=tools,
            session_id="session",
            telemetry=False,
            **options,
        )
        if not setup.paused:
            return agent, {"input": setup.world.task, **words}
        for pause in self.pauses(setup.paused):
            granted = setup.decisions[pause.call]
            pause.handle.confirm() if granted else pause.handle.reject()
        asked = {"run_response": setup.paused, "requirements": setup.paused.requirements}
        return agent, {**asked, **words}


class WorldDb(InMemoryDb):
    """Agno's database in memory; each session, and each run, that is written is a save of the
    world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def upsert_session(self, *args: Any, **kwargs: Any) -> Any:
        """Write a session. The process may die before, or right after."""
        with self.world.saving("session"):
            return super().upsert_session(*args, **kwargs)

    def upsert_run(self, *args: Any, **kwargs: Any) -> Any:
        """The same of one run: newer releases write it by itself."""
        with self.world.saving("run"):
            return super().upsert_run(*args, **kwargs)


ADAPTER = Agno()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
