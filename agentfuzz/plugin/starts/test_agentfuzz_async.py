"""An asyncio agent that charges twice after a timeout, and the test that finds it."""

import asyncio
from typing import Any

from agentfuzz import Completion, World, at_most_once, fuzz, scenario, structured_termination


# 1. Put your tools here: each says what it does to the world, and answers as it would.
@scenario(at_most_once("charge"), structured_termination(), task="Charge orders A17 and A18.")
def charge_orders(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    async def charge_card(order_id: str, cents: int, idempotency_key: str) -> dict[str, Any]:
        """Charge the card of an order."""
        return {"charge_id": f"ch_{order_id}", "cents": cents}


# 2. Put your agent here. Its time is virtual: a deadline, or a minute of back-off, costs nothing.
async def charge(order: str, tools: Any) -> str:
    for attempt in range(3):
        key = f"{order}-{attempt}"  # a new key for every attempt: the bug
        # key = f"charge-{order}"  # one key per order: the fix
        try:
            async with asyncio.timeout(10):
                reply = await tools.charge_card(order_id=order, cents=4200, idempotency_key=key)
        except (TimeoutError, ConnectionError):
            await asyncio.sleep(2**attempt)
            continue
        if isinstance(reply, dict) and "charge_id" in reply:
            return str(reply["charge_id"])
    return ""


async def billing_agent(task: str, tools: Any) -> Completion:
    charged = await asyncio.gather(charge("A17", tools), charge("A18", tools))
    if all(charged):
        return Completion.success(handle=", ".join(charged))
    return Completion.blocked(reason="outcome_unknown")


# 3. Call it here, with the world's async tools, and return how its task ended.
@fuzz(charge_orders)
async def test_billing_agent(world: World) -> Completion:
    return await billing_agent(world.task, world.tools.aio)
