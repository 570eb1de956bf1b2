"""The card that is charged three times, although every layer is idempotent.

A customer's order has to be charged once. The payment tool takes an idempotency key, its backend
deduplicates by it as Stripe does, and the network is allowed to be a network. What decides is
where the loop gets the key from: a repeat is a new decision of the model with a new call id, and
a key that follows the call id, or the attempt, is a new key.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F01 F02 F03 F07 F20 B22.
"""

import json

from agentfuzz import (
    Completion,
    World,
    call,
    exactly_once,
    no_blind_repeat,
    ref,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)


@scenario(
    exactly_once("charge", intents=[{"order_id": "A17"}]),
    no_blind_repeat("charge"),
    same_key_on_retry(),
    structured_termination(),
    truthful(),
    task="Charge order A17.",
    script=[
        ("find_order", {"order_id": "A17"}),
        call("charge_card", order_id="A17", cents=ref("find_order", "cents")),
        Completion.success(handle="A17"),
    ],
)
def charge_order(world: World) -> None:
    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        """Look an order up."""
        return {"order_id": order_id, "cents": 4200, "currency": "EUR"}

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(
        order_id: str, cents: int, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Charge the card of an order."""
        return {"charge_id": f"ch_{order_id}", "cents": cents, "status": "succeeded"}


def tool_loop(world: World, key_of) -> tuple[dict, dict]:
    """A plain tool-calling loop: what the model closed with, and the receipts it really saw.

    `key_of(call, attempt)` is how it mints idempotency keys; that is all the loops differ in.
    """
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipts: dict[str, dict] = {}
    for attempt in range(12):
        turn = world.model(messages, list(world.tools))
        messages.append(turn)
        done = [each for each in turn["tool_calls"] if each["name"] == "done"]
        if done or not turn["tool_calls"]:
            return (done[0]["arguments"] if done else {}), receipts
        for each in turn["tool_calls"]:
            arguments = dict(each["arguments"])
            if each["name"] == "charge_card":
                arguments["idempotency_key"] = key_of(each, attempt)
            try:
                reply = world.call(each["name"], arguments, asked=each["id"])
            except Exception as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            if isinstance(reply, dict) and "charge_id" in reply:
                receipts[each["name"]] = reply
            text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return {}, receipts


def key_per_call(world: World) -> Completion:
    """Victim: the key is the tool call's id, as in most code; a re-plan has a new one."""
    said, _ = tool_loop(world, lambda each, attempt: each["id"])
    return Completion.success(handle="A17") if said.get("status") == "success" else _gave_up()


def key_per_attempt(world: World) -> Completion:
    """Victim: the key is minted inside the retry loop."""
    said, _ = tool_loop(world, lambda each, attempt: f"charge-{attempt}")
    return Completion.success(handle="A17") if said.get("status") == "success" else _gave_up()


def believes_the_model(world: World) -> Completion:
    """Victim: the key is right, but success is whatever the model says."""
    said, _ = tool_loop(world, _intent_key)
    return Completion.success(handle="A17") if said else _gave_up()


def key_per_intent(world: World) -> Completion:
    """Survivor: one key per order, and success only with the receipt in hand."""
    _, receipts = tool_loop(world, _intent_key)
    receipt = receipts.get("charge_card")
    return Completion.success(handle="A17") if receipt else _gave_up()


def _intent_key(each: dict, attempt: int) -> str:
    return f"run-1:charge_card:{each['arguments'].get('order_id')}"


def _gave_up() -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle="A17")


VICTIMS = {
    key_per_call: ("AF101", "AF104", "AF106"),
    key_per_attempt: ("AF101", "AF104", "AF106"),
    believes_the_model: ("AF103", "AF301"),
}
SURVIVORS = (key_per_intent,)
