"""A LangGraph checkpointer whose writes the process may die before, or right after.

Law: the saver is the framework's own, and everything but the two writes is asked of it as it is;
what it has written survives the crash because the saver does (a file, a database, or an object
that the scenario keeps in `world.state`). A saver with a thread of its own (AsyncSqliteSaver) wants
a process of its own, `in_child`: that thread dies with nothing else. Called by agents under test,
and by the adapter's loops.
"""

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from agentfuzz.adapters.contract import Saved
from agentfuzz.adapters.langgraph import tracing
from agentfuzz.world.world import World

_SAVES = {  # of a super-step; of one task within it
    **dict.fromkeys(("put", "aput"), "checkpoint"),
    **dict.fromkeys(("put_writes", "aput_writes"), "writes"),
}


def checkpointer(world: World, saver: BaseCheckpointSaver[Any]) -> BaseCheckpointSaver[Any]:
    """A checkpointer of LangGraph's, sync or async, in this world: each `put` is a save
    `checkpoint` of the process, each `put_writes` a save `writes`."""
    tracing.switch_off()
    return WorldSaver(world, saver)


class WorldSaver(BaseCheckpointSaver[Any]):
    """A checkpointer of any kind, sync or async, in a world."""

    def __init__(self, world: World, saver: BaseCheckpointSaver[Any]) -> None:
        super().__init__(serde=saver.serde)
        self._world, self._saver = world, saver
        self._kept = Saved(world, saver, _SAVES)

    def with_allowlist(self, extra_allowlist: Any) -> Any:
        """The same around what the saver makes of it."""
        return WorldSaver(self._world, self._saver.with_allowlist(extra_allowlist))


def _asked(name: str) -> property:
    return property(lambda self: getattr(self._kept, name))


for _name in [one for one in vars(BaseCheckpointSaver) if not one.startswith("_")]:
    if _name not in vars(WorldSaver) and _name != "serde":
        setattr(WorldSaver, _name, _asked(_name))
