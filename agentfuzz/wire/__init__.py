"""The wire: a world's model and tools in the protocols of real clients, for unmodified agents.

    openai_client, async_openai_client          official clients, in process, in virtual time
    anthropic_client, async_anthropic_client
    http_client, async_http_client              plain ones, for frameworks that take one
    everywhere                                  whatever clients this process has, in a block
    serve                                       a real server on loopback, for other processes
    mcp                                         the world's tools as an MCP server

Law: a face speaks and decides nothing; what happens is the world's, and above the transport
everything is the client's own. An SDK is imported when its client is made, never before. Called
by agents under test.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentfuzz.wire.client import (
        anthropic_client,
        async_anthropic_client,
        async_http_client,
        async_openai_client,
        http_client,
        openai_client,
    )
    from agentfuzz.wire.reach.block import everywhere
    from agentfuzz.wire.server import Urls, serve

_PLACES = {
    "client": (
        "anthropic_client",
        "async_anthropic_client",
        "async_http_client",
        "async_openai_client",
        "http_client",
        "openai_client",
    ),
    "reach.block": ("everywhere",),
    "server": ("Urls", "serve"),
}
_HOME = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "Urls",
    "anthropic_client",
    "async_anthropic_client",
    "async_http_client",
    "async_openai_client",
    "everywhere",
    "http_client",
    "openai_client",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"agentfuzz.wire.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name == "mcp":
        import agentfuzz.wire.mcp as found  # `from` would ask this function again

        return found
    raise AttributeError(
        f"module 'agentfuzz.wire' has no {name!r}; there is: {', '.join(__all__)}, mcp"
    )


def __dir__() -> list[str]:
    return __all__
