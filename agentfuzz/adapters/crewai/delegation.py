"""CrewAI's delegation, whose tasks and questions for coworkers are handoffs of a world.

Law: the tools, whom they find and what a coworker makes of a task are the framework's; only what a
fault of the plan says becomes of what was delegated differs. A coworker is called, so a handoff may
get lost, arrive twice, late or at another coworker. Called by the crewai adapter, and by agents
under test:

    clerk = Agent(role="clerk", llm=model(world, agent="clerk"), allow_delegation=True, ...)
    crew = adapters.crewai.crew(world, agents=[clerk, billing], tasks=[task])
    return adapters.crewai.outcome(crew.kickoff())
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crewai import Crew
from crewai.tools import BaseTool
from crewai.tools.agent_tools.base_agent_tools import BaseAgentTool
from pydantic import BaseModel, PrivateAttr

from agentfuzz.world.acting import named
from agentfuzz.world.team.called import handoff_of
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.world import World


def crew(world: World, **options: Any) -> Crew:
    """The framework's Crew, with its options; the roles of its agents are the names of agents of
    the world."""
    made = WorldCrew(**options)
    made._world = world
    for agent in made.agents:
        world.acting(agent.role)  # a wrong name says so now
    return made


class Delegated(BaseModel):
    """What a coworker is given: the task, or the question, and its context."""

    task: str
    context: str | None = None


class WorldCrew(Crew):
    """A crew in which what an agent delegates crosses the world."""

    _world: Any = PrivateAttr(default=None)

    def _inject_delegation_tools(
        self, tools: list[BaseTool], task_agent: Any, agents: Sequence[Any]
    ) -> list[BaseTool]:
        """The framework's tools, each with the world between it and the coworkers."""
        given = super()._inject_delegation_tools(tools, task_agent, agents)
        return [
            _crossing(self._world, tool, task_agent.role)
            if isinstance(tool, BaseAgentTool) and self._world is not None
            else tool
            for tool in given
        ]


def _crossing(world: World, tool: BaseAgentTool, sender: str) -> BaseAgentTool:
    """A tool of the framework whose `_execute` hands over by the world."""
    execute: Callable[..., str] = type(tool)._execute.__get__(tool)
    team = team_of(world)
    roles = {tool.sanitize_agent_name(agent.role): agent.role for agent in tool.agents}

    def works(role: str) -> Callable[[Any], str]:
        def begun(given: Any) -> str:
            said = Delegated.model_validate(given, from_attributes=True)
            loop = asyncio._get_running_loop()
            asyncio._set_running_loop(None)  # the framework works in a thread, also late
            try:
                return execute(role, said.task, said.context)
            finally:
                asyncio._set_running_loop(loop)

        return handoff_of(team, begun, role)  # type: ignore[no-any-return]

    coworkers: Mapping[str, Callable[[Any], str]] = {role: works(role) for role in roles.values()}

    def handed(agent_name: str | None, task: str, context: str | None = None) -> str:
        role = roles.get(tool.sanitize_agent_name(agent_name or ""))
        if role is None:  # the framework says that there is nobody of this name
            return execute(agent_name, task, context)
        team_of(world, crossing=True)
        with named(sender):
            return coworkers[role](Delegated(task=task, context=context))

    object.__setattr__(tool, "_execute", handed)
    return tool
