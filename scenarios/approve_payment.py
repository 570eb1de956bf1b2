"""The approval that was clicked twice, refused, or given when it was too late.

An agent plans two payments, and a person has to allow each of them. The loop asks and ends; a
click wakes it up again. Clicks are messages: one is delivered twice, another arrives while the
first one's payment is under way, a third after the request has expired, and they say no as well
as yes. What decides is whether a decision moves the one call that it names, and is used up by it.

Source: Tian Pan, "Agent Idempotency Is an Orchestration Contract, Not a Tool Property" (2026).
Rows: F06 B21 B40.
"""

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    approval_single_use,
    exactly_once,
    one_decision_one_interrupt,
    scenario,
    structured_termination,
    truthful,
)

INVOICES = {"INV-7": 4200, "INV-8": 900}


@scenario(
    exactly_once("payment", intents=[{"invoice_id": name} for name in INVOICES]),
    approval_single_use("pay_invoice"),
    one_decision_one_interrupt(),
    structured_termination(),
    truthful(),
    task="Pay the invoices INV-7 and INV-8. Each payment has to be approved.",
    script=[
        [("pay_invoice", {"invoice_id": name, "cents": c}) for name, c in INVOICES.items()],
        Completion.success(handle="INV-7, INV-8"),
    ],
)
def approve_payment(world: World) -> None:
    @world.tool(effect="payment", scope=("invoice_id",), dedup="key")
    def pay_invoice(
        invoice_id: str, cents: int, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Pay an invoice. Needs a person's approval."""
        return {"payment_id": f"pay_{invoice_id}", "invoice_id": invoice_id, "cents": cents}


def ask(world: World) -> Completion:
    """The first leg: let the model plan, write the plan down, and ask for each payment."""
    try:
        turn = world.model([{"role": "user", "content": world.task}], list(world.tools))
    except (ModelError, TimeoutError, ConnectionError):
        return Completion.blocked(reason="dependency_unavailable")
    calls: dict[str, dict] = {}
    for each in turn["tool_calls"] if turn["stop"] == "tool_calls" else ():
        arguments = each["arguments"]
        planned = [known["invoice_id"] for known in calls.values()]
        whole = each["name"] == "pay_invoice" and set(arguments) == {"invoice_id", "cents"}
        if whole and arguments["invoice_id"] not in planned:
            calls[each["id"]] = arguments
    world.store["calls"] = calls
    for call, arguments in calls.items():
        world.store[arguments["invoice_id"]] = "waiting"
        world.request_approval("pay_invoice", call=call)
    return answer(world)


def pay(world: World, call: str, key: str) -> None:
    """Execute a call that was asked for, in doubt once more, and write down how it stands."""
    arguments = world.store["calls"][call]
    invoice = arguments["invoice_id"]
    world.store[invoice] = "paying"
    for _ in range(2):
        try:
            receipt = world.call("pay_invoice", {**arguments, "idempotency_key": key}, asked=call)
        except (TimeoutError, ConnectionError, ToolError):
            continue
        if isinstance(receipt, dict) and receipt.get("payment_id") == f"pay_{invoice}":
            world.store[invoice] = "paid"
        return


def refuse(world: World, call: str) -> None:
    """Write down that a call is not to be executed."""
    world.store[world.store["calls"][call]["invoice_id"]] = "refused"


def answer(world: World) -> Completion:
    """How things stand, out of what was written down."""
    states = [world.store.get(name, "not planned") for name in INVOICES]
    if set(states) == {"paid"}:
        return Completion.success(handle="INV-7, INV-8")
    if "paying" in states:
        return Completion.blocked(reason="outcome_unknown", handle="INV-7, INV-8")
    if "waiting" in states:
        return Completion.blocked(reason="needs_approval", handle="INV-7, INV-8")
    if "paid" in states:
        return Completion.partial(handle="INV-7, INV-8")
    return Completion.failed(reason="rejected" if "refused" in states else "other")


def every_click(world: World) -> Completion:
    """Victim: pays whenever an approval is delivered, and each click gets a key of its own."""
    decision = world.decision
    if decision is None:
        return ask(world)
    if decision.granted:
        pay(world, decision.call, key=f"click-{world.leg}")
    else:
        refuse(world, decision.call)
    return answer(world)


def in_order(world: World) -> Completion:
    """Victim: takes whatever decision comes for one on the call that waits longest."""
    if world.decision is None:
        return ask(world)
    calls = world.store["calls"]
    oldest = next((c for c in calls if world.store[calls[c]["invoice_id"]] == "waiting"), None)
    if oldest is not None and world.decision.granted:
        pay(world, oldest, key=oldest)
    elif oldest is not None:
        refuse(world, oldest)
    return answer(world)


def any_answer(world: World) -> Completion:
    """Victim: `if decision:` - and a refusal is a decision, too."""
    if world.decision is None:
        return ask(world)
    if world.store.claim(world.decision.approval):
        pay(world, world.decision.call, key=world.decision.approval)
    return answer(world)


def whenever(world: World) -> Completion:
    """Victim: an approval that has expired is not written down as closed, and still works."""
    decision = world.decision
    if decision is None:
        return ask(world)
    if decision.granted is None:
        return Completion.blocked(reason="needs_approval", handle="INV-7, INV-8")
    return used_once(world)


def used_once(world: World) -> Completion:
    """Survivor: the first answer to an approval uses it up, in the step that reads it."""
    decision = world.decision
    if decision is None:
        return ask(world)
    if world.store.claim(decision.approval, decision.granted):
        if decision.granted:
            pay(world, decision.call, key=decision.approval)
        else:
            refuse(world, decision.call)
    return answer(world)


VICTIMS = {
    every_click: ("AF101", "AF408", "AF409"),
    in_order: ("AF408", "AF409"),
    any_answer: ("AF408", "AF409"),
    whenever: ("AF409",),
}
SURVIVORS = (used_once,)
