"""The memory of smolagents' agents, in which each step is a save of the world.

Law: what is kept is what the framework puts there. Called by the smolagents adapter.
"""

from typing import Any

from smolagents.memory import AgentMemory

from agentfuzz.world.world import World


class Memory(AgentMemory):
    """The memory of an agent, in which each step is a save of the world."""

    def __init__(self, world: World) -> None:
        super().__init__("")
        self.steps = _Steps()
        self.goes_on(world)

    def goes_on(self, world: World) -> None:
        """It goes on in this leg."""
        self.steps.world = world


class _Steps(list[Any]):
    world: World

    def append(self, step: Any) -> None:
        with self.world.saving("memory"):
            super().append(step)
