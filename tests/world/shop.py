"""The shop of the tests of calls: one sync and one async tool, and an agent that calls once."""

import asyncio

from agentfuzz import scenario

RECEIPT = {"receipt": "r1", "amount": 42}  # the honest reply
PHANTOM = {"status": "ok", "order_id": "A17"}  # the reply of work that was not done

TIMEOUT = "TimeoutError: {tool} timed out: no reply within 30 s"
RESET = "ConnectionError: {tool}: connection reset by peer"
LIMITED = "RateLimited: {tool}: 429 too many requests, retry after 1 s"
AWAY = "UnknownTool: {tool}: 404, there is no such tool any more"
EXPIRED = "Unauthorized: {tool}: 401 unauthorized, the token has expired"


class Gone(Exception):
    """A tool's own way to fail."""


@scenario()
def shop(world):
    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str):
        return dict(RECEIPT)

    @world.tool(effect="payment", scope=("order_id",))
    async def apay(order_id: str):
        await asyncio.sleep(0)
        return dict(RECEIPT)


def once(tool):
    """Calls the tool once and hands on what it gets."""

    def sync(world):
        try:
            return world.tools[tool](order_id="A17")
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    async def asynchronous(world):
        try:
            return await world.tools.aio[tool](order_id="A17")
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    return asynchronous if tool == "apay" else sync
