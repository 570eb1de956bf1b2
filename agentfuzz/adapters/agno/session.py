"""Agno's database in memory; each session, and each run, that is written is a save of the world.

Law: what is written is what Agno writes. Called by the agno adapter.
"""

from agno.db.in_memory import InMemoryDb

from agentfuzz.adapters.contract import saves
from agentfuzz.world.world import World


class WorldDb(InMemoryDb):
    """The database of a run, in this leg's `world`."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    upsert_session = saves("session", InMemoryDb.upsert_session)
    if hasattr(InMemoryDb, "upsert_run"):  # newer releases write a run by itself
        upsert_run = saves("run", InMemoryDb.upsert_run)
