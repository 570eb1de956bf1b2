"""LlamaIndex's memory; what is put into it is a save of the world.

Law: what is kept, and how much of it is shown, is the framework's. Called by the llama_index
adapter.
"""

from typing import Any

from llama_index.core.memory import ChatMemoryBuffer
from pydantic import PrivateAttr

from agentfuzz.world.world import World


class WorldMemory(ChatMemoryBuffer):
    """The memory of a conversation, in this leg of a run (`goes_on`)."""

    _world: World = PrivateAttr()

    def goes_on(self, world: World) -> None:
        """It goes on in this leg."""
        self._world = world

    async def aput(self, message: Any) -> None:
        """Put one message. The process may die before, or right after."""
        with self._world.saving("memory"):
            await super().aput(message)

    async def aput_messages(self, messages: Any) -> None:
        """The same of several."""
        with self._world.saving("memory"):
            self.put_messages(messages)
