"""A session of the OpenAI Agents SDK whose writes the process may die before, or right after.

Law: the session is the SDK's own, or anybody's that keeps its protocol; all is asked of it as it
is. Called by agents under test, and by the adapter's loops.
"""

from typing import Any

from agentfuzz.adapters.contract import Saved
from agentfuzz.world.world import World

_SAVES = dict.fromkeys(("add_items", "pop_item", "clear_session"), "session")


def session(world: World, session: Any) -> Any:
    """A session of the SDK, each of whose writes is a save of this world."""
    return Saved(world, session, _SAVES)
