"""A model of CrewAI that writes its actions into its text, as those do that have no calls.

Law: one action a turn, of what `world.model` says. Called by the crewai adapter, and by agents
under test.
"""

from typing import Any

from crewai import BaseLLM
from pydantic import PrivateAttr

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.adapters.crewai.text import plain, written
from agentfuzz.providers.offer import Offer
from agentfuzz.world.world import World


def react_model(world: World, *, agent: str | None = None) -> BaseLLM:
    """The world's model as one that writes its actions into its text."""
    made = ReactLLM(model="agentfuzz")
    made._ask, made._acting = world.model, performing(world, agent)
    return made


class Idle(BaseLLM):
    """A model that is done."""

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """One turn."""
        return written({"content": "ok", "tool_calls": ()})

    def supports_function_calling(self) -> bool:
        """It writes text."""
        return False

    def supports_stop_words(self) -> bool:
        """It stops where its turn ends."""
        return False

    def get_context_window_size(self) -> int:
        """Tokens enough for any test."""
        return 1_000_000

    def get_input_tokens_count(self, *args: Any, **kwargs: Any) -> int:
        """None of them, where the framework would warn of its own estimate."""
        return 0


class ReactLLM(Idle):
    """A model that asks `world.model`, one action at a time."""

    _ask: Any = PrivateAttr(default=None)
    _acting: Any = PrivateAttr(default=None)

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """One turn. Raises what the model's API raises."""
        with self._acting():
            return written(self._ask(plain(messages), Offer(most_calls=1)))

    async def acall(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        """The same for an async crew."""
        with self._acting():
            return written(await self._ask.aio(plain(messages), Offer(most_calls=1)))
