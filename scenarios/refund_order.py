"""The refund of a charge that nobody has seen.

The last pair of a sale is held for twenty seconds: charge the card, ship the pair, and give the
money back if it is gone by then. The reply to the charge gets lost. Was the card charged? Whoever
refunds at once refunds a charge that arrives a minute later, or one that was never asked for;
whoever looks it up at once sees nothing, and charges again; and whoever copies the amount from a
reply sends what that reply made of it. What helps is to ask again with the same key until there is
a receipt, and to give back only what a receipt speaks of.

Source: Garcia-Molina and Salem, "Sagas" (1987); Stripe, "Designing robust and predictable APIs
with idempotency" (2017).
Rows: F02 B06 B29 B30 B31 B34.
"""

from agentfuzz import (
    Completion,
    ToolError,
    World,
    compensated,
    exactly_once,
    no_blind_repeat,
    same_arguments,
    scenario,
    structured_termination,
    truthful,
    unknown_is_not_failed,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
ORDER, CENTS = "A17", 4200
HELD = 20.0  # seconds for which the pair is kept


class SoldOut(Exception):
    """The pair is gone."""


@scenario(
    exactly_once("charge", intents=[{"order_id": ORDER}]),
    compensated(),
    no_blind_repeat(),
    same_arguments(),
    structured_termination(),
    truthful(),
    unknown_is_not_failed(),
    task="Sell order A17 for 42.00 EUR: charge the card and ship, or give the money back.",
)
def refund_order(world: World) -> None:
    orders = {ORDER: {"order_id": ORDER, "cents": CENTS, "charged": False}}

    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        """Look an order up: what it costs, and whether it is charged."""
        return dict(orders[order_id])

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(
        order_id: str, cents: int, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Charge the card of an order."""
        orders[order_id]["charged"] = True
        return {"charge_id": f"ch_{order_id}", "cents": cents}

    @world.tool(effect="refund", scope=("order_id",), dedup="key", undoes="charge_card")
    def refund(order_id: str, cents: int, idempotency_key: str | None = None) -> dict[str, object]:
        """Give the money of an order back."""
        orders[order_id]["charged"] = False
        return {"refund_id": f"re_{order_id}", "cents": cents}

    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Ship the pair that is held."""
        if world.clock.now > HELD:
            raise SoldOut("the pair was held for 20 seconds")
        return {"parcel_id": f"pa_{order_id}"}


def sure(world: World, tool: str, receipt: str, **arguments: object) -> bool:
    """Three attempts with one key, and whether the receipt came. Raises SoldOut."""
    for _ in range(3):
        try:
            reply = world.tools[tool](**arguments, idempotency_key=f"{world.trigger_id}:{tool}")
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get(receipt), str):
            return True
    return False


def sell(world: World, charged: bool | None) -> Completion:
    """What comes after the charge: ship, or give the money back. None: nobody knows of a charge."""
    if charged is None:
        return _unknown()
    try:
        if charged and sure(world, "ship", "parcel_id", order_id=ORDER):
            return Completion.success(handle=ORDER)
        if charged:
            return _unknown()
    except SoldOut:
        pass
    if sure(world, "refund", "refund_id", order_id=ORDER, cents=CENTS):
        return Completion.failed(reason="rejected", detail="the pair is sold out")
    return _unknown()


def _unknown() -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=ORDER)


def charge(world: World, key: str, cents: int = CENTS) -> bool:
    """One attempt at the charge, and whether its receipt came."""
    try:
        reply = world.tools.charge_card(order_id=ORDER, cents=cents, idempotency_key=key)
    except FAILURES:
        return False
    return isinstance(reply, dict) and reply.get("charge_id") == f"ch_{ORDER}"


def refunds_the_unknown(world: World) -> Completion:
    """Victim: no receipt, no sale, and the money back, although nobody knows of any money."""
    return sell(world, charge(world, "charge"))


def refunds_the_plan(world: World) -> Completion:
    """Victim: the sale is off before it has begun, and what was to be charged is given back."""
    try:
        world.tools.find_order(order_id=ORDER)
    except FAILURES:
        return sell(world, False)
    return receipt_first(world)


def looks_up_too_early(world: World) -> Completion:
    """Victim: looks the charge up while its request is still under way, and charges again."""
    if charge(world, "charge-1"):
        return sell(world, True)
    try:
        order = world.tools.find_order(order_id=ORDER)
    except FAILURES:
        return sell(world, None)
    there = isinstance(order, dict) and order.get("charged") is True
    return sell(world, there or charge(world, "charge-2") or None)


def copies_the_amount(world: World) -> Completion:
    """Victim: charges whatever the look-up says that the order costs."""
    try:
        order = world.tools.find_order(order_id=ORDER)
        return sell(world, charge(world, "charge", order["cents"]) or None)
    except (*FAILURES, KeyError, TypeError):
        return sell(world, None)


def receipt_first(world: World) -> Completion:
    """Survivor: the same key until there is a receipt; what has none is left to people, and the
    amount is that of the task."""
    known = sure(world, "charge_card", "charge_id", order_id=ORDER, cents=CENTS)
    return sell(world, known or None)


VICTIMS = {
    refunds_the_unknown: ("AF110",),
    refunds_the_plan: ("AF110",),
    looks_up_too_early: ("AF101", "AF104", "AF301"),
    copies_the_amount: ("AF116",),
}
SURVIVORS = (receipt_first,)
