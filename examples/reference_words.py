"""What the reference loop is told of the bundled stories: of each tool what proves that it was
carried out, which calls a person has to approve, which tools it may use, and what success needs.

Law: what is here is what somebody knows who knows the tools; no line says what to do. A story that
is about more than one task of one agent has none. Used by `tools/loops.py`, and by the tests of the
reference loop.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from agentfuzz.scenarios import close_case  # type: ignore[attr-defined]
from reference_loop.loop import NUDGE, Data
from reference_world import proof

Need = tuple[Any, ...]  # a tool, and the values of its scope


class Words(NamedTuple):
    """Of one story: its needs, and by tool what is known; `hidden` tools are not for its task, and
    `nudge` is what may be said to its model."""

    needs: Sequence[Need]
    tools: dict[str, Data]
    hidden: Sequence[str]
    nudge: str


def words(*needs: Need, hidden: Sequence[str] = (), nudge: str = NUDGE, **tools: Data) -> Words:
    """The words of a story."""
    return Words(needs, tools, hidden, nudge)


def filed(arguments: Any, reply: Any) -> str | None:
    """A ticket comes as a list: its name and its title."""
    whole = isinstance(reply, list) and len(reply) == 2 and reply[1] == arguments["title"]
    return reply[0] if whole and isinstance(reply[0], str) else None


def job(status: str, good: str, none: str) -> dict[str, Data]:
    """A tool that begins a job answers before it is done: only a look at its status proves it."""

    def ended(arguments: Any, reply: Any) -> str | None:
        said = reply.get("status") if isinstance(reply, dict) else None
        return str(said) if said == good else "" if said == none else None

    return {"began": {"look_up": status}, "looked": {"proof": ended}}


APPROVED = {"approval": True}
CHARGE = proof("charge_id", "ch_{order_id}")
PAY_INVOICE = proof("payment_id", "pay_{invoice_id}") | APPROVED
PAYOUT = proof("payout_id", "po_{supplier}")
SHIPPED = proof("receipt", "parcel_{order_id}")
STAFF, SUPPLIERS = ("E01", "E02", "E03", "E04"), ("S1", "S2", "S3")
DEPLOY = job("deploy_status", "live", "none")
EXPORT = job("export_status", "done", "none")

WORDS: dict[str, Words] = {
    "approve_payment": words(
        ("pay_invoice", "INV-7"), ("pay_invoice", "INV-8"), pay_invoice=PAY_INVOICE
    ),
    "book_table": words(
        ("confirm_table", "ada"),
        confirm_table=proof("booking", "b_{guest}"),
        cancel_table=proof("cancelled", "{guest}"),
        join_waitlist=proof("place", "w_{guest}"),
    ),
    "cancel_campaign": words(
        *(("send_mail", name) for name in ("ada", "bob", "cem")),
        send_mail=proof("message_id", "msg_{customer}"),
    ),
    "charge_order": words(("charge_card", "A17"), charge_card=CHARGE),
    "child_dies": words(
        ("pay_out", "ann"), ("pay_out", "bob"), pay_out=proof("payout_id", "po_{to}")
    ),
    "close_case": words(
        ("label_case", "C7"),
        hidden=["delete_case"],
        nudge=close_case.RULES,
        label_case=proof("label", "{label}"),
    ),
    "deploy_service": words(
        ("start_deploy", "v2"),
        start_deploy=DEPLOY["began"],
        deploy_status=DEPLOY["looked"],
        rollback=proof("rolled_back", "{version}"),
    ),
    "file_ticket": words(
        ("file_ticket", 42),
        ("assign_ticket", 42),
        file_ticket={"proof": filed},
        assign_ticket=proof("assigned", "{incident}") | {"after": "file_ticket"},
    ),
    "fork_and_resume": words(
        ("refund", "A17"),
        ("write", "A17"),
        refund=proof("refund_id", "re_{order_id}") | APPROVED,
        write=proof("mail_id", "mail_{order_id}") | {"after": "refund"},
    ),
    "half_a_checkpoint": words(*(("pay", name) for name in SUPPLIERS), pay=PAYOUT),
    "interrupted_mail": words(
        ("send_mail", "ann"), ("send_mail", "bob"), send_mail=proof("sent", "m_{to}")
    ),
    "journal_once": words(
        ("charge_card", "A17"),
        ("send_mail", "A17"),
        charge_card=CHARGE,
        send_mail=proof("mail_id", "mail_{order_id}") | {"after": "charge_card"},
    ),
    "keep_session": words(("reserve", "P-7"), reserve=proof("reserved", "{part}")),
    "land_change": words(
        ("run_tests", "c0ffee"),
        ("land", "c0ffee"),
        run_tests=proof("commit", "{commit}"),
        land=proof("commit", "{commit}") | {"after": "run_tests"},
    ),
    "long_session": words(("order", "pens"), order=proof("ordered", "{item}")),
    "marker_in_text": words(("book_seat", "12A"), book_seat=proof("booked", "{seat}")),
    "migrate_rows": words(("copy_rows", 0), ("copy_rows", 2), copy_rows=proof("from", "{first}")),
    "ordered_effects": words(
        *((tool, "r7") for tool in ("migrate", "deploy", "announce")),
        migrate=proof("migrate", "{release}"),
        deploy=proof("deploy", "{release}") | {"after": "migrate"},
        announce=proof("announce", "{release}") | {"after": "deploy"},
    ),
    "page_on_call": words(
        ("restart", "search"),
        restart=proof("restarted", "{service}"),
        page=proof("paged", "{service}"),
    ),
    "poll_export": words(
        ("start_export", "2026-05"), start_export=EXPORT["began"], export_status=EXPORT["looked"]
    ),
    "refund_order": words(
        ("charge_card", "A17"),
        ("ship", "A17"),
        charge_card=CHARGE,
        refund=proof("refund_id", "re_{order_id}"),
        ship=proof("parcel_id", "pa_{order_id}") | {"after": "charge_card"},
    ),
    "research_team": words(
        ("send_report", "An office in Lisbon"), send_report=proof("sent", "{title}")
    ),
    "resolve_ticket": words(
        ("send_answer", "T-9"), send_answer=proof("message_id", "msg_{ticket_id}")
    ),
    "restock_inventory": words(
        ("order_part", "P-7", "berlin"),
        ("order_part", "P-7", "lyon"),
        order_part=proof("order", "{part}-{warehouse}"),
    ),
    "resume_after_crash": words(
        *(("pay", name) for name in STAFF), pay=proof("payment_id", "pay_{employee}")
    ),
    "retry_storm": words(("book_freight", "S-7"), book_freight=proof("booking_id", "b_{shipment}")),
    "saga": words(
        ("book_flight", "LIS-1"),
        ("book_flight", "LIS-2"),
        ("book_hotel", "Tejo"),
        book_flight=proof("ticket", "t_{flight}"),
        cancel_flight=proof("cancelled", "{flight}"),
        book_hotel=proof("room", "r_{hotel}"),
    ),
    "send_invoice_mail": words(
        ("charge_card", "A17"),
        ("send_invoice", "A17"),
        charge_card=proof("receipt", "ch_{order_id}"),
        send_invoice=proof("receipt", "msg_{order_id}") | {"after": "charge_card"},
        refund=proof("receipt", "re_{order_id}"),
    ),
    "shared_stock": words(("ship", "A17"), ("ship", "B18"), ship=proof("shipped", "{order}")),
    "sign_document": words(("sign", "C-4"), sign=proof("signature", "s_{contract}") | APPROVED),
    "support_triage": words(
        ("refund", "A17"),
        ("tell_customer", "A17"),
        refund=proof("refund_id", "re_{order_id}"),
        tell_customer=proof("mail_id", "m_{order_id}"),
    ),
    "tools_change": words(
        ("refund_order", "A17"),
        ("tell_customer", "A17"),
        hidden=["cancel_order"],
        refund_order=proof("refund_id", "re_{order_id}"),
        tell_customer=proof("mail_id", "mail_{order_id}") | {"after": "refund_order"},
    ),
    "two_desks": words(("send_offer", "ann"), send_offer=proof("offer_id", "of_{to}")),
    "two_resumers": words(
        ("charge_card", "A17"),
        ("ship", "A17"),
        charge_card=CHARGE,
        ship=proof("parcel", "p_{order_id}") | {"after": "charge_card"},
    ),
    "unattended_approval": words(("pay_invoice", "INV-7"), pay_invoice=PAY_INVOICE),
    "upgrade_subscription": words(
        ("book", "credit"),
        ("book", "charge"),
        ("change_plan",),
        book=proof("booked", "{kind}"),
        change_plan=proof("plan", "{plan}") | {"after": "book"},
    ),
    "webhook_twice": words(
        ("ship", "A17"),
        ("send_mail", "A17"),
        ship=SHIPPED,
        send_mail=proof("receipt", "mail_{order_id}"),
    ),
}
