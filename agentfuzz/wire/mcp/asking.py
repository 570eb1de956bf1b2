"""What a tool asks the client of the call that it answers: elicitation, sampling, and the like.

Law: a body speaks for the server, in the SDK's own words, and only while somebody waits for its
answer. Set by the answers of the server, called by the bodies of async tools.
"""

from contextvars import ContextVar
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz.wire.mcp.exchange import exchange_of
from agentfuzz.world.world import World, inside

_ANSWERED: ContextVar[Any] = ContextVar("agentfuzz_mcp_request")


def answering(ctx: Any) -> None:
    """From here on, this task answers this request."""
    _ANSWERED.set(ctx)
    exchange = exchange_of(ctx)
    if exchange is not None:
        asks = ctx.session.send_request
        ctx.session.send_request = lambda *given, **more: exchange.idle(asks(*given, **more))


def context(world: World) -> Any:
    """The SDK's context of the request that an async tool, resource or prompt is answering:
    `await wire.mcp.context(world).session.elicit_form(message, schema)` asks its client. Counts as
    one crossing.

    Raises MCPError where nobody waits: the call did not come over MCP, or arrives late.
    """
    inside(world).calls.crossing()
    found = _ANSWERED.get(None)
    if found is None:
        raise MCPError(types.CONNECTION_CLOSED, "no client of MCP waits for this call")
    return found
