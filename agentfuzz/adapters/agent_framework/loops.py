"""The ways to run an agent of the framework, and several in a handoff workflow.

Law: agent and workflow are the framework's, with its defaults. Called by the agent_framework
adapter.
"""

from typing import Any

from agent_framework import Agent, AgentResponse, Message

from agentfuzz.adapters.agent_framework.model import CALLS, model_of
from agentfuzz.adapters.agent_framework.session import Session, WorldCheckpoints, WorldHistory
from agentfuzz.adapters.contract import CLIENT, Adapter, Setup, taken
from agentfuzz.core.completion import Completion


async def run(adapter: Adapter, setup: Setup, *, chat: bool = False, stream: bool = False) -> Any:
    """`Agent.run`, streamed or not, or that of a workflow."""
    if setup.agents:
        return await _workflow(adapter, setup, chat, stream)
    words: dict[str, Any] = {"session": setup.session and setup.session.agent}
    if setup.typed:
        words["options"] = {"response_format": Completion}
    said: Any = setup.world.task
    if setup.paused is not None:
        decided = [
            pause.handle.to_function_approval_response(setup.decisions[pause.call])
            for pause in adapter.pauses(setup.paused)
        ]
        said = [Message("user", decided)]
    agent = _agent(adapter, setup, None, chat)
    if not stream:
        return await agent.run(said, **words)
    return await agent.run(said, stream=True, **words).get_final_response()


async def _workflow(adapter: Adapter, setup: Setup, chat: bool, stream: bool) -> Any:
    from agent_framework.orchestrations import HandoffAgentUserRequest, HandoffBuilder

    members = [_agent(adapter, setup, name, chat) for name in setup.agents]
    kept: Session = setup.session or Session()
    storage = WorldCheckpoints(setup.world, kept)
    builder = HandoffBuilder(name="desk", participants=members, checkpoint_storage=storage)
    workflow = builder.with_start_agent(members[0]).build()
    words: dict[str, Any] = {"message": setup.world.task}
    if kept.waits:
        answer = HandoffAgentUserRequest.create_response(setup.world.task)
        words = {"responses": dict.fromkeys(kept.waits, answer), "checkpoint_id": kept.last}
    if stream:
        events = workflow.run(stream=True, **words)
        async for _ in events:
            pass
        result = await events.get_final_response()
    else:
        result = await workflow.run(**words)
    asks = result.get_request_info_events()
    kept.waits = [event.request_id for event in asks]
    told = [one.data for one in asks if isinstance(one.data, HandoffAgentUserRequest)]
    return told[-1].agent_response if told else AgentResponse(messages=[])


def _agent(adapter: Adapter, setup: Setup, agent: str | None, chat: bool) -> Any:
    own = dict(setup.options)
    client = taken(own, (*CLIENT, *CALLS))
    tools = adapter.offered(setup, agent)
    for tool in tools:
        if tool.name in setup.approvals:
            tool.approval_mode = "always_require"
    kept = [WorldHistory(setup.world)] if setup.session is not None else []
    if agent is not None:
        own = {"require_per_service_call_history_persistence": True, **own}
    stored = {} if chat else {"store": False}  # the history is the application's own, by either API
    return Agent(
        client=model_of(setup.world, agent, chat, client),
        name=agent or "assistant",
        tools=tools,
        **{"context_providers": kept, "default_options": stored, **own},
    )
