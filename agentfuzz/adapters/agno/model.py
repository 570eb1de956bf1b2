"""Agno's model for OpenAI, whose clients ask the world.

Law: requests and errors are Agno's, retries its client's. Called by the agno adapter.
"""

from typing import Any

from agno.models.openai import OpenAIChat

from agentfuzz.wire import async_openai_client, openai_client
from agentfuzz.world.world import World


def model_of(world: World, **options: Any) -> OpenAIChat:
    """A model; `options` are its clients'."""
    return OpenAIChat(
        id="gpt-4.1",
        client=openai_client(world, **options),
        async_client=async_openai_client(world, **options),
    )
