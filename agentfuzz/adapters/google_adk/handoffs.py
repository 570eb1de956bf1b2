"""ADK's transfers between agents of its tree, as handoffs of a world.

Law: the tool by which a model transfers, whom it may name, and how control passes are ADK's; only
what a fault of the plan says becomes of a transfer differs. It arrives when ADK begins the agent,
so one that ADK drops arrives nowhere; one to a workflow agent arrives at the first of its agents.
Called by the models of agents that have names in the world; whoever else is transferred to is
nobody whom the world knows, and nothing crosses it.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

from google.adk.agents import LoopAgent, ParallelAgent, SequentialAgent

from agentfuzz.adapters.contract.retold import retold
from agentfuzz.adapters.google_adk.told import retell, said_before
from agentfuzz.world.acting import named
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import begins, is_lost_aio, leaves, under_way
from agentfuzz.world.world import World

TOOL = "transfer_to_agent"
WORKFLOWS = (SequentialAgent, LoopAgent, ParallelAgent)


def asks(world: World, agent: str, request: Any) -> None:
    """This agent's model is asked: what was handed to it arrives, and the transfers that it may ask
    for cross the world."""
    begins(team_of(world), agent)
    tool = request.tools_dict.get(TOOL)
    if tool is not None and not isinstance(tool.run_async, partial):
        tool.run_async = partial(_transfers, world, agent, _offered(request), tool.run_async)


async def _transfers(
    world: World, agent: str, offered: Collection[str], run: Any, *, args: Any, tool_context: Any
) -> Any:
    """The tool of ADK, which is told another agent where the transfer goes astray. Raises
    TimeoutError where it is lost, as a tool of ADK does."""
    names = _names(tool_context, {*offered, args.get("agent_name")})
    to = names.get(args.get("agent_name"))
    if to is None:
        return await run(args=args, tool_context=tool_context)
    others = {names[name]: name for name in offered if name in names}
    call, session = tool_context.function_call_id, tool_context.session
    sent = Sent({"task": world.task, "conversation": said_before(session, call)}, None)
    with named(agent):
        crossed = leaves(team_of(world, crossing=True), to, sent, "told", tuple(others), retold)
        await is_lost_aio(crossed)
    if crossed.arrives is not sent.json:
        retell(session, call, sent.json, crossed.arrives)
    given = {**args, "agent_name": others.get(under_way(crossed), args["agent_name"])}
    return await run(args=given, tool_context=tool_context)


def _offered(request: Any) -> tuple[str, ...]:
    """Whom the model is told that it may name, as far as its release of ADK lists them."""
    for tool in request.config.tools or ():
        for one in getattr(tool, "function_declarations", None) or ():
            if one.name == TOOL:
                return _enum(one)
    return ()


def _enum(declared: Any) -> tuple[str, ...]:
    if declared.parameters is not None:
        return tuple(declared.parameters.properties["agent_name"].enum or ())
    listed = (declared.parameters_json_schema or {}).get("properties", {})
    return tuple(listed.get("agent_name", {}).get("enum", ()))


def _names(context: Any, members: Collection[Any]) -> dict[str, str]:
    """The names in the world of those of its agents whose models are of it."""
    root = context._invocation_context.agent.root_agent
    found = {name: root.find_agent(name) for name in members if isinstance(name, str)}
    acting = {name: getattr(_model(one), "acts_as", None) for name, one in found.items()}
    return {name: known for name, known in acting.items() if known}


def _model(agent: Any) -> Any:
    """The model of an agent, or of the one with which a workflow begins."""
    while isinstance(agent, WORKFLOWS) and agent.sub_agents:
        agent = agent.sub_agents[0]
    return getattr(agent, "canonical_model", None)
