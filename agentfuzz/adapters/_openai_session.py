"""A session of the OpenAI Agents SDK whose writes the process may die before, or right after.

Law: the session is the SDK's own, or anybody's that keeps its protocol; all is asked of it as it
is, and what it has written survives a crash because the session does (a file, a database, or an
object that the scenario keeps in `world.state`). Called by the openai_agents adapter.
"""

from typing import Any

from agentfuzz.world.world import World

SAVED = "session"


class Saved:
    """A session in a world."""

    def __init__(self, world: World, session: Any) -> None:
        self._world = world
        self._session = session

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """What has been said."""
        found: list[Any] = await self._session.get_items(limit)
        return found

    async def add_items(self, items: list[Any]) -> None:
        """Write what has been said."""
        with self._world.saving(SAVED):
            await self._session.add_items(items)

    async def pop_item(self) -> Any:
        """Take the last item back."""
        with self._world.saving(SAVED):
            return await self._session.pop_item()

    async def clear_session(self) -> None:
        """Forget everything."""
        with self._world.saving(SAVED):
            await self._session.clear_session()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
