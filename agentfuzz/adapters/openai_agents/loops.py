"""The ways into the SDK's runner: what an agent of it is made of, and what its run begins with.

Law: agent and runner are the SDK's, with its defaults. Called by the openai_agents adapter.
"""

import asyncio
from dataclasses import fields
from typing import Any

from agents import Agent, Runner

from agentfuzz.adapters.contract import Adapter, Setup, taken
from agentfuzz.adapters.contract.options import CLIENT
from agentfuzz.adapters.openai_agents.handoffs import handoff
from agentfuzz.adapters.openai_agents.model import model_of
from agentfuzz.adapters.openai_agents.session import session
from agentfuzz.adapters.openai_agents.tools import UNSET, as_tool, set_up
from agentfuzz.core.completion import Completion

_AGENT = [one.name for one in fields(Agent)]


async def run(adapter: Adapter, api: str, setup: Setup) -> Any:
    """`Runner.run`."""
    agent, words = _made(adapter, api, setup)
    return await Runner.run(agent, await _input(setup, agent), **words)


async def stream(adapter: Adapter, api: str, setup: Setup) -> Any:
    """`Runner.run_streamed`, to its last event."""
    agent, words = _made(adapter, api, setup)
    result = Runner.run_streamed(agent, await _input(setup, agent), **words)
    async for _ in result.stream_events():
        pass
    return result


def sync(adapter: Adapter, setup: Setup) -> Any:
    """`Runner.run_sync`."""
    agent, words = _made(adapter, "native", setup)
    given = asyncio.run(_input(setup, agent)) if setup.decisions else setup.world.task
    return Runner.run_sync(agent, given, **words)


def _made(adapter: Adapter, api: str, setup: Setup) -> tuple[Agent[Any], dict[str, Any]]:
    """The agent that begins, and the words for its run."""
    words = dict(setup.options)
    client, own = taken(words, (*CLIENT, "base_url")), taken(words, _AGENT)
    fails = words.pop("failure_error_function", UNSET)
    as_tools = words.pop("as_tools", False)
    typed = {"output_type": Completion} if setup.typed else {}
    made = [
        Agent(
            name=name or "agent",
            model=model_of(setup.world, name, api, client),
            tools=set_up(adapter.offered(setup, name), setup.approvals, fails),
            **{**typed, **own},
        )
        for name in setup.agents or (None,)
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
