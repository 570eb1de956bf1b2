"""Strands' models of two providers, whose clients ask the world.

Law: requests, streams and errors are the framework's own; whoever a model belongs to acts while it
is asked. Called by the strands adapter, and by agents under test.
"""

from collections.abc import AsyncIterator
from inspect import signature
from typing import Any

from strands.models.anthropic import AnthropicModel
from strands.models.openai import OpenAIModel

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.wire import async_anthropic_client, async_openai_client
from agentfuzz.world.world import World


class ChatModel(OpenAIModel):
    """The framework's own for OpenAI, asked by an agent."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        if "client" not in signature(OpenAIModel.__init__).parameters:
            raise AgentfuzzError(
                "strands-agents: before 1.24 its OpenAIModel takes no client; use "
                "adapters.strands.anthropic_model, or the entrypoint anthropic."
            )
        super().__init__(client=async_openai_client(world), model_id="agentfuzz")
        self._acting = performing(world, agent)

    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """One turn."""
        with self._acting():
            async for event in super().stream(*args, **kwargs):
                yield event


class MessagesModel(AnthropicModel):
    """The framework's own for Anthropic, asked by an agent."""

    def __init__(self, world: World, agent: str | None = None) -> None:
        words = {"api_key": "agentfuzz"}
        super().__init__(client_args=words, model_id="agentfuzz", max_tokens=4096)
        self.client = async_anthropic_client(world)
        self._acting = performing(world, agent)

    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """One turn."""
        with self._acting():
            async for event in super().stream(*args, **kwargs):
                yield event


def anthropic_model(world: World, *, agent: str | None = None) -> AnthropicModel:
    """The framework's AnthropicModel, whose client asks the world."""
    return MessagesModel(world, agent)
