"""The framework's own clients for OpenAI, with the world behind their HTTP client.

Law: all above the HTTP client is the framework's, or OpenAI's. Called by the agent_framework
adapter.
"""

from typing import Any

from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient

from agentfuzz.adapters.agent_framework.handoffs import crossing
from agentfuzz.adapters.contract import CLIENT, taken
from agentfuzz.adapters.contract.hands import hands_of
from agentfuzz.wire.client import async_openai_client
from agentfuzz.world.world import World

CALLS = (  # the words of its function invocation
    "max_iterations",
    "max_function_calls",
    "max_duration_seconds",
    "max_consecutive_errors_per_request",
    "terminate_on_unknown_calls",
    "include_detailed_errors",
    "allow_concurrent_invocation",
)


def model_of(world: World, agent: str | None, chat: bool, options: dict[str, Any]) -> Any:
    """The client of an API, asked by this agent; `options` are its own, or of its calls."""
    kind: Any = OpenAIChatCompletionClient if chat else OpenAIChatClient
    client = async_openai_client(world, **taken(options, CLIENT))
    return kind(
        model="agentfuzz",
        async_client=client.with_options(http_client=hands_of(world, agent)),
        function_invocation_configuration=options or None,
        middleware=crossing(world, agent) if agent is not None else None,
    )
