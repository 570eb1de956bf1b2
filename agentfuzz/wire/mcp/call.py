"""One tools/call request as one crossing of the tool boundary, and what it looks like on the wire.

Law: the world decides what happened and writes it down; this file only says it in the words of the
protocol. Called by the MCP server for every request.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz.core.codec import message, snapshot
from agentfuzz.core.errors import CutOff, UnknownTool
from agentfuzz.core.events import Called, ModelTurn, Replied, Struck
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.world import World

CALL_ID = "agentfuzz/call_id"  # in _meta: the model's id of the call, from clients that pass it on
BREAK = "agentfuzz.break"  # in the ASGI scope: a list; whatever is in it says why to break off


class Answers:
    """One server's answers, and its calls that are under way, in the order of their coming."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[asyncio.Task[Any], asyncio.Task[Any] | None] = {}

    async def answer(self, ctx: Any, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool of the world for a request. Raises MCPError where the protocol has its own
        error; does not return where the response is lost."""
        call = asyncio.ensure_future(self._call(ctx, name, arguments))
        self._open[call] = asyncio.current_task()
        call.add_done_callback(self._settled)
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError:
            self._give_up()
            raise
        return call.result()

    def _give_up(self) -> None:
        """Cancel all calls whose requests are being cancelled. The SDK does that in the order of
        a set, and the history must not depend on addresses: that is why calls have a task of
        their own, and the first of the requests passes it on to all."""
        for call, request in list(self._open.items()):
            if request is not None and request.cancelling():
                del self._open[call]
                call.cancel()

    def _settled(self, call: "asyncio.Task[Any]") -> None:
        self._open.pop(call, None)
        if not call.cancelled():
            call.exception()  # nobody else may ask

    async def _call(self, ctx: Any, name: str, arguments: Mapping[str, Any]) -> Any:
        world = self._world
        try:
            if name == DONE and world.gateway.offers_done:
                return _done(world, arguments)
            reply = await world.acall(name, arguments, asked=_asked(world, ctx, name, arguments))
        except UnknownTool as error:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {message(error)}") from None
        except CutOff as cut:
            if _breaks(ctx) is None:
                raise
            raise _broken(ctx, str(cut)) from None  # the run is over, the server lives on
        except asyncio.CancelledError:
            raise
        except Exception as error:
            kind = _struck(world)
            if kind == "timeout":
                await asyncio.get_running_loop().create_future()
            if kind == "error":
                raise _broken(ctx, message(error)) from None
            return _result(message(error) or type(error).__name__, is_error=True)
        return _result(as_text(reply))


def _result(text: str, *, is_error: bool = False) -> Any:
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], is_error=is_error
    )


def _done(world: World, arguments: Mapping[str, Any]) -> Any:
    reply = world.tools[DONE](**arguments)
    return _result(as_text(reply), is_error=not reply["ok"])


def _breaks(ctx: Any) -> list[str] | None:
    """Where to say that the HTTP exchange of this request must break; None on other transports."""
    found: list[str] | None = getattr(ctx.request, "scope", {}).get(BREAK)
    return found


def _broken(ctx: Any, why: str) -> MCPError:
    """The connection of this request is lost. Over HTTP its exchange breaks; a pipe cannot break
    for one request, so there the client gets at once what it would make of such an exchange."""
    breaks = _breaks(ctx)
    if breaks is not None:
        breaks.append(why)
    return MCPError(types.CONNECTION_CLOSED, why)


def _struck(world: World) -> str:
    """What became of the reply of the call that was answered last: an axis value of its fault."""
    events = world.gateway.log
    replied = next(event for event in reversed(events) if type(event) is Replied)
    called = next(e for e in reversed(events) if type(e) is Called and e.call == replied.call)
    for event in events[called.seq :]:
        if type(event) is Struck and event.slot == called.slot:
            return event.fault.axes[1]
    return "intact"


def _asked(world: World, ctx: Any, name: str, arguments: Mapping[str, Any]) -> str | None:
    """The id under which the simulated model asked for this call, which decides its slot.

    Clients that pass the model's id on, as the id of the request or in `_meta`, are believed.
    For others it is the open call that the model asked for last, the one with these arguments
    if there is one; a repeat of a call that was made already belongs to none.
    """
    turns = [event for event in world.gateway.log if type(event) is ModelTurn]
    if not turns:
        return None
    issued = {i: args for turn in turns for i, tool, args in turn.calls if tool == name}
    for given in ((ctx.meta or {}).get(CALL_ID), ctx.request_id):
        if given in issued:
            return str(given)
    made = {event.asked for event in world.gateway.log if type(event) is Called}
    sent = snapshot(arguments)
    if any(issued[i] == sent for i in issued if i in made) and not any(
        issued[i] == sent for i in issued if i not in made
    ):
        return None
    for turn in reversed(turns):
        waiting = [i for i, tool, _ in turn.calls if tool == name and i not in made]
        if waiting:
            return next((i for i in waiting if issued[i] == sent), waiting[0])
    return None
