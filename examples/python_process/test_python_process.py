"""A campaign against an agent in a Python of its own, on the official openai and mcp packages."""

import sys

from agentfuzz import Completion, World, exactly_once, fuzz, scenario
from conftest import Worker

COMMAND = [sys.executable, "../worker.py", "agent.py"]


@scenario(
    exactly_once("shipment"),
    task="Ship order A17.",
    script=[("ship_order", {"order_id": "A17"}), "Order A17 is on its way."],
)
def ship(world: World) -> None:
    """An order is to be shipped."""

    @world.tool(effect="shipment", scope=("order_id",))
    def ship_order(order_id: str) -> dict[str, str]:
        """Ship an order."""
        return {"parcel_id": "p_1"}


@fuzz(ship, only=("once/error",), max_runs=8)
def test_python_process(world: World, worker: Worker) -> Completion:
    return worker.run(world)
