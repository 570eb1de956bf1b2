"""The mail that went out before the money came in.

An order is charged, and then its customer gets the invoice: "we have charged your card". A mail
cannot be taken back. The payment provider answers "accepted", the model reads that as done and
asks for the mail; or the charge fails, is refunded to be safe, and the loop goes on with the next
step of its plan; or the model says that all is sent, and nobody has called anything. What decides
is whether the mail waits for the receipt of the charge, and the answer for that of the mail.

Source: Tian Pan, "'Done!' Is Not a Return Code" (2026); arXiv 2609.15397, anomalies A5 and A6.
Rows: F20 B15 B32 B33 B35.
"""

import json

from agentfuzz import (
    Completion,
    ModelError,
    ToolError,
    World,
    exactly_once,
    handle_resolves,
    no_lost_intent,
    only_after,
    scenario,
    structured_termination,
    truthful,
)

FAILURES = (TimeoutError, ConnectionError, ToolError)
ORDER, CENTS = "A17", 4200
CHARGED, SENT = "ch_A17", "msg_A17"


@scenario(
    only_after("mail", needs="charge"),
    exactly_once("mail", intents=[{"order_id": ORDER}]),
    no_lost_intent(),
    handle_resolves(),
    structured_termination(),
    truthful(),
    task="Charge order A17, 42.00 EUR, and mail the customer the invoice.",
    script=[
        ("charge_card", {"order_id": ORDER, "cents": CENTS}),
        ("send_invoice", {"order_id": ORDER}),
        Completion.success(handle=SENT),
    ],
)
def send_invoice_mail(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(
        order_id: str, cents: int, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Charge the card of an order."""
        return {"receipt": f"ch_{order_id}", "cents": cents}

    @world.tool(effect="mail", scope=("order_id",), dedup="key")
    def send_invoice(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Mail the invoice of an order: "we have charged your card"."""
        return {"receipt": f"msg_{order_id}"}

    @world.tool(effect="refund", scope=("order_id",), dedup="key", undoes="charge_card")
    def refund(order_id: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Give the money of an order back. For the loop, not for the model."""
        return {"receipt": f"re_{order_id}"}


def converse(world: World, act) -> tuple[dict, list[object]]:
    """One conversation: what the model closed with, and the receipts that came. `act` carries a
    call of the model out."""
    messages: list[dict] = [{"role": "user", "content": world.task}]
    receipts: list[object] = []
    for _ in range(10):
        try:
            turn = world.model(messages, ["charge_card", "send_invoice"])
        except (ModelError, TimeoutError, ConnectionError):
            continue
        messages.append(turn)
        done = [each for each in turn["tool_calls"] if each["name"] == "done"]
        if done or not turn["tool_calls"]:
            return (done[0]["arguments"] if done else {}), receipts
        for each in turn["tool_calls"]:
            try:
                reply = act(each, receipts)
            except FAILURES as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            if isinstance(reply, dict) and isinstance(reply.get("receipt"), str):
                receipts.append(reply["receipt"])
            text = reply if isinstance(reply, str) else json.dumps(reply, default=str)
            messages.append({"role": "tool", "tool_call_id": each["id"], "content": text})
    return {}, receipts


def carry_out(world: World, each: dict, receipts: list[object]) -> object:
    """A call as the model asked for it, under the key of its step."""
    key = f"{world.trigger_id}:{each['name']}:{ORDER}"
    arguments = {**each["arguments"], "idempotency_key": key}
    return world.call(each["name"], arguments, asked=each["id"])


def answer(receipts: list[object]) -> Completion:
    """Success is the receipt of the mail."""
    if SENT in receipts:
        return Completion.success(handle=SENT)
    return Completion.blocked(reason="outcome_unknown", handle=ORDER)


def mails_when_asked(world: World) -> Completion:
    """Victim: carries out whatever the model asks for; to a model "accepted" is as good as done."""
    _, receipts = converse(world, lambda each, seen: carry_out(world, each, seen))
    return answer(receipts)


def refunds_and_goes_on(world: World) -> Completion:
    """Victim: takes a charge in doubt back, which settles it, and goes on with the plan."""

    def act(each: dict, receipts: list[object]) -> object:
        try:
            return carry_out(world, each, receipts)
        except (TimeoutError, ConnectionError):
            if each["name"] != "charge_card":
                raise
            world.tools.refund(order_id=ORDER, idempotency_key=f"{world.trigger_id}:refund")
            return {"order_id": ORDER, "status": "settled"}

    _, receipts = converse(world, act)
    return answer(receipts)


def says_it_is_sent(world: World) -> Completion:
    """Victim: the model says that the mail is sent. Nobody has called anything."""
    said, _ = converse(world, lambda each, seen: gated(world, each, seen))
    done = said.get("status") == "success"
    return Completion.success(handle=SENT) if done else answer([])


def any_receipt(world: World) -> Completion:
    """Victim: something came back that looks like a receipt, and is handed on as the handle."""
    _, receipts = converse(world, lambda each, seen: gated(world, each, seen))
    last = receipts[-1] if receipts else CHARGED
    return answer(receipts) if last == CHARGED else Completion.success(handle=str(last))


def gated(world: World, each: dict, receipts: list[object]) -> object:
    """A call of the model; a mail only after the receipt of the charge."""
    if each["name"] == "send_invoice" and CHARGED not in receipts:
        return {"error": "not charged yet: charge first"}
    return carry_out(world, each, receipts)


def receipts_decide(world: World) -> Completion:
    """Survivor: the receipt of the charge opens the way to the mail, and that of the mail is the
    success. What the model says is not asked."""
    _, receipts = converse(world, lambda each, seen: gated(world, each, seen))
    return answer(receipts)


VICTIMS = {
    mails_when_asked: ("AF103", "AF117", "AF301"),
    refunds_and_goes_on: ("AF103", "AF117", "AF118", "AF301"),
    says_it_is_sent: ("AF103", "AF301"),
    any_receipt: ("AF103", "AF301", "AF312"),
}
SURVIVORS = (receipts_decide,)
