"""`only_after`: nothing is done before what it needs is known to have happened, and stands."""

import asyncio
import time

import pytest

from agentfuzz import Completion, ToolError, World, only_after, scenario
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    ok,
    refund,
    reply,
    restarts,
    ship,
    strikes,
    tell,
    timeout,
)

LAW = only_after("shipment", needs="charge")
SHIPPED = (ship(), commit(), ok(), done())
REFUNDED = (refund(), commit(), ok())


@pytest.mark.parametrize(
    "steps",
    [
        (charged(),),
        (charge(), commit(), timeout(), charge(), commit(), ok()),
        (charge(), commit(), timeout(), looked_up()),
        (charge(), timeout(), commit(1), looked_up()),
        (charged(), restarts()),
        (charge(), reply("applied", "receipt")),
        (charge(), timeout(), strikes("lookup#1:once/wrong"), looked_up()),
        (charged("B18"), charged()),
    ],
    ids=[
        "a receipt",
        "a second attempt",
        "looked up",
        "arrived late, then looked up",
        "another leg",
        "a lie of the backend",
        "a lie of a look-up",
        "of two",
    ],
)
def test_held(steps):
    """The agent had been told, by a reply or by a look-up, before it went on."""
    assert judge(LAW, tell(*steps, *SHIPPED)) == "HELD"
    assert judge(LAW, tell(has_undos(), *steps, *SHIPPED)) == "HELD"


@pytest.mark.parametrize(
    ("steps", "witness"),
    [
        ((), "Called#1 Committed#1"),
        ((charge(), timeout()), "Called#2 Committed#1"),
        ((charge(), commit(), timeout()), "Committed#1 Called#2 Committed#2"),
        ((charge(), commit(), reply("in_flight", "ok")), "Committed#1 Called#2 Committed#2"),
        (
            (charge(), commit(), reply("unknown", "{", complete=False)),
            "Committed#1 Called#2 Committed#2",
        ),
        ((charge(), timeout(), looked_up()), "Called#3 Committed#1"),
        ((charge(), commit(), timeout(), looked_up("B18")), "Committed#1 Called#3 Committed#2"),
        ((charged("B18"),), "Called#2 Committed#2"),
    ],
)
def test_broken(steps, witness):
    """AF117: nobody had said so when the second effect was called for."""
    assert judge(LAW, tell(*steps, *SHIPPED)) == [f"AF117 shipment: {witness}"]


def test_side_by_side():
    """AF117: the receipt came after the call."""
    steps = (charge(), ship(), commit(1), ok(), commit(2), ok(), done())
    assert judge(LAW, tell(*steps)) == ["AF117 shipment: Called#2 Committed#2"]


def test_withdrawn():
    """AF118: what it rests on had been taken back; not if it was done again, or undone later."""
    gone = (has_undos(), charged(), *REFUNDED)
    assert judge(LAW, tell(*gone, *SHIPPED)) == ["AF118 shipment: Committed#1 Committed#3"]
    assert judge(LAW, tell(*gone, charged(), *SHIPPED)) == "HELD"
    assert judge(LAW, tell(has_undos(), charged(), *SHIPPED[:3], *REFUNDED, done())) == "HELD"
    other = (refund("B18"), commit(), ok())
    assert judge(LAW, tell(has_undos(), charged("B18"), charged(), *other, *SHIPPED)) == "HELD"


def test_not_exercised():
    """The effect never took place."""
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(ship(), timeout(), done())) == "NOT_EXERCISED"
    assert judge(only_after("mail", needs="charge"), tell(charged(), *SHIPPED)) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()
RECEIPT = {"charge_id": "ch_A17"}


@scenario(task="Charge and ship order A17.")
def sale(world: World) -> None:
    paid: set[str] = set()

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, idempotency_key: str | None = None) -> dict:
        paid.add(order_id)
        return {"charge_id": f"ch_{order_id}"}

    @world.tool(effect="shipment", scope=("order_id",), dedup="scope")
    def ship_order(order_id: str) -> dict:
        return {"parcel": f"p_{order_id}"}

    @world.tool(effect="refund", scope=("order_id",), dedup="scope", undoes="charge_card")
    def give_back(order_id: str) -> dict:
        paid.discard(order_id)
        return {"refund": f"re_{order_id}"}

    @world.tool
    def find(order_id: str) -> dict:
        return {"paid": order_id in paid}


def attempt(world: World, tool: str, receipt: dict, tries: int = 3, **arguments) -> bool:
    for _ in range(tries):
        try:
            if world.tools[tool](order_id="A17", **arguments) == receipt:
                return True
        except FAULTS:
            continue
    return False


def shipped(world: World) -> Completion:
    return DONE if attempt(world, "ship_order", {"parcel": "p_A17"}) else UNKNOWN


def will_have_worked(world: World) -> Completion:
    """Victim: a lost reply is not waited for."""
    attempt(world, "charge_card", RECEIPT, tries=1)
    return shipped(world)


def goes_on_anyhow(world: World) -> Completion:
    """Victim: gives the money back when it is not sure, and then the plan goes on."""
    if not attempt(world, "charge_card", RECEIPT, tries=1):
        attempt(world, "give_back", {"refund": "re_A17"})
    return shipped(world)


def by_receipt(world: World) -> Completion:
    """Survivor: one key, and no parcel without a receipt."""
    paid = attempt(world, "charge_card", RECEIPT, idempotency_key="A17")
    return shipped(world) if paid else UNKNOWN


def by_look_up(world: World) -> Completion:
    """Survivor: waits, and looks whether it has arrived."""
    if not attempt(world, "charge_card", RECEIPT, tries=1):
        time.sleep(120)
        if not attempt(world, "find", {"paid": True}):
            return UNKNOWN
    return shipped(world)


async def side_by_side(world: World) -> Completion:
    """Survivor: what does not need each other runs side by side; the parcel comes last."""

    async def one() -> bool:
        return await asyncio.to_thread(
            attempt, world, "charge_card", RECEIPT, idempotency_key="A17"
        )

    looks = asyncio.to_thread(attempt, world, "find", {"paid": True})
    paid, _ = await asyncio.gather(one(), looks)
    return shipped(world) if paid else UNKNOWN


def starts_over(world: World) -> Completion:
    """Survivor: what it gave back it does again."""
    for nth in ("1", "2"):
        if attempt(world, "charge_card", RECEIPT, tries=1, idempotency_key=nth):
            return shipped(world)
        time.sleep(120)
        if not attempt(world, "give_back", {"refund": "re_A17"}):
            return UNKNOWN
    return UNKNOWN


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (will_have_worked, ["AF117 shipment: charge_card#1:once/timeout"]),
        (
            goes_on_anyhow,
            [
                "AF118 shipment: charge_card#1:once/timeout",
                "AF117 shipment: charge_card#1:lost/timeout",
            ],
        ),
    ],
)
def test_victim(found, victim, expected):
    """Goes on after a lost reply; or gives back what was done, and ships it all the same."""
    assert found(LAW, sale, victim) == expected


@pytest.mark.parametrize("survivor", [by_receipt, by_look_up, side_by_side, starts_over])
def test_survivor(held, survivor):
    """The receipt first, or what was looked up."""
    assert held(LAW, sale, survivor, depth=1) > 0
