"""AutoGen's client for what speaks as OpenAI does, with the world's hands.

Law: requests, retries and errors are the client's own. Called by the autogen adapter.
"""

from typing import Any

from autogen_ext.models.openai import OpenAIChatCompletionClient

from agentfuzz.adapters.contract.hands import hands_of
from agentfuzz.wire.client import HOST
from agentfuzz.world.world import World

_INFO = {
    "function_calling": True,
    "vision": False,
    "json_output": True,
    "structured_output": True,
    "family": "unknown",
}


def client_of(world: World, agent: str | None, options: Any) -> Any:
    """A client, asked by this agent; `options` are its own."""
    return OpenAIChatCompletionClient(
        model="agentfuzz",
        api_key="agentfuzz",
        base_url=f"{HOST}/v1",
        http_client=hands_of(world, agent),
        model_info=_INFO,
        **options,
    )
