"""What becomes of an MCP request when a fault strikes it.

Law: over HTTP its exchange ends as the fault says; a pipe cannot break for one request, so there
the client gets at once what it would make of such an exchange. A timeout is silence, which the
client's own patience ends, or the server's. Asked for every request.
"""

import asyncio
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz.boundaries.mcp import CALLS_OF_TOOLS, REQUESTS
from agentfuzz.core.codec import message
from agentfuzz.core.errors import CutOff
from agentfuzz.core.events import Called, Replied, Struck
from agentfuzz.core.faults import Fault
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


def struck(world: World) -> Fault | None:
    """The fault that struck the call that was answered last."""
    events = world.gateway.log
    replied = next(event for event in reversed(events) if type(event) is Replied)
    called = next(e for e in reversed(events) if type(e) is Called and e.call == replied.call)
    for event in events[called.seq :]:
        if type(event) is Struck and event.slot == called.slot:
            return event.fault
    return None


async def lost(world: World, ctx: Any, error: BaseException) -> MCPError | None:
    """How the request of a call ends that raised this, if its reply is lost: after a silence, or
    with its connection. None: there is a reply."""
    if isinstance(error, CutOff):
        if exchange_of(ctx) is None:
            raise error
        return broken(ctx, str(error))  # the run is over, the server lives on
    fault = struck(world)
    kind = "intact" if fault is None else fault.axes[1]
    if kind == "timeout":
        return await silent(ctx, message(error))
    if fault is not None and kind == "error":
        return broken(ctx, message(error), variant=fault.variant)
    return None


async def at_request(world: World, ctx: Any, name: str) -> None:
    """A request has come in over HTTP: what strikes the request itself. `name` is `list` or `call`
    for those about tools, or one of the others that the boundary knows. Raises MCPError.

    It counts as a crossing where no call does: whoever remembers runs has to learn of it."""
    exchange, gateway = exchange_of(ctx), inside(world)
    if exchange is None or gateway.clock.elsewhere is not None:  # whose faults are elsewhere, too
        return
    session, calls = exchange.session is not None, name in CALLS_OF_TOOLS
    if not calls:
        _crosses(gateway, ctx)
    elif not session:
        return
    process = gateway.process
    slot = process.slot("mcp", name)
    group = f"mcp {'call' if calls else 'list'}{' in a session' * session}"
    fault = process.injector.at(slot, len(process.log), group)
    if fault is None or (fault.axes[0] == "session_lost" and not session):
        return
    process.struck(slot, fault)
    if calls:
        _crosses(gateway, ctx)
    kind = fault.axes[0]
    if kind == "timeout":
        raise await silent(ctx, f"{REQUESTS[name]} is not answered")
    if kind == "session_lost":
        exchange.lose()
        raise MCPError(types.INVALID_REQUEST, "Session not found")
    words = f"{REQUESTS[name]}: connection reset by peer"
    raise broken(ctx, words, variant=fault.variant)


async def at_nothing(world: World, ctx: Any, name: str) -> None:
    """A request for what is not there has come in, by whatever transport: no call counts it, and
    whoever asks for ever is cut off, too. Raises MCPError."""
    await at_request(world, ctx, name)
    if exchange_of(ctx) is None:
        inside(world).crossing()
    else:
        _crosses(inside(world), ctx)


def _crosses(gateway: Any, ctx: Any) -> None:
    try:
        gateway.crossing()
    except CutOff as cut:  # the run is over, the server lives on
        raise broken(ctx, str(cut)) from None
