"""Forty pieces for Berlin, forty for Lyon: the second order that was taken for a repeat.

Two warehouses run out of the same part, and forty pieces are ordered for each. A key that names the
part alone makes one order of the two: to the supplier the second is the first one again, in words
that do not fit. A key that is a hash of all that the model wrote makes two orders of one, as soon
as the model asks again and writes a blank more, or 40.0 pieces. What an order is about is what the
business says that it is: which part, for which warehouse, and no word of the model beyond that.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F01 F08 F09.
"""

import hashlib
import json

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    exactly_once,
    key_not_from_model,
    no_lost_intent,
    one_intent_per_key,
    same_arguments,
    same_key_on_retry,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
WAREHOUSES = ("berlin", "lyon")
PART, PIECES = "P-7", 40


@scenario(
    exactly_once("order", intents=[{"part": PART, "warehouse": name} for name in WAREHOUSES]),
    no_lost_intent(),
    one_intent_per_key(),
    key_not_from_model(),
    same_key_on_retry(),
    same_arguments(ignore=["memo"]),
    structured_termination(),
    truthful(),
    task="Order 40 pieces of P-7 for Berlin and 40 for Lyon.",
    script=[
        [
            ("order_part", {"part": PART, "warehouse": name, "pieces": PIECES, "memo": "40 left"})
            for name in WAREHOUSES
        ],
        Completion.success(handle="P-7"),
    ],
)
def restock_inventory(world: World) -> None:
    @world.tool(effect="order", scope=("part", "warehouse"), dedup="key")
    def order_part(
        part: str, warehouse: str, pieces: int, memo: str = "", idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Order pieces of a part for a warehouse."""
        return {"order": f"{part}-{warehouse}", "pieces": pieces}


def converse(world: World, key_of) -> set[str]:
    """A plain tool-calling loop, and the warehouses whose orders have a receipt. `key_of` mints the
    key of a call; that is all the loops differ in."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    ordered: set[str] = set()
    for _ in range(10):
        try:
            turn = world.model(messages, list(world.tools))
        except (ModelError, TimeoutError, ConnectionError):
            continue
        messages.append(turn)
        if not turn["tool_calls"] or any(each["name"] == "done" for each in turn["tool_calls"]):
            break
        for each in turn["tool_calls"]:
            try:
                reply = order(world, each, key_of)
            except FAILURES as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            where = each["arguments"].get("warehouse")
            if isinstance(reply, dict) and isinstance(reply.get("order"), str):
                ordered.add(str(where).strip().lower())
            text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return ordered


def order(world: World, each: dict, key_of) -> object:
    """One call of the model, under a key of the loop."""
    arguments = {**each["arguments"], "idempotency_key": key_of(world, each["arguments"])}
    return world.call(each["name"], arguments, asked=each["id"])


def answer(ordered: set[str]) -> Completion:
    """Success is a receipt for each warehouse."""
    if ordered >= set(WAREHOUSES):
        return Completion.success(handle=PART)
    return Completion.blocked(reason="outcome_unknown", handle=PART)


def key_per_part(world: World, arguments: dict) -> str:
    return f"{world.trigger_id}:order:{arguments.get('part')}"


def key_per_words(world: World, arguments: dict) -> str:
    return hashlib.sha256(json.dumps(arguments).encode()).hexdigest()


def key_per_order(world: World, arguments: dict) -> str:
    part, warehouse = (str(arguments.get(n)).strip() for n in ("part", "warehouse"))
    return f"{world.trigger_id}:order:{part}:{warehouse}"


def one_key_for_the_part(world: World) -> Completion:
    """Victim: the key is run, tool and part. The order for Lyon is a repeat of that for Berlin."""
    return answer(converse(world, key_per_part))


def hashes_the_arguments(world: World) -> Completion:
    """Victim: the key is a hash of the arguments, memo and all: other words are another order."""
    return answer(converse(world, key_per_words))


def one_key_for_an_order(world: World) -> Completion:
    """Survivor: the key is run, tool, part and warehouse."""
    return answer(converse(world, key_per_order))


VICTIMS = {
    one_key_for_the_part: ("AF107",),
    hashes_the_arguments: ("AF101", "AF106", "AF113"),
}
SURVIVORS = (one_key_for_an_order,)
