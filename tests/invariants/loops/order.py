"""One order to be charged, by a loop with a model or without, in a process that may die.

Law: an order can be looked up and given back; what is done about a reply is up to the loop. Called
by the tests of the laws of keys, doubt and contradiction.
"""

import json
from dataclasses import replace

from agentfuzz import Completion, ToolError, World, scenario

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE = Completion.success(handle="A17")
UNKNOWN = Completion.blocked(reason="outcome_unknown", handle="A17")


@scenario(
    task="Charge order A17.",
    script=[("charge_card", {"order_id": "A17", "note": "Thank you"}), "Order A17 is charged."],
    resume=True,
)
def order(world: World) -> None:
    """A charge that can be looked up, and given back."""
    paid: set[str] = set()

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(
        order_id: str, note: str = "", idempotency_key: str | None = None
    ) -> dict[str, object]:
        paid.add(order_id)
        return {"charge_id": f"ch_{order_id}"}

    @world.tool(effect="refund", scope=("order_id",), dedup="key", undoes="charge_card")
    def refund(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        paid.discard(order_id)
        return {"refund_id": f"re_{order_id}"}

    @world.tool
    def find_charge(order_id: str) -> dict[str, object]:
        return {"paid": order_id in paid}


LIVES = replace(order, resume=False, faults=())  # a process that does not die


def charge_once(world: World, key: str | None) -> bool | None:
    """One attempt: whether a receipt came, or None where nobody knows."""
    try:
        reply = world.tools.charge_card(order_id="A17", idempotency_key=key)
    except ToolError:
        return False
    except FAULTS:
        return None
    good = isinstance(reply, dict) and isinstance(reply.get("charge_id"), str)
    return True if good else None


def talk(world: World, key_of, allow=lambda name, receipts: True) -> Completion:
    """A plain loop. `key_of` a call of the model, and whether to `allow` it."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipts: dict[str, object] = {}
    for _ in range(8):
        turn = world.model(messages, list(world.tools))
        messages.append(turn)
        if not turn["tool_calls"]:
            break
        for one in turn["tool_calls"]:
            name, text = one["name"], "Error: refused"
            if allow(name, receipts) and isinstance(one["arguments"], dict):
                try:
                    arguments = {**one["arguments"], "idempotency_key": key_of(one)}
                    receipts[name] = world.call(name, arguments, asked=one["id"])
                    text = json.dumps(receipts[name])
                except FAULTS as error:
                    text = f"Error: {error}"
            messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
    return DONE if "charge_card" in receipts else UNKNOWN


def intent_key(one: dict) -> str:
    return f"trigger_1:{one['name']}:A17"
