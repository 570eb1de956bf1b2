"""The framework's history and checkpoints, in memory, in a world.

Law: what is written is the framework's; each write is a save of the world. Called by the
agent_framework adapter.
"""

from typing import Any

from agent_framework import AgentSession, InMemoryCheckpointStorage, InMemoryHistoryProvider

from agentfuzz.adapters.contract import saves
from agentfuzz.world.world import World


class Session:
    """A conversation, and the last checkpoint of a workflow with what it waits for."""

    def __init__(self) -> None:
        self.agent = AgentSession(session_id="session")
        self.storage = InMemoryCheckpointStorage()
        self.last: str | None = None
        self.waits: list[str] = []


class WorldHistory(InMemoryHistoryProvider):
    """The framework's history in memory, in a world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    save_messages = saves("history", InMemoryHistoryProvider.save_messages)


class WorldCheckpoints:
    """The framework's checkpoints in memory, in a world."""

    def __init__(self, world: World, kept: Session) -> None:
        self._world, self._kept = world, kept

    async def save(self, checkpoint: Any) -> Any:
        """Keep one."""
        with self._world.saving("checkpoint"):
            self._kept.last = await self._kept.storage.save(checkpoint)
        return self._kept.last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept.storage, name)
