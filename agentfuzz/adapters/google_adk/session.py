"""ADK's sessions, whose writes the process may die before, or right after.

Law: what is written is ADK's. Called by the google_adk adapter.
"""

from google.adk.sessions import InMemorySessionService

from agentfuzz.adapters.contract import saves
from agentfuzz.world.world import World


class WorldSessions(InMemorySessionService):
    """ADK's sessions in memory; to append an event is a save of the world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    append_event = saves("session", InMemorySessionService.append_event)
