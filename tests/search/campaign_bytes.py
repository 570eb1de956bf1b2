"""A whole campaign in each mode, as JSON and its digest: run in processes of their own by
`test_same_bytes.py`.

    python campaign_bytes.py sync async threads
"""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

from agentfuzz import Completion, World, at_most_once, scenario, structured_termination
from agentfuzz.engine.simulation import Simulation
from agentfuzz.report.formats import json as json_format
from agentfuzz.search.campaign import Budget, Campaign

ORDERS = ("A17", "B18")


@scenario(
    at_most_once(),
    structured_termination(),
    task="Ship both.",
    resume=True,
    faults=("cancel", "duplicate_trigger"),
)
def shipping(world: World) -> None:
    shipped: set[str] = set()

    @world.tool(effect="parcel", scope=("order_id",))
    def ship(order_id: str) -> dict:
        shipped.add(order_id)
        return {"parcel": order_id, "all": shipped, "weights": {1.5, 2.5, 3.5}}

    @world.tool
    def shipped_already(order_id: str) -> bool:
        return order_id in shipped


def sync(world: World) -> Completion:
    for order in ORDERS[world.store.get("next", 0) :]:
        if not world.tools.shipped_already(order_id=order):
            world.tools.ship(order_id=order)
        world.store["next"] = ORDERS.index(order) + 1
    return Completion.success(handle=str(sorted({"x", "y", "z"} | set(world.store))))


async def asynchronous(world: World) -> Completion:
    async def one(order: str) -> None:
        if not await world.tools.aio.shipped_already(order_id=order):
            await world.tools.aio.ship(order_id=order)

    tasks = {asyncio.create_task(one(order)) for order in (*ORDERS, "A17")}
    await asyncio.wait(tasks)
    return Completion.success(handle="A17")


def threaded(world: World) -> Completion:
    def one(order: str) -> None:
        if not world.tools.shipped_already(order_id=order):
            world.tools.ship(order_id=order)

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(one, order) for order in (*ORDERS, "A17")]:
            done.exception()
    return Completion.success(handle="A17")


MODES = {"sync": sync, "async": asynchronous, "threads": threaded}


def main() -> None:
    """Print each mode's digest, and how many findings it is the digest of."""
    for name in sys.argv[1:]:
        with Simulation() as simulation:
            budget = Budget(max_runs=400, max_seconds=1e9, depth=2, deep_runs=50)
            campaign = Campaign(
                shipping, MODES[name], simulation, nodeid=f"bytes.py::{name}", budget=budget
            )
            campaign.search()
            result = campaign.result()
        text = json_format.text(json_format.run([result]))
        text += "".join(json_format.text(json_format.finding(cx)) for cx in result.findings)
        print(name, len(result.findings), sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
