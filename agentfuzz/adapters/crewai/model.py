"""CrewAI's LLM for OpenAI, whose client asks the world.

Law: requests, retries and errors are the framework's and its client's; whoever a model belongs to
acts while it is asked. Called by the crewai adapter.
"""

from typing import Any

from crewai import LLM, BaseLLM

from agentfuzz.adapters.contract.bridge import performing
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.wire import async_openai_client, openai_client
from agentfuzz.world.world import World


def model_of(world: World, agent: str | None) -> BaseLLM:
    """The framework's own, asked by this agent. Raises AgentfuzzError for what takes no client."""
    made = LLM(model="openai/gpt-4o", api_key="agentfuzz")
    if not hasattr(made, "_async_client"):
        raise AgentfuzzError(
            "crewai: before 1.0 its LLM takes no client; use adapters.crewai.react_model, or "
            "the entrypoint react."
        )
    made._client, made._async_client = openai_client(world), async_openai_client(world)
    acting = performing(world, agent)
    http, aio = made._client._client, made._async_client._client
    send, asend = http.send, aio.send

    def sent(*args: Any, **words: Any) -> Any:
        with acting():
            return send(*args, **words)

    async def asent(*args: Any, **words: Any) -> Any:
        with acting():
            return await asend(*args, **words)

    http.send, aio.send = sent, asent
    return made
