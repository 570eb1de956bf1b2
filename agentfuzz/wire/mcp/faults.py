"""What becomes of an MCP request when a fault strikes it.

Law: over HTTP its exchange ends as the fault says; a pipe cannot break for one request, so there
the client gets at once what it would make of such an exchange. A timeout is silence, which the
client's own patience ends, or the server's. Asked for every request.
"""

import asyncio
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz.core.errors import CutOff
from agentfuzz.wire.mcp.exchange import ENDINGS, exchange_of
from agentfuzz.world.world import World, inside


def broken(ctx: Any, why: str, *, variant: int = 0) -> MCPError:
    """The connection of this request is lost: before its reply begins, in the middle of a stream of
    events (variant 1), or in the middle of a JSON body (2)."""
    exchange = exchange_of(ctx)
    if exchange is not None:
        exchange.ending = ENDINGS[variant % len(ENDINGS)]
    return MCPError(types.CONNECTION_CLOSED, why)


async def silent(ctx: Any, why: str) -> MCPError:
    """No reply, as long as anybody waits for one. Returns how a server ends it that loses its
    patience."""
    exchange = exchange_of(ctx)
    if exchange is None or not exchange.held:
        await asyncio.get_running_loop().create_future()
    else:
        await exchange.silence()
    return broken(ctx, why)


async def at_request(world: World, ctx: Any, name: str) -> None:
    """A `list` or a `call` has come in over HTTP: what strikes the request itself. Raises MCPError.

    It counts as a crossing where no call does: whoever remembers runs has to learn of it."""
    exchange, gateway = exchange_of(ctx), inside(world)
    if exchange is None or gateway.clock.elsewhere is not None:  # whose faults are elsewhere, too
        return
    session = exchange.session is not None
    if name == "list":
        _crosses(gateway, ctx)
    elif not session:
        return
    process = gateway.process
    slot = process.slot("mcp", name)
    group = f"mcp {name} in a session" if session else f"mcp {name}"
    fault = process.injector.at(slot, len(process.log), group)
    if fault is None or (fault.axes[0] == "session_lost" and not session):
        return
    process.struck(slot, fault)
    if name == "call":
        _crosses(gateway, ctx)
    kind = fault.axes[0]
    if kind == "timeout":
        raise await silent(ctx, f"tools/{name} is not answered")
    if kind == "session_lost":
        exchange.lose()
        raise MCPError(types.INVALID_REQUEST, "Session not found")
    raise broken(ctx, f"tools/{name}: connection reset by peer", variant=fault.variant)


def _crosses(gateway: Any, ctx: Any) -> None:
    try:
        gateway.crossing()
    except CutOff as cut:  # the run is over, the server lives on
        raise broken(ctx, str(cut)) from None
