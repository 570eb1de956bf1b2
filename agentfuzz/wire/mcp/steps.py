"""The steps of a call, for a client that follows it: as progress, as log messages, as both.

Law: a client is told only what it has asked for, by a progress token or by a level of logging; what
is told goes out on the stream of its call. Told by the answers of the server, of every call.
"""

from typing import Any

import mcp_types as types

from agentfuzz.wire.mcp.exchange import exchange_of

STEPS = ("has come in", "is answered by the backend", "has its reply under way")
_TOLD = ("debug", "info")  # the levels at which a step is told


class Steps:
    """Who follows what. A level is one session's."""

    def __init__(self) -> None:
        self._levels: dict[bytes | None, str] = {}

    async def set_level(self, ctx: Any, params: Any) -> Any:
        """The answer to `logging/setLevel`."""
        self._levels[_session(ctx)] = params.level
        return types.EmptyResult()

    async def tell(self, ctx: Any, name: str, step: int) -> None:
        """Tell how far a call is."""
        if (ctx.meta or {}).get("progress_token") is not None:
            _under_way(ctx)
            await ctx.session.report_progress(step, len(STEPS) - 1)
        if self._levels.get(_session(ctx)) in _TOLD:
            _under_way(ctx)
            said = types.LoggingMessageNotificationParams(
                level="info", logger="agentfuzz", data=f"{name} {STEPS[step]}"
            )
            await ctx.session.send_notification(
                types.LoggingMessageNotification(params=said), related_request_id=ctx.request_id
            )


def _session(ctx: Any) -> bytes | None:
    exchange = exchange_of(ctx)
    return None if exchange is None else exchange.session


def _under_way(ctx: Any) -> None:
    if (exchange := exchange_of(ctx)) is not None:
        exchange.before += 1
