"""ADK's runner: what it is made of, and what its run begins with.

Law: runner and agents are ADK's, with its defaults. Called by the google_adk adapter.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.events.event import Event
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.genai import types

from agentfuzz.adapters.contract import Adapter, Pause, Setup, taken
from agentfuzz.adapters.google_adk.session import WorldSessions
from agentfuzz.core.completion import Completion

CONFIRM = "adk_request_confirmation"
APP = {"app_name": "agentfuzz"}
WHO = {"user_id": "user", "session_id": "session"}


async def run(adapter: Adapter, setup: Setup) -> list[Event]:
    """`Runner.run_async`."""
    runner, words = _made(adapter, setup)
    await session_of(runner)
    return [event async for event in runner.run_async(**words)]


async def stream(adapter: Adapter, setup: Setup) -> list[Event]:
    """The same, with replies that are streamed."""
    runner, words = _made(adapter, setup, streaming_mode=StreamingMode.SSE)
    await session_of(runner)
    return [event async for event in runner.run_async(**words)]


def sync(adapter: Adapter, setup: Setup) -> list[Event]:
    """`Runner.run`."""
    runner, words = _made(adapter, setup)
    asyncio.run(session_of(runner))
    return list(runner.run(**words))


def _made(adapter: Adapter, setup: Setup, **more: Any) -> tuple[Runner, dict[str, Any]]:
    """The runner of a setup, and the words for its run."""
    options = {**setup.options, **more}
    config, own = taken(options, RunConfig.model_fields), taken(options, LlmAgent.model_fields)
    sessions = setup.session or InMemorySessionService()
    if isinstance(sessions, WorldSessions):
        sessions.world = setup.world
    agent = _agent(adapter, setup, own)
    runner = Runner(**APP, agent=agent, session_service=sessions, **options)
    return runner, {
        **WHO,
        "new_message": _message(setup, adapter.pauses(setup.paused or ())),
        "run_config": RunConfig(**config),
    }


def _agent(adapter: Adapter, setup: Setup, options: Mapping[str, Any]) -> LlmAgent:
    def made(agent: str | None, **more: Any) -> LlmAgent:
        return LlmAgent(
            name=agent or "assistant",
            model=adapter.model(setup.world, agent=agent),
            tools=[tool.waiting(setup.approvals) for tool in adapter.offered(setup, agent)],
            **({"output_schema": Completion} if setup.typed else {}),
            **options,
            **more,
        )

    first, *others = setup.agents or (None,)
    return made(first, sub_agents=[made(other) for other in others])


async def session_of(runner: Runner) -> None:
    """The session of the conversation, new or as it was left."""
    if await runner.session_service.get_session(**APP, **WHO) is None:
        await runner.session_service.create_session(**APP, **WHO)


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
