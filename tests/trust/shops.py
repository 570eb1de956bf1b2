"""The worlds of the loops on trial: a shop, a bank, a travel agency, a help desk and a depot."""

from typing import Any

from agentfuzz import (
    Completion,
    Invariant,
    Scenario,
    World,
    call,
    scenario,
)


def shop(*laws: Invariant, dedup: Any = "key", **more: Any) -> Scenario:
    """Charge, look up, ship, mail and refund an order."""

    @scenario(*laws, task="Charge and ship order A17.", **more)
    def shop(world: World) -> None:
        charged: dict[str, int] = {}

        @world.tool(effect="charge", scope=("order_id",), dedup=dedup)
        def charge(order_id: str, cents: int, idempotency_key: str | None = None) -> dict[str, Any]:
            charged[order_id] = cents
            return {"charge_id": f"ch_{order_id}", "cents": cents}

        @world.tool(effect="shipment", scope=("order_id",), dedup="scope")
        def ship(order_id: str) -> dict[str, Any]:
            return {"parcel": f"p_{order_id}"}

        @world.tool(effect="mail", scope=("order_id", "about"), dedup="scope")
        def mail(order_id: str, about: str) -> dict[str, Any]:
            return {"sent": True}

        @world.tool(effect="refund", scope=("order_id",), dedup="scope", undoes="charge")
        def refund(order_id: str) -> dict[str, Any]:
            charged.pop(order_id, None)
            return {"refunded": order_id}

        @world.tool
        def find_charge(order_id: str) -> dict[str, Any]:
            return {"order_id": order_id, "cents": charged.get(order_id)}

        @world.tool
        def price(order_id: str) -> dict[str, Any]:
            return {"order_id": order_id, "cents": 4200}

    return shop


def travel(*laws: Invariant, dedup: Any = "scope", **more: Any) -> Scenario:
    """Book a flight and a hotel, each of which can be cancelled."""

    @scenario(*laws, task="Book the trip T1.", **more)
    def travel(world: World) -> None:
        booked: set[str] = set()

        def booking(kind: str) -> None:
            @world.tool(effect=kind, scope=("trip",), dedup=dedup, name=f"book_{kind}")
            def book(trip: str) -> dict[str, Any]:
                booked.add(f"{kind} {trip}")
                return {"booked": trip, "kind": kind}

            @world.tool(
                effect=f"{kind}_cancelled",
                scope=("trip",),
                dedup=dedup,
                undoes=f"book_{kind}",
                name=f"cancel_{kind}",
            )
            def cancel(trip: str) -> dict[str, Any]:
                booked.discard(f"{kind} {trip}")
                return {"cancelled": trip, "kind": kind}

        booking("flight")
        booking("hotel")

        @world.tool
        def booked_for(trip: str) -> dict[str, Any]:
            return {"flight": f"flight {trip}" in booked, "hotel": f"hotel {trip}" in booked}

    return travel


def desk(*laws: Invariant, **more: Any) -> Scenario:
    """A help desk with a model: look a ticket up, answer it, close it, or hand it to a person."""
    given = {
        "task": "Resolve ticket 7.",
        "script": [
            ("read_ticket", {"number": 7}),
            call("reply_to_customer", number=7, text="Turn it off and on."),
            ("close_ticket", {"number": 7}),
            Completion.success(handle="7"),
        ],
        **more,
    }

    @scenario(*laws, **given)
    def desk(world: World) -> None:
        @world.tool
        def read_ticket(number: int) -> dict[str, Any]:
            return {"number": number, "text": "It does not work.", "state": "open"}

        @world.tool(effect="reply", scope=("number",), dedup="scope")
        def reply_to_customer(number: int, text: str) -> dict[str, Any]:
            return {"message_id": f"m{number}"}

        @world.tool(effect="closing", scope=("number",), dedup="scope")
        def close_ticket(number: int) -> dict[str, Any]:
            return {"number": number, "state": "closed"}

        @world.tool(effect="handover", scope=("number",), dedup="scope")
        def hand_to_person(number: int) -> dict[str, Any]:
            return {"assigned": "ann"}

    return desk


def bank(*laws: Invariant, **more: Any) -> Scenario:
    """Hold, capture and release money; pay out, in rows."""

    @scenario(*laws, task="Settle batch B.", **{"max_crossings": 400, **more})
    def bank(world: World) -> None:
        @world.tool(effect="hold", scope=("account",), dedup="scope")
        def hold(account: str, cents: int) -> dict[str, Any]:
            return {"hold": f"h_{account}"}

        @world.tool(effect="capture", scope=("account",), dedup="key")
        def capture(account: str, cents: int, idempotency_key: str | None = None) -> dict[str, Any]:
            return {"captured": account, "cents": cents}

        @world.tool(effect="release", scope=("account",), dedup="scope", undoes="hold")
        def release(account: str) -> dict[str, Any]:
            return {"released": account}

        @world.tool(effect="payout", scope=("row",), dedup="key")
        def pay_out(row: int, cents: int, idempotency_key: str | None = None) -> dict[str, Any]:
            return {"row": row, "paid": cents}

        @world.tool
        def rows() -> dict[str, Any]:
            return {"rows": [{"row": n, "cents": 100 * n} for n in (1, 2, 3)]}

    return bank


def depot(*laws: Invariant, ready_after: float = 90.0, **more: Any) -> Scenario:
    """Start an export, ask how far it is, fetch it: a job that takes a while."""

    @scenario(*laws, task="Export the orders of May.", **more)
    def depot(world: World) -> None:
        begun: dict[str, float] = {}

        @world.tool(effect="export", scope=("month",), dedup="scope")
        def start_export(month: str) -> dict[str, Any]:
            begun.setdefault(month, world.clock.now)
            return {"job": f"job_{month}"}

        @world.tool
        def job_state(job: str) -> dict[str, Any]:
            month = job.removeprefix("job_")
            done = month in begun and world.clock.now >= begun[month] + ready_after
            return {"job": job, "state": "done" if done else "running"}

        @world.tool
        def fetch(job: str) -> dict[str, Any]:
            return {"job": job, "rows": 3}

    return depot
