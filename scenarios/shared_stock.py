"""One stock, two agents: what the one reserved is gone when the other one writes.

Rows: B17.

Two agents take orders at the same time. Each reads the stock, takes its pieces out, writes it back,
and sends the pieces. In the order that every test has them nothing ever goes wrong. When one of
them is served between the other one's read and its write, five pieces are promised and the stock
still has some. A write that names the version it was made from is refused then, and the whole of it
is done again.

Source: Tian Pan, "Building a Multi-Agent Research System" (2026).
"""

import asyncio

from agentfuzz import (
    Completion,
    StaleWrite,
    ToolError,
    World,
    at_most_once,
    no_lost_update,
    scenario,
    structured_termination,
    truthful,
)

ORDERS = {"north": ("A17", 2), "south": ("B18", 3)}
FAULTS = (TimeoutError, ConnectionError, ToolError)


@scenario(
    no_lost_update(),
    at_most_once(),
    structured_termination(),
    truthful(),
    task="Serve orders A17 and B18 from the five pieces in stock.",
)
def shared_stock(world: World) -> None:
    @world.tool(effect="shipment", scope=("order",), dedup="key")
    def ship(order: str, pieces: int, idempotency_key: str | None = None) -> dict[str, object]:
        """Send the pieces of an order."""
        return {"shipped": order}


def without(stock: dict, order: str, pieces: int) -> dict | None:
    """The stock when an order is reserved, also if it was before; None if too little is left."""
    reserved = {**stock["reserved"], order: pieces}
    return {**stock, "reserved": reserved} if sum(reserved.values()) <= stock["pieces"] else None


async def overwritten(world: World, order: str, pieces: int) -> bool:
    """Read, take out, write."""
    stock, _ = await world.shared.aread("stock")
    left = without(stock, order, pieces)
    if left is not None:
        await world.shared.awrite("stock", left)
    return left is not None


async def compared(world: World, order: str, pieces: int) -> bool:
    """Read, take out, write over what was read; else once more."""
    for _ in range(3):
        stock, version = await world.shared.aread("stock")
        left = without(stock, order, pieces)
        if left is None:
            return False
        try:
            await world.shared.awrite("stock", left, if_version=version)
        except StaleWrite:
            continue
        return True
    return False


async def serve(world: World, name: str, reserve) -> bool:
    """Reserve and send one order; whether both are certain."""
    order, pieces = ORDERS[name]
    if not await reserve(world, order, pieces):
        return False
    for _ in range(3):
        try:
            reply = await world.tools.aio.ship(order, pieces, idempotency_key=order)
        except FAULTS:
            continue
        if reply == {"shipped": order}:
            return True
    return False


async def desk(world: World, reserve) -> Completion:
    """An agent for each order; the answer is what they have come to."""
    world.shared["stock"] = {"pieces": 5, "reserved": {}}
    agents = [world.spawn(name, serve, world, name, reserve) for name in ORDERS]
    waits = [asyncio.wait_for(agent, 150) for agent in agents]
    ends = await asyncio.gather(*waits, return_exceptions=True)
    orders = ", ".join(order for order, _ in ORDERS.values())
    if ends == [True, True]:
        return Completion.success(handle=orders)
    return Completion.blocked(reason="outcome_unknown", handle=orders)


async def read_and_write(world: World) -> Completion:
    """Victim: between the two somebody else has written."""
    return await desk(world, overwritten)


async def compare_and_set(world: World) -> Completion:
    """Survivor: what was not read is not written over."""
    return await desk(world, compared)


VICTIMS = {read_and_write: ("AF704",)}
SURVIVORS = (compare_and_set,)
