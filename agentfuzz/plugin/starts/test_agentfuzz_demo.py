"""A billing agent that charges twice, and the test that finds it."""

from typing import Any

from agentfuzz import Completion, World, exactly_once, fuzz, scenario, structured_termination


# 1. Put your tools here: each says what it does to the world, and answers as it would.
@scenario(exactly_once("charge"), structured_termination(), task="Charge order A17, 42.00 EUR.")
def charge_order(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, cents: int, idempotency_key: str = "") -> dict[str, Any]:
        """Charge the card of an order."""
        return {"charge_id": "ch_1", "cents": cents}


# 2. Put your agent here.
def billing_agent(task: str, tools: Any) -> Completion:
    for attempt in range(3):
        key = f"attempt-{attempt}"  # a new key for every attempt: the bug
        # key = "charge-A17"  # one key per order: the fix
        try:
            reply = tools.charge_card(order_id="A17", cents=4200, idempotency_key=key)
        except (TimeoutError, ConnectionError):
            continue
        if isinstance(reply, dict) and "charge_id" in reply:
            return Completion.success(handle=str(reply["charge_id"]))
    return Completion.blocked(reason="outcome_unknown")


# 3. Call it here, with the world's tools, and return how its task ended.
@fuzz(charge_order)
def test_billing_agent(world: World) -> Completion:
    return billing_agent(world.task, world.tools)
