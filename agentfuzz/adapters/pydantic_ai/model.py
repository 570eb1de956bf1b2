"""Pydantic AI's own models of the providers, with the world behind their clients.

Law: the classes are Pydantic AI's, the clients the providers'. A provider's is imported when its
model is made. Called by the pydantic_ai adapter.
"""

from collections.abc import Callable
from typing import Any

from agentfuzz.adapters.contract import taken
from agentfuzz.core.errors import AgentfuzzError
from agentfuzz.wire import async_anthropic_client, async_openai_client
from agentfuzz.world.world import World

APIS = ("chat", "responses", "anthropic")
MODEL = ("profile", "settings")  # the words of a model, beside those of its client


def model_of(world: World, api: str, options: dict[str, Any]) -> Any:
    """The model of an API; `options` are its own, or its client's."""
    own = taken(options, MODEL)
    kind, provider = kind_of(api)
    if api == "anthropic":
        given = provider(anthropic_client=async_anthropic_client(world, **options))
        return kind("claude-sonnet-4-6", provider=given, **own)
    given = provider(openai_client=async_openai_client(world, **options))
    return kind("gpt-4.1", provider=given, **own)


def kind_of(api: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The classes of an API's model and of its provider. Raises AgentfuzzError for another one."""
    if api == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel, AnthropicProvider
    if api not in APIS:
        raise AgentfuzzError(f"pydantic_ai.model(api={api!r}): there is {', '.join(APIS)}.")
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel if api == "chat" else OpenAIResponsesModel, OpenAIProvider


def call_id(given: str) -> str:
    """The model's id of a call: old releases add that of a Responses item to it."""
    return given.partition("|")[0]
