"""The job that two workers take up where the first one stands.

An order is charged and then shipped, and after each step the job writes down which one is next. The
queue delivers it again when a worker is slow, so for a while there are two, and both find the same
"next: charge". A lease helps if it is taken in the step that looks at it; with a look first and the
lease afterwards there is room for the other worker in between. A key of the step helps as well: the
backend then knows that both mean the same.

Rows: B43.
"""

from agentfuzz import (
    Completion,
    RateLimited,
    World,
    consume_once,
    exactly_once,
    no_redo,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited)
RECEIPTS = {"charge_card": "charge_id", "ship": "parcel"}
STEPS = tuple(RECEIPTS)


@scenario(
    consume_once(),
    exactly_once("charge", intents=[{"order_id": "A17"}]),
    exactly_once("shipment", intents=[{"order_id": "A17"}]),
    no_redo(),
    structured_termination(),
    truthful(),
    task="Charge order A17, then ship it.",
    faults=("duplicate_trigger",),
)
def two_resumers(world: World) -> None:
    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        """Look an order up."""
        return {"order": order_id, "open": True}

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Charge the customer's card."""
        return {"charge_id": f"ch_{order_id}"}

    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Send the parcel."""
        return {"parcel": f"p_{order_id}"}


def sure(world: World, tool: str, key: str) -> bool:
    """Three attempts with one key, and whether the receipt came."""
    for _ in range(3):
        try:
            reply = world.tools[tool](order_id="A17", idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get(RECEIPTS[tool]), str):
            return True
    return False


def stuck(detail: str = "") -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle="A17", detail=detail)


def from_where_it_stands(world: World) -> Completion:
    """Victim: loads the position and goes on; each worker mints keys of its own."""
    while (at := world.store.setdefault("next", 0)) < len(STEPS):
        if not sure(world, STEPS[at], f"worker-{world.leg}:{at}"):
            return stuck()
        world.store["next"] = at + 1
    return Completion.success(handle="A17")


def looks_then_leases(world: World) -> Completion:
    """Victim: takes a lease, after it has looked whether anybody has one, and the order up."""
    if "worker" in world.store:
        return stuck("another worker has it")
    try:
        world.tools.find_order(order_id="A17")
    except FAILURES:
        return stuck()
    world.store["worker"] = world.leg
    return from_where_it_stands(world)


def claims_each_step(world: World) -> Completion:
    """Survivor: each step belongs to whoever writes its claim, in one step; the other one stops."""
    while (at := world.store.setdefault("next", 0)) < len(STEPS):
        if not world.store.claim(f"step {at}", world.leg):
            return stuck("another worker is at it")
        if not sure(world, STEPS[at], f"worker-{world.leg}:{at}"):
            return stuck()
        world.store["next"] = at + 1
    return Completion.success(handle="A17")


def one_key_for_a_step(world: World) -> Completion:
    """Survivor: two may go on, and their keys say that they mean the same."""
    for at in range(world.store.setdefault("next", 0), len(STEPS)):
        if not sure(world, STEPS[at], f"{world.trigger_id}:{STEPS[at]}"):
            return stuck()
        world.store["next"] = max(at + 1, world.store["next"])
    return Completion.success(handle="A17")


VICTIMS = {
    from_where_it_stands: ("AF101", "AF418"),
    looks_then_leases: ("AF101", "AF418"),
}
SURVIVORS = (claims_each_step, one_key_for_a_step)
