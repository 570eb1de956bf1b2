"""`handle_resolves`: an answer names what was done, or nothing that is anything else."""

import json

import pytest

from agentfuzz import Completion, ToolError, World, handle_resolves, scenario
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    ok,
    returned,
    strikes,
    tell,
    timeout,
)

LAW = handle_resolves()
RECEIPT = {"charge_id": "ch_1", "amount": 42}


def paid(order="A17", amount=42, receipt=RECEIPT):
    """A charge of so much, with its receipt."""
    steps = (call("charge_card", order_id=order, amount=amount), commit(), ok(receipt))
    return lambda story: [step(story) for step in steps] and None


@pytest.mark.parametrize(
    "handle",
    [
        *("A17", "ch_1", "e1", "A17, B18", "order A17: paid 42", "42"),
        *("B", "batch-7", "none", "done", "https://shop.example/orders/A17", "c_9"),
        {"order_id": "A17", "amount": 42},
        {"order_id": "A17", "amount": "42.00", "currency": "EUR", "status": "paid"},
        {"amount": 4200},
        {"order_id": ["A17"]},
        json.dumps({"order_id": "A17", "amount": 0.42}),
        ["A17", "ch_1"],
        "{not json",
    ],
    ids=str,
)
def test_held(handle):
    """An order, a receipt, a list, a label of its own; fields that agree."""
    other = (call("charge_card", order_id="C19", amount=7), timeout())
    history = tell(paid(), looked_up("B18", {"customer": "c_9"}), *other, done(handle=handle))
    assert judge(LAW, history) == "HELD"


@pytest.mark.parametrize(
    "handle",
    [
        *("B18", "C19", "order C19", "C19: 7"),
        {"order_id": "B18"},
        {"order_id": "A17", "amount": 420},
        json.dumps({"order_id": "A17", "amount": 43}),
    ],
    ids=str,
)
def test_broken(handle):
    """AF312: another order, of which nothing was done, or another amount."""
    other = (call("charge_card", order_id="C19", amount=7), timeout())
    history = tell(paid(), looked_up("B18"), *other, done(handle=handle))
    assert judge(LAW, history) == ["AF312 handle: Done#1"]


def test_sums():
    """Of two effects the sum is as good as each."""
    both = (paid(), paid("B18", 8))
    assert judge(LAW, tell(*both, done(handle={"amount": 50}))) == "HELD"
    assert judge(LAW, tell(*both, done(handle={"amount": 51}))) == ["AF312 handle: Done#1"]


def test_what_a_false_reply_made_up():
    """AF312: a receipt that nobody has; what else stands in that reply may be true."""
    baseline = tell(paid(), done(handle="ch_1"))
    false = {"charge_id": "ch_7", "amount": 42}

    def told(handle):
        strike = strikes("charge_card#1:once/wrong")
        steps = (call("charge_card", order_id="A17", amount=42), strike, commit(), ok(false))
        return judge(LAW, tell(*steps, done(handle=handle)), baseline)

    assert told("ch_7") == told("A17 as ch_7") == ["AF312 handle: Done#1"]
    assert told("ch_1") == told("A17") == told("42") == told("ch_8") == "HELD"


def test_as_without_faults():
    """What the fault-free run says of the same effects is what it is called."""
    steps = (looked_up("B18"), paid(), done(handle="B18"))
    assert judge(LAW, tell(*steps), tell(*steps)) == "HELD"


def test_not_exercised():
    """No success, no handle, or nothing done."""
    assert judge(LAW, tell(paid(), done("blocked", handle="B18"))) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), returned("B18"))) == "NOT_EXERCISED"
    assert judge(LAW, tell(charge(), timeout(), done(handle="B18"))) == "NOT_EXERCISED"


# on whole loops

FAULTS = (TimeoutError, ConnectionError, ToolError)
UNKNOWN = Completion.blocked()
ORDERS = ("A17", "B18")


@scenario(task="Charge the first open order.")
def till(world: World) -> None:
    paid: dict[str, int] = {}

    @world.tool
    def find(order_id: str) -> dict:
        return {"order_id": order_id, "paid": paid.get(order_id, 0), "open": order_id != "A17"}

    @world.tool(effect="charge", scope=("order_id",), dedup="scope")
    def charge_card(order_id: str, amount: int) -> dict:
        paid[order_id] = amount
        return {"charge_id": f"ch_{order_id}_1", "amount": amount}


def attempt(world: World, tool: str, **arguments):
    for _ in range(3):
        try:
            found = world.tools[tool](**arguments)
        except FAULTS:
            continue
        if isinstance(found, dict):
            return found
    return None


def charged_order(world: World, order: str) -> dict | None:
    receipt = attempt(world, "charge_card", order_id=order, amount=42)
    return receipt if isinstance((receipt or {}).get("charge_id"), str) else None


def names_the_last(world: World) -> Completion:
    """Victim: looks on after it has charged what it takes for open, and names what it saw last."""
    paid = False
    for order in ORDERS:
        found = attempt(world, "find", order_id=order)
        if found is None or (found.get("open") is not False and not paid):
            paid = charged_order(world, order) is not None
    return Completion.success(handle=order) if paid else UNKNOWN


def by_receipt(world: World) -> Completion:
    """Victim: a receipt is taken for what it says."""
    receipt = charged_order(world, "B18")
    return Completion.success(handle=receipt["charge_id"]) if receipt else UNKNOWN


def by_order(world: World) -> Completion:
    """Survivor: names the order that it has charged."""
    for order in ORDERS:
        found = attempt(world, "find", order_id=order)
        if found is not None and found.get("open") is True:
            return Completion.success(handle=order) if charged_order(world, order) else UNKNOWN
    return Completion.success(reason="nothing_to_do", handle="none")


def by_label(world: World) -> Completion:
    """Survivor: has a name of its own for what it did."""
    return Completion.success(handle="batch-7") if charged_order(world, "B18") else UNKNOWN


def by_fields(world: World) -> Completion:
    """Survivor: writes what it sent, and looks before it believes a receipt."""
    receipt = charged_order(world, "B18")
    if receipt is None or receipt["charge_id"] != "ch_B18_1":
        return UNKNOWN
    return Completion.success(handle=json.dumps({"order_id": "B18", "amount": 42}))


def all_of_them(world: World) -> Completion:
    """Survivor: a list, of what is certain."""
    done = [order for order in ORDERS if charged_order(world, order)]
    return Completion.success(handle=", ".join(done)) if done else UNKNOWN


@pytest.mark.parametrize(
    ("victim", "expected"),
    [
        (names_the_last, "AF312 handle: find#1:once/wrong"),
        (by_receipt, "AF312 handle: charge_card#1:once/wrong"),
    ],
)
def test_victim(found, victim, expected):
    """The last that it looked at, or a receipt that nobody has."""
    assert expected in found(LAW, till, victim)


@pytest.mark.parametrize("survivor", [by_order, by_label, by_fields, all_of_them])
def test_survivor(held, survivor):
    """What was sent, a label, fields, a list."""
    assert held(LAW, till, survivor, depth=1) > 0
