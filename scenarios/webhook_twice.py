"""The webhook that is delivered twice, the second time while the first is at work.

A payment provider reports that an order is paid; the agent ships it and tells the customer. The
provider waits a few seconds for an answer and then delivers the same event once more, with the
same id, as its documentation says it will. An agent that looks the id up first and writes it down
when it has finished is safe only against a delivery that is late enough.

Source: Tian Pan, "AI Agent Architecture: What Actually Works in Production" (2026).
Rows: F65 B26.
"""

from uuid import uuid4

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    duplicate_trigger_ignored,
    exactly_once,
    no_redo,
    scenario,
    single_flight,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)


@scenario(
    duplicate_trigger_ignored(),
    no_redo(),
    single_flight(),
    exactly_once("shipment", intents=[{"order_id": "A17"}]),
    exactly_once("mail", intents=[{"order_id": "A17"}]),
    structured_termination(),
    truthful(),
    task="Order A17 is paid: ship it, and tell the customer.",
    faults=("duplicate_trigger",),
)
def webhook_twice(world: World) -> None:
    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Send the parcel."""
        return {"receipt": f"parcel_{order_id}"}

    @world.tool(effect="mail", scope=("order_id",), dedup="key")
    def send_mail(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Tell the customer that the parcel is on its way."""
        return {"receipt": f"mail_{order_id}"}


def fulfil(world: World) -> Completion:
    """Both steps, each with a key of its own and three attempts."""
    for tool in ("ship", "send_mail"):
        if not _sure(world, tool, str(uuid4())):
            return Completion.blocked(reason="outcome_unknown", handle="A17")
    return Completion.success(handle="A17")


def _sure(world: World, tool: str, key: str) -> bool:
    for _ in range(3):
        try:
            reply = world.tools[tool](order_id="A17", idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get("receipt"), str):
            return True
    return False


def takes_every_delivery(world: World) -> Completion:
    """Victim: each delivery is a task, with keys of its own."""
    return fulfil(world)


def notes_it_at_the_end(world: World) -> Completion:
    """Victim: looks the id up, and writes it down when the work is done. In between there is room
    for a second delivery."""
    if world.trigger_id in world.store:
        return _known(world)
    done = fulfil(world)
    world.store[world.trigger_id] = done.status
    return done


def claims_it_first(world: World) -> Completion:
    """Survivor: claims the id before any work, in one step. Whoever comes second answers with what
    became of it."""
    if not world.store.claim(world.trigger_id, "at work"):
        return _known(world)
    done = fulfil(world)
    world.store[world.trigger_id] = done.status
    return done


def _known(world: World) -> Completion:
    if world.store[world.trigger_id] == "success":
        return Completion.success(reason="already_done", handle="A17")
    return Completion.blocked(reason="other", handle="A17", detail="another delivery is at it")


VICTIMS = {
    takes_every_delivery: ("AF101", "AF111", "AF112", "AF216"),
    notes_it_at_the_end: ("AF101", "AF111", "AF112"),
}
SURVIVORS = (claims_it_first,)
