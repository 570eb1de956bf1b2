"""A campaign against an agent in TypeScript, on Vercel's ai."""

from agentfuzz import Completion, World, exactly_once, fuzz, scenario, truthful
from conftest import Worker

COMMAND = ["node", "--import", "tsx", "../worker.mjs", "agent.ts"]


@scenario(
    exactly_once("refund"),
    truthful(),
    task="Refund order A17.",
    script=[("refund_order", {"order_id": "A17"}), "Order A17 is refunded."],
)
def refund(world: World) -> None:
    """An order is to be refunded."""

    @world.tool(effect="refund", scope=("order_id",), dedup="scope")
    def refund_order(order_id: str) -> dict[str, str]:
        """Refund an order."""
        return {"refund_id": "re_1"}


@fuzz(refund, only=("rate_limited",), max_runs=24)
def test_vercel_ai(world: World, worker: Worker) -> Completion:
    return worker.run(world)
