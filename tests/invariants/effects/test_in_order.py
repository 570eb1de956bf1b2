"""`in_order`: effects come about in the order that was stated, as far as they do."""

import asyncio
import time

import pytest

from agentfuzz import Completion, ScenarioError, ToolError, World, in_order, scenario
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
    restarts,
    ship,
    strikes,
    tell,
    timeout,
)

LAW = in_order("charge", "shipment")
SHIPPED = (ship(), commit(), ok())


@pytest.mark.parametrize(
    "steps",
    [
        (charged(), *SHIPPED),
        (charge(), ship(), commit(1), commit(2)),
        (ship(), charge(), commit(2), commit(1)),
        (charge(), timeout(), commit(1), *SHIPPED),
        (charged(), restarts(), *SHIPPED, charged()),
        (charged(), ship("B18"), commit(), ok(), *SHIPPED),
        (has_undos(), charged(), *SHIPPED, refund(), commit(), ok(), charged()),
        (charge(), timeout(), strikes("lookup#1:once/wrong"), looked_up(), *SHIPPED, commit(1)),
    ],
    ids=[
        *("one by one", "side by side", "called the other way round", "late enough"),
        *("the first again", "of two", "undone and done again", "told a lie"),
    ],
)
def test_held(steps):
    """The first of each came after what stands before it, however they were called."""
    assert judge(LAW, tell(*steps, done())) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        (*SHIPPED, charged()),
        (charge(), ship(), commit(2), commit(1)),
        (charge(), timeout(), *SHIPPED, commit(1)),
    ],
    ids=["the wrong way round", "overtaken", "arrived late"],
)
def test_broken(steps):
    """AF115: what was to come later came first."""
    assert judge(LAW, tell(*steps, done())) == ["AF115 shipment: Committed#1 Committed#2"]


def test_three():
    """AF115 of each pair that was turned round."""
    law = in_order("charge", "refund", "shipment")
    steps = (has_undos(), *SHIPPED, refund(), commit(), ok(), charged())
    assert judge(law, tell(*steps, done())) == [
        "AF115 refund: Committed#2 Committed#3",
        "AF115 shipment: Committed#1 Committed#3",
    ]


def test_not_exercised():
    """No two of them took place, or not about one thing."""
    assert judge(LAW, tell(*SHIPPED, done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(*SHIPPED, charged("B18"), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(*SHIPPED, charge(), timeout(), done())) == "NOT_EXERCISED"
    assert judge(in_order("charge", "mail"), tell(charged(), *SHIPPED)) == "NOT_EXERCISED"


@pytest.mark.parametrize("effects", [(), ("charge",), ("charge", "charge"), ("charge", 3)])
def test_what_states_no_order(effects):
    """The cure is in the message."""
    with pytest.raises(ScenarioError, match=r"name two effects or more"):
        in_order(*effects)


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
DONE, UNKNOWN = Completion.success(handle="A17"), Completion.blocked()


@scenario(task="Charge and ship order A17.")
def sale(world: World) -> None:
    paid: set[str] = set()

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, idempotency_key: str | None = None) -> dict:
        paid.add(order_id)
        return {"receipt": f"ch_{order_id}"}

    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship_order(order_id: str, idempotency_key: str | None = None) -> dict:
        return {"receipt": f"p_{order_id}"}

    @world.tool
    def find(order_id: str) -> dict:
        return {"paid": order_id in paid}


async def sent(world: World, tool: str) -> bool:
    try:
        reply = await world.tools.aio[tool](order_id="A17", idempotency_key=tool)
    except FAULTS:
        return False
    return isinstance(reply, dict) and isinstance(reply.get("receipt"), str)


async def side_by_side(world: World) -> Completion:
    """Victim: as the turn has them, both at once."""
    both = await asyncio.gather(sent(world, "charge_card"), sent(world, "ship_order"))
    return DONE if all(both) else UNKNOWN


async def goes_on(world: World) -> Completion:
    """Victim: one after the other, whatever came of the one."""
    paid = await sent(world, "charge_card")
    return DONE if await sent(world, "ship_order") and paid else UNKNOWN


async def by_receipt(world: World) -> Completion:
    """Survivor: the next one when there is a receipt, and else nothing more."""
    for tool in ("charge_card", "ship_order"):
        if not (await sent(world, tool) or await sent(world, tool)):
            return UNKNOWN
    return DONE


def by_look_up(world: World) -> Completion:
    """Survivor: in doubt waits, and looks."""
    try:
        world.tools.charge_card(order_id="A17")
    except FAULTS:
        time.sleep(120)
    try:
        if world.tools.find(order_id="A17") != {"paid": True}:
            return UNKNOWN
        reply = world.tools.ship_order(order_id="A17")
    except FAULTS:
        return UNKNOWN
    return DONE if reply == {"receipt": "p_A17"} else UNKNOWN


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (side_by_side, "schedule:charge_card#1:preempted"),
        (goes_on, "charge_card#1:late/timeout"),
    ],
)
def test_victim(found, victim, plan):
    """Overtaken by the next one, or late."""
    how = {"only": ("preempted", "late"), "alone": True}
    told = found(LAW, sale, victim, **how)
    assert f"AF115 shipment: {plan}" in told
    assert {line.split(":")[0] for line in told} == {"AF115 shipment"}


@pytest.mark.parametrize("survivor", [by_receipt, by_look_up])
def test_survivor(held, survivor):
    """One receipt after the other."""
    assert held(LAW, sale, survivor, depth=1) > 0
