"""LlamaIndex's AgentWorkflow, whose handoffs are handoffs of a world.

Law: who may hand over, with which tool, and what the next agent is told of it is the framework's;
only what a fault of the plan says becomes of a handoff differs. It arrives when the workflow goes
on with the agent, so one that the workflow drops arrives nowhere. Called by the llama_index
adapter, and by agents under test:

    team = adapters.llama_index.workflow(world, [triage, billing], root_agent="triage")
    return adapters.llama_index.outcome(await team.run(user_msg=world.task))
"""

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.tools import AsyncBaseTool, FunctionTool
from llama_index.core.workflow import Context

from agentfuzz.world.acting import named
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import begins, is_lost_aio, leaves, under_way
from agentfuzz.world.world import World

TOOL = "handoff"


def workflow(world: World, agents: Sequence[Any], **options: Any) -> AgentWorkflow:
    """The framework's AgentWorkflow of these agents, whose names are those of the world; `options`
    are the framework's."""
    for agent in agents:
        world.acting(agent.name)  # a wrong name says so now
    return WorldWorkflow(world, list(agents), **options)


class WorldWorkflow(AgentWorkflow):
    """An AgentWorkflow each of whose handoffs may get lost, go astray or arrive with another
    reason, which is what the next agent is told of it beside what all have said."""

    def __init__(self, world: World, agents: list[Any], **options: Any) -> None:
        super().__init__(agents, **options)
        self._world = world

    async def get_tools(
        self, agent_name: str, input_str: str | None = None
    ) -> Sequence[AsyncBaseTool]:
        """The tools of the agent with which the workflow goes on."""
        begins(team_of(self._world), agent_name)
        tools = await super().get_tools(agent_name, input_str)
        return [
            self._crossing(agent_name, tool) if tool.metadata.name == TOOL else tool
            for tool in tools
        ]

    def _crossing(self, agent: str, tool: Any) -> FunctionTool:
        """The framework's tool, on its way over the world; its model is told of a TimeoutError."""

        async def handoff(ctx: Context, to_agent: str, reason: str) -> str:
            if to_agent in self.agents and to_agent != agent:
                to_agent, reason = await self._crosses(agent, to_agent, reason)
            said: str = await tool.real_fn(ctx=ctx, to_agent=to_agent, reason=reason)
            return said

        return FunctionTool(async_fn=handoff, metadata=tool.metadata)

    async def _crosses(self, agent: str, to: str, reason: str) -> tuple[str, str]:
        allowed = self.agents[agent].can_handoff_to
        among = [name for name in allowed or self.agents if name in self.agents and name != agent]
        if to not in among:  # the framework says so
            return to, reason
        sent = Sent({"reason": reason}, None)
        with named(agent):
            team = team_of(self._world, crossing=True)
            crossed = leaves(team, to, sent, "state", among)
            await is_lost_aio(crossed)
        said = crossed.arrives if isinstance(crossed.arrives, Mapping) else {}
        return under_way(crossed), str(said.get("reason", ""))
