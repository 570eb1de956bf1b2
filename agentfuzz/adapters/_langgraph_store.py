"""A LangGraph checkpointer whose writes the process may die before, or right after.

Law: the saver is the framework's own, and everything but the two writes is asked of it as it is;
what it has written survives the crash because the saver does (a file, a database, or an object
that the scenario keeps in `world.state`). A saver with a thread of its own (AsyncSqliteSaver) wants
a process of its own, `in_child`: that thread dies with nothing else. Called by the langgraph
adapter.
"""

from collections.abc import Sequence
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from agentfuzz.world.world import World

CHECKPOINT, WRITES = "checkpoint", "writes"  # of a super-step; of one task within it


class WorldSaver(BaseCheckpointSaver[Any]):
    """A checkpointer of any kind, sync or async, in a world."""

    def __init__(self, world: World, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(serde=saver.serde)
        self._world = world
        self._saver = saver

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        """Write a checkpoint."""
        with self._world.saving(CHECKPOINT):
            return self._saver.put(config, checkpoint, metadata, new_versions)

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        """The same for async graphs."""
        with self._world.saving(CHECKPOINT):
            return await self._saver.aput(config, checkpoint, metadata, new_versions)

    def put_writes(
        self, config: Any, writes: Sequence[Any], task_id: str, task_path: str = ""
    ) -> None:
        """Write what one task of a step has come to."""
        with self._world.saving(WRITES):
            self._saver.put_writes(config, writes, task_id, task_path)

    async def aput_writes(
        self, config: Any, writes: Sequence[Any], task_id: str, task_path: str = ""
    ) -> None:
        """The same for async graphs."""
        with self._world.saving(WRITES):
            await self._saver.aput_writes(config, writes, task_id, task_path)

    def with_allowlist(self, extra_allowlist: Any) -> Any:
        """The same around what the saver makes of it."""
        return WorldSaver(self._world, self._saver.with_allowlist(extra_allowlist))


def _asked(name: str) -> property:
    return property(lambda self: getattr(self._saver, name))


for _name in [one for one in vars(BaseCheckpointSaver) if not one.startswith("_")]:
    if _name not in vars(WorldSaver) and _name != "serde":
        setattr(WorldSaver, _name, _asked(_name))
