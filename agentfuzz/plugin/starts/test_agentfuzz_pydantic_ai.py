"""A Pydantic AI agent that charges a card twice, and the test that finds it."""

from collections.abc import Mapping
from typing import Any

from pydantic_ai import Agent

from agentfuzz import World, at_most_once, call, fuzz, ref, scenario
from agentfuzz.adapters import pydantic_ai

PLAN = [
    ("find_order", {"order_id": "A17"}),
    call("charge_card", order_id="A17", cents=ref("find_order", "cents")),
    "Order A17 is charged.",
]


@scenario(at_most_once("charge"), task="Charge order A17.", script=PLAN)
def charge_order(world: World) -> None:
    # 1. Put your tools here: each says what it does to the world, and answers as it would.
    @world.tool
    def find_order(order_id: str) -> dict[str, Any]:
        """Look an order up."""
        return {"order_id": order_id, "cents": 4200}

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, cents: int, idempotency_key: str = "") -> dict[str, Any]:
        """Charge the card of an order."""
        return {"charge_id": "ch_1", "cents": cents}


def key_of(tool: str, arguments: Mapping[str, Any], call_id: str) -> str:
    """The idempotency key of a call."""
    return call_id  # a new key whenever the model asks again: the bug
    # return f"{tool}-{arguments['order_id']}"  # one key per order: the fix


# 2. Put your agent here: the one that you have, built with a model and tools that it is given.
def billing_agent(model: Any, tools: list[Any]) -> Agent[None, str]:
    return Agent(model, tools=tools)


# 3. Run it here, with the world's model and tools; PLAN is what its model would decide.
@fuzz(charge_order)
async def test_billing_agent(world: World) -> str:
    agent = billing_agent(pydantic_ai.model(world), pydantic_ai.tools(world, key=key_of))
    result = await agent.run(world.task)
    return str(result.output)
