"""Handoffs of the framework's handoff workflow, as handoffs of a world.

Law: the tools by which a model hands over, whom they name, and what the next agent is told are the
framework's; only what a fault of the plan says becomes of a handoff differs. What has been said
goes to all agents anyway, so a handoff carries nothing that could be spoilt. It arrives when the
next agent is begun. Called by the clients of agents that have names in the world.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from agent_framework import ChatMiddleware, FunctionMiddleware

from agentfuzz.world.acting import named
from agentfuzz.world.team.payload import Sent
from agentfuzz.world.team.surface import team_of
from agentfuzz.world.team.transfers import begins, is_lost_aio, leaves, under_way
from agentfuzz.world.world import World

PREFIX = "handoff_to_"


def crossing(world: World, agent: str) -> list[Any]:
    """What the client of an agent is given, before what its users give it."""
    return [Begins(world, agent), Crosses(world, agent)]


class Begins(ChatMiddleware):
    """This agent is asked: what was handed to it arrives."""

    def __init__(self, world: World, agent: str) -> None:
        self._world, self._agent = world, agent

    async def process(self, context: Any, call_next: Callable[[], Awaitable[None]]) -> None:
        """One request."""
        begins(team_of(self._world), self._agent)
        await call_next()


class Crosses(FunctionMiddleware):
    """A call of a tool that hands over: the framework is told of another one where it goes astray.
    Raises TimeoutError where it is lost, as a tool does."""

    def __init__(self, world: World, agent: str) -> None:
        self._world, self._agent = world, agent

    async def process(self, context: Any, call_next: Callable[[], Awaitable[None]]) -> None:
        """One call."""
        tools = self._tools(context)
        to = context.function.name.removeprefix(PREFIX)
        if tools.get(to) is context.function:
            with named(self._agent):
                sent = Sent({"task": self._world.task}, None)
                crossed = leaves(
                    team_of(self._world, crossing=True), to, sent, "told", tuple(tools)
                )
                await is_lost_aio(crossed)
            context.function = tools[under_way(crossed)]
        await call_next()

    def _tools(self, context: Any) -> dict[str, Any]:
        """The tools that hand over to agents of the world, by whom they name."""
        offered = {tool.name: tool for tool in context.tools or () if hasattr(tool, "name")}
        names = {name.removeprefix(PREFIX): name for name in offered if name.startswith(PREFIX)}
        known = team_of(self._world).known
        return {to: offered[name] for to, name in names.items() if to in known}
