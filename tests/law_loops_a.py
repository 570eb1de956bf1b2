"""Loops for the laws of keys, repeats, second deliveries and compensation: each victim has one
flaw, and beside it stands the loop that does without it.

Law: a victim says in one line what its flaw is. Called by `test_law_victims_a`.
"""

import json
from uuid import uuid4

from agentfuzz import Completion, ToolError, World, scenario
from agentfuzz.scenarios import saga

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE = Completion.success(handle="A17")
UNKNOWN = Completion.blocked(reason="outcome_unknown", handle="A17")
FAILED = Completion.failed(reason="tool_failed")
KEY = "trigger_1:charge_card:A17"


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


def charged(world: World, key: str | None) -> bool | None:
    """One attempt: whether a receipt came, or None where nobody knows."""
    try:
        reply = world.tools.charge_card(order_id="A17", idempotency_key=key)
    except ToolError:
        return False
    except FAULTS:
        return None
    good = isinstance(reply, dict) and isinstance(reply.get("charge_id"), str)
    return True if good else None


def saves_the_first_key(world: World) -> Completion:
    """Victim: the first key is saved; the one of a repeat is minted on the spot."""
    world.store.setdefault("key", str(uuid4()))
    done = charged(world, world.store["key"]) or charged(world, str(uuid4()))
    return DONE if done else UNKNOWN


def saves_the_key_behind(world: World) -> Completion:
    """Victim: the key is saved with the receipt."""
    key = world.store.get("key") or str(uuid4())
    done = charged(world, key)
    world.store["key"] = key
    return DONE if done else UNKNOWN


def saves_each_key(world: World) -> Completion:
    """Survivor: one key, saved before it is used."""
    world.store.setdefault("key", str(uuid4()))
    done = charged(world, world.store["key"]) or charged(world, world.store["key"])
    return DONE if done else UNKNOWN


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


def hashes_the_arguments(world: World) -> Completion:
    """Victim: the key is what the model wrote."""
    return talk(world, lambda one: json.dumps(one["arguments"]))


def takes_the_call_id(world: World) -> Completion:
    """Victim: the key is the id of the model's call."""
    return talk(world, lambda one: one["id"])


def takes_the_intent(world: World) -> Completion:
    """Survivor: run, tool, order."""
    return talk(world, intent_key)


def rolls_a_key(world: World) -> Completion:
    """Neither: its key is derived from nothing."""
    return talk(world, lambda one: str(uuid4()))


def same_keys_again(world: World) -> Completion:
    """Victim: does it all again, and the backend knows the keys."""
    for tool in ("ship", "send_mail"):
        try:
            world.tools[tool](order_id="A17", idempotency_key=f"{world.trigger_id}:{tool}")
        except FAULTS:
            return UNKNOWN
    return DONE


def a_number_for_each(world: World) -> Completion:
    """Victim: does it once, and answers each delivery with a number of its own."""
    if world.store.claim(world.trigger_id):
        same_keys_again(world)
    return Completion.success(handle=f"answer-{world.leg}")


def cancels_what_it_planned(world: World) -> Completion:
    """Victim: when anything fails, everything that was planned is given back."""
    flights = ["LIS-1", "LIS-2"]
    try:
        for flight in flights:
            world.tools.book_flight(flight, idempotency_key=flight)
    except FAULTS:
        left = saga.cancel(world, reversed(flights))
        return UNKNOWN if left else FAILED
    return DONE


def two_valued(world: World) -> Completion:
    """Victim: what is no success is a failure."""
    return DONE if charged(world, KEY) else FAILED


def three_valued(world: World) -> Completion:
    """Survivor: what is not known is said to be not known."""
    done = charged(world, KEY)
    return UNKNOWN if done is None else DONE if done else FAILED


def looks_it_up(world: World) -> Completion:
    """Survivor: asks before it answers."""
    done = charged(world, KEY)
    if done is None:
        try:
            reply = world.tools.find_charge(order_id="A17")
        except FAULTS:
            return UNKNOWN
        done = reply.get("paid") if isinstance(reply, dict) else None
    return DONE if done is True else FAILED if done is False else UNKNOWN


def gives_it_back(world: World) -> Completion:
    """Survivor: what may have happened is undone, and once that is certain it is a failure."""
    if charged(world, KEY):
        return DONE
    for _ in range(3):
        try:
            reply = world.tools.refund(order_id="A17", idempotency_key="trigger_1:refund:A17")
        except FAULTS:
            continue
        if isinstance(reply, dict) and isinstance(reply.get("refund_id"), str):
            return FAILED
    return UNKNOWN


def does_as_it_is_told(world: World) -> Completion:
    """Victim: the model confirms, and then takes it back."""
    return talk(world, intent_key)


def stands_by_it(world: World) -> Completion:
    """Survivor: what a receipt has come for is not given back because a model says so."""
    return talk(
        world, intent_key, lambda name, receipts: name != "refund" or "charge_card" not in receipts
    )


def refuses_the_second(world: World) -> Completion:
    """Victim: a second delivery is an error."""
    if not world.store.claim(world.trigger_id):
        return Completion.failed(reason="rejected", detail="already processed")
    return same_keys_again(world)
