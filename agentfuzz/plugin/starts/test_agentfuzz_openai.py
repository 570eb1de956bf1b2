"""A loop on the OpenAI client that charges a card twice, and the test that finds it."""

import json
from typing import Any

from openai import OpenAI

from agentfuzz import World, at_most_once, call, fuzz, ref, scenario, wire

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


# 2. Put your agent here, as it is in production: it knows nothing of agentfuzz.
def billing_agent(client: OpenAI, task: str, tools: Any) -> str:
    offered: list[Any] = [
        {"type": "function", "function": {"name": name, "parameters": tools[name].schema}}
        for name in tools
    ]
    messages: list[Any] = [{"role": "user", "content": task}]
    for _ in range(10):
        reply = client.chat.completions.create(model="gpt-5", messages=messages, tools=offered)
        message: Any = reply.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            return message.content or ""
        for each in message.tool_calls:
            try:
                arguments = json.loads(each.function.arguments)
                if each.function.name == "charge_card":
                    key = each.id  # a new key for every attempt: the bug
                    # key = f"charge-{arguments['order_id']}"  # one key per order: the fix
                    arguments["idempotency_key"] = key
                result = tools[each.function.name](**arguments)
            except Exception as error:
                result = {"error": str(error)}
            text = json.dumps(result)
            messages.append({"role": "tool", "tool_call_id": each.id, "content": text})
    return "I could not finish."


# 3. Call it here, with the world's client and tools; PLAN is what its model would decide.
@fuzz(charge_order)
def test_billing_agent(world: World) -> str:
    return billing_agent(wire.openai_client(world), world.task, world.tools)
