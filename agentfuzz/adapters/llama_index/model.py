"""LlamaIndex's model for what speaks as OpenAI does, with the world's clients.

Law: requests, retries and errors are the framework's; whoever a model belongs to acts while it is
asked. Called by the llama_index adapter.
"""

from typing import Any

from llama_index.llms.openai_like import OpenAILike

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.adapters.llama_index.runs import forget
from agentfuzz.wire import async_http_client, http_client
from agentfuzz.wire.client import HOST
from agentfuzz.world.world import World


def model_of(world: World, agent: str | None, options: Any, kind: Any = OpenAILike) -> OpenAILike:
    """A model of this kind, asked by this agent; `options` are its own."""
    forget(world)
    client = async_http_client(world, "httpx")
    acting, send = performing(world, agent), client.send

    async def sent(*args: Any, **kwargs: Any) -> Any:
        with acting():
            return await send(*args, **kwargs)

    client.send = sent
    made: OpenAILike = kind(
        model="gpt-4.1",
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=1_000_000,
        api_key="agentfuzz",
        api_base=f"{HOST}/v1",
        http_client=http_client(world, "httpx"),
        async_http_client=client,
        **options,
    )
    return made
