"""One request as one crossing of the tool boundary, and what it looks like on the wire.

Law: the world decides what happened and writes it down; this file only says it in the words of the
protocol: of tools/call, and of the reads of what is shown beside tools. A client that follows a
call is told when it has come in, when the backend has answered, and that the reply follows. Called
by the MCP server for every such request.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz.core.codec import message, snapshot
from agentfuzz.core.errors import CutOff, InvalidArguments, UnknownTool
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.wire.mcp.asking import answering
from agentfuzz.wire.mcp.content import result, text_result
from agentfuzz.wire.mcp.faults import at_request, lost
from agentfuzz.wire.mcp.steps import Steps
from agentfuzz.world.reply_faults import as_text
from agentfuzz.world.toolbox import DONE
from agentfuzz.world.world import World

CALL_ID = "agentfuzz/call_id"  # in _meta: the model's id of the call, from clients that pass it on


class Answers:
    """One server's answers, and its calls that are under way, in the order of their coming."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._open: dict[asyncio.Task[Any], asyncio.Task[Any] | None] = {}
        self.steps = Steps()

    async def answer(self, ctx: Any, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool of the world for a request. Raises MCPError where the protocol has its own
        error; does not return where the response is lost."""
        return await self._settles(self._call(ctx, name, arguments))

    async def read(self, ctx: Any, request: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """The reply of what is shown beside tools, for a `read` or a `get`. Raises MCPError: the
        protocol has no other word for a failure there."""
        return await self._settles(self._read(ctx, request, name, arguments))

    async def _settles(self, work: Coroutine[Any, Any, Any]) -> Any:
        call = asyncio.ensure_future(work)
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
        await at_request(world, ctx, "call")
        answering(ctx)
        try:
            if name == DONE and world.gateway.offers_done:
                return _done(world, arguments)
            await self.steps.tell(ctx, name, 0)
            reply = await world.acall(name, arguments, asked=_asked(world, ctx, name, arguments))
        except UnknownTool as error:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {message(error)}") from None
        except asyncio.CancelledError:
            raise
        except (Exception, CutOff) as error:
            if (ending := await lost(world, ctx, error)) is not None:
                raise ending from None
            return text_result(message(error) or type(error).__name__, is_error=True)
        for step in (1, 2):
            await self.steps.tell(ctx, name, step)
        return result(world, name, reply)

    async def _read(self, ctx: Any, request: str, name: str, arguments: Mapping[str, Any]) -> Any:
        world = self._world
        await at_request(world, ctx, request)
        answering(ctx)
        try:
            return await world.acall(name, arguments)
        except (asyncio.CancelledError, MCPError):  # an error of the protocol that the body made
            raise
        except (InvalidArguments, UnknownTool) as error:
            raise MCPError(types.INVALID_PARAMS, message(error)) from None
        except (Exception, CutOff) as error:
            if (ending := await lost(world, ctx, error)) is not None:
                raise ending from None
            words = message(error) or type(error).__name__
            raise MCPError(types.INTERNAL_ERROR, words) from None


def _done(world: World, arguments: Mapping[str, Any]) -> Any:
    reply = world.tools[DONE](**arguments)
    return text_result(as_text(reply), is_error=not reply["ok"])


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
