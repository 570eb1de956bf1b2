"""LangChain's own chat models for OpenAI and Anthropic, with the world behind their clients.

Law: all above the client is LangChain's; the client is the provider's own, so its retries happen as
they do in production. A package is imported when its model is made. Called by the langgraph
adapter.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from agentfuzz import wire
from agentfuzz.world.world import World

APIS = {
    "chat": "langchain-openai",
    "responses": "langchain-openai",
    "anthropic": "langchain-anthropic",
}


def installed(package: str) -> bool:
    """Whether a distribution of LangChain's is there, of its first stable release or later."""
    try:
        return int(version(package).partition(".")[0]) >= 1
    except PackageNotFoundError:
        return False


def apis() -> list[str]:
    """Those whose package is there."""
    return [api for api, package in APIS.items() if installed(package)]


def kind_of(api: str) -> Any:
    """The class of LangChain's model for this API."""
    if api == "anthropic":
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic
    from langchain_openai import ChatOpenAI

    return ChatOpenAI


def chat_model(world: World, api: str, client: dict[str, Any]) -> Any:
    """`ChatOpenAI` (for `chat` or `responses`) or `ChatAnthropic`, whose client has these words."""
    if api == "anthropic":
        model = kind_of(api)(model="agentfuzz", api_key="agentfuzz", max_tokens=1000)
        vars(model)["_client"] = wire.anthropic_client(world, **client)
        vars(model)["_async_client"] = wire.async_anthropic_client(world, **client)
        return model
    sync, other = wire.openai_client(world, **client), wire.async_openai_client(world, **client)
    return kind_of(api)(
        model="agentfuzz",
        api_key="agentfuzz",
        use_responses_api=api == "responses",
        root_client=sync,
        client=sync.chat.completions,
        root_async_client=other,
        async_client=other.chat.completions,
    )
