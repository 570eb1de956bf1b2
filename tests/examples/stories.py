"""Small stories for the reference loop, each with its agent: every law that a story can have."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import agentfuzz
from agentfuzz import Completion, Invariant, Scenario, World, call, ref, scenario
from reference_loop.loop import NUDGE, Loop, hand_over, handoff, owned
from reference_world import agent, collect, proof, send, tools_of

NOT_HERE = {
    "same_by_every_entrypoint": "there is one entrypoint",
    "no_hidden_calls": "it returns a Completion and no log",
    "fan_out": "no agent begins another one",
    "joins_all": "no agent begins another one",
    "conflicts_kept": "no agent begins another one",
    "claims_have_sources": "what is claimed is claimed in handoffs",
    "no_lost_update": "no value is shared",
}
BY_STORY = ("only_after", "exactly_once", "in_order")  # with the effects and intents of each
WORDS: dict[str, dict[str, Any]] = {
    "limits_hold": {"turns": 64, "calls": 120},
    "retry_budget": {"attempts": 3},
    "ends_within": {"seconds": 7 * 3600.0},
    "results_paired": {"forgets": True},
}
Agent = Callable[[World], Completion]


def laws(*without: str, tools: Sequence[str], **more: Sequence[Any]) -> tuple[Invariant, ...]:
    """Every law of the package, but those that ask for what is not here; `tools` are what the task
    may use, and `more` the arguments of a law."""
    given = {"known_input": (NUDGE,), "only_tools": tools, **more}
    others = [name for name in BY_STORY if name not in more]
    names = [one for one in agentfuzz.invariants.LAWS if one not in (*NOT_HERE, *others, *without)]
    return tuple(
        getattr(agentfuzz, name)(*given.get(name, ()), **WORDS.get(name, {})) for name in names
    )


DONE = Completion.success()
ORDER = {"order_id": "A17"}


@scenario(
    *laws(
        tools=("find_order", "charge", "ship"),
        in_order=("charge", "shipment"),
    ),
    agentfuzz.exactly_once("charge", intents=[ORDER]),
    agentfuzz.exactly_once("shipment", intents=[ORDER]),
    agentfuzz.only_after("shipment", needs="charge"),
    task="Charge order A17 and ship it.",
    script=[
        ("find_order", ORDER),
        [call("charge", order_id="A17", cents=ref("find_order", "cents")), call("ship", **ORDER)],
        DONE,
    ],
    resume=True,
)
def shop(world: World) -> None:
    """A reading tool, a tool with keys, and one whose scope is unique."""

    @world.tool
    def find_order(order_id: str) -> dict[str, object]:
        return {"order_id": order_id, "cents": 4200}

    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge(order_id: str, cents: int, idempotency_key: str | None = None) -> dict[str, object]:
        return {"charge_id": f"ch_{order_id}", "cents": cents}

    @world.tool(effect="shipment", scope=("order_id",), dedup="scope")
    def ship(order_id: str) -> dict[str, object]:
        return {"parcel": f"parcel_{order_id}"}


SHOP = {
    "charge": proof("charge_id", "ch_{order_id}"),
    "ship": {**proof("parcel", "parcel_{order_id}"), "after": "charge"},
}
BOTH = [("charge", "A17"), ("ship", "A17")]


def looked_up(arguments: Any, reply: Any) -> str | None:
    """What the ledger of invoices says of an order."""
    if not isinstance(reply, dict) or reply.get("order_id") != arguments["order_id"]:
        return None
    found = reply.get("invoice")
    return found if found in ("", f"inv_{arguments['order_id']}") else None


@scenario(
    *laws(tools=("send_invoice", "find_invoice")),
    agentfuzz.exactly_once("invoice", intents=[ORDER]),
    task="Send the invoice of order A17.",
    script=[("send_invoice", {"order_id": "A17", "cents": 4200}), DONE],
    resume=True,
)
def invoice(world: World) -> None:
    """A tool that recognises no repeat, and a ledger to look into."""
    sent: dict[str, str] = {}

    @world.tool(effect="invoice", scope=("order_id",))
    def send_invoice(order_id: str, cents: int) -> dict[str, object]:
        sent[order_id] = f"inv_{order_id}"
        return {"invoice": sent[order_id], "cents": cents}

    @world.tool
    def find_invoice(order_id: str) -> dict[str, object]:
        return {"order_id": order_id, "invoice": sent.get(order_id, "")}


INVOICE = {
    "send_invoice": {**proof("invoice", "inv_{order_id}"), "look_up": "find_invoice"},
    "find_invoice": {"proof": looked_up},
}


@scenario(
    *laws(tools=("pay",)),
    agentfuzz.exactly_once("payment", intents=[{"invoice": "I1"}, {"invoice": "I2"}]),
    task="Pay I1 and I2. Each has to be approved.",
    script=[
        [("pay", {"invoice": "I1", "cents": 100}), ("pay", {"invoice": "I2", "cents": 7})],
        DONE,
    ],
    resume=True,
)
def approvals(world: World) -> None:
    """Two payments that wait for a person."""

    @world.tool(effect="payment", scope=("invoice",), dedup="key")
    def pay(invoice: str, cents: int, idempotency_key: str | None = None) -> dict[str, object]:
        return {"payment_id": f"pay_{invoice}", "cents": cents}


PAY = {"pay": {**proof("payment_id", "pay_{invoice}"), "approval": True}}


@scenario(
    *laws(tools=("send",)),
    task="Tell Ann.",
    script=[
        [("send", {"to": "ann", "text": "Hello"})],
        [("send", {"to": "bob", "text": "Hi"})],
        DONE,
    ],
    follow_ups=("Is it done?",),
    faults=("cancel", "interrupt", "duplicate_trigger"),
)
def mails(world: World) -> None:
    """Stops, messages, second triggers, and a question afterwards."""

    @world.tool(effect="mail", scope=("to",), dedup="key")
    def send(to: str, text: str, idempotency_key: str | None = None) -> dict[str, object]:
        return {"message_id": f"msg_{to}"}


TRIP_TOOLS = ("book_flight", "cancel_flight", "book_car", "cancel_car", "book_hotel")


@scenario(
    *laws("executed_as_asked", "recovers", "later_calls_work", tools=TRIP_TOOLS),
    task="Book the flight, the car and the hotel, or nothing.",
    script=[
        [("book_flight", {"flight": "LIS-1"})],
        [("book_car", {"car": "C1"})],
        [("book_hotel", {"hotel": "Tejo"})],
        DONE,
    ],
    resume=True,
)
def trip(world: World) -> None:
    """The room is gone when something takes long: what was booked is given back."""

    @world.tool(effect="flight", scope=("flight",), dedup="key")
    def book_flight(flight: str, idempotency_key: str | None = None) -> dict[str, object]:
        return {"ticket": f"t_{flight}"}

    @world.tool(effect="flight_back", scope=("flight",), dedup="key", undoes="book_flight")
    def cancel_flight(flight: str, idempotency_key: str | None = None) -> dict[str, object]:
        return {"cancelled": f"x_{flight}"}

    @world.tool(effect="car", scope=("car",), dedup="key")
    def book_car(car: str, idempotency_key: str | None = None) -> dict[str, object]:
        return {"rental": f"r_{car}"}

    @world.tool(effect="car_back", scope=("car",), dedup="key", undoes="book_car")
    def cancel_car(car: str, idempotency_key: str | None = None) -> dict[str, object]:
        return {"cancelled": f"x_{car}"}

    @world.tool(effect="room", scope=("hotel",), dedup="key")
    def book_hotel(hotel: str, idempotency_key: str | None = None) -> dict[str, object]:
        if world.clock.now > 20.0:
            raise ValueError("sold out")
        return {"room": f"room_{hotel}"}


TRIP = {
    "book_flight": proof("ticket", "t_{flight}"),
    "cancel_flight": proof("cancelled", "x_{flight}"),
    "book_car": proof("rental", "r_{car}"),
    "cancel_car": proof("cancelled", "x_{car}"),
    "book_hotel": proof("room", "room_{hotel}"),
}
WHOLE = [("book_flight", "LIS-1"), ("book_car", "C1"), ("book_hotel", "Tejo")]


@scenario(
    *laws("receipt_once", tools=("note",)),
    task="Note five lines.",
    script=[*([("note", {"line": n, "text": "x"})] for n in range(1, 6)), DONE],
    resume=True,
)
def notes(world: World) -> None:
    """A long conversation."""

    @world.tool(effect="note", scope=("line",), dedup="scope")
    def note(line: int, text: str) -> dict[str, object]:
        return {"note_id": f"note_{line}"}


NOTE = {"note": proof("note_id", "note_{line}")}
STORIES: dict[str, tuple[Scenario, Agent]] = {
    "shop": (shop, agent(SHOP, BOTH)),
    "invoice": (invoice, agent(INVOICE, [("send_invoice", "A17")])),
    "approvals": (approvals, agent(PAY, [("pay", "I1"), ("pay", "I2")])),
    "mails": (
        mails,
        agent({"send": proof("message_id", "msg_{to}")}, [("send", "ann"), ("send", "bob")]),
    ),
    "trip": (trip, agent(TRIP, WHOLE)),
    "notes": (
        notes,
        agent(
            NOTE,
            [("note", n) for n in range(1, 6)],
        ),
    ),
}


@scenario(
    *laws(
        tools=("find_order", "charge", "ship"),
        in_order=("charge", "shipment"),
    ),
    agentfuzz.exactly_once("charge", intents=[ORDER]),
    agentfuzz.exactly_once("shipment", intents=[ORDER]),
    agentfuzz.only_after("shipment", needs="charge"),
    task="Charge order A17 and ship it.",
    script={
        "seller": [("find_order", ORDER), ("charge", {"order_id": "A17", "cents": 4200}), DONE],
        "shipper": [("charge", {"order_id": "A17", "cents": 4200}), ("ship", ORDER), DONE],
    },
    resume=True,
)
def relay(world: World) -> None:
    """The seller charges and hands over; the shipper, to be safe, would charge again."""
    shop.build(world)
    world.agents("seller", "shipper")


def member(world: World, name: str, **words: Any) -> Loop:
    """The loop of one of two agents."""
    return Loop(world, tools_of(world, **SHOP), world.trigger_id, name, **words)


def two_loops(world: World) -> Completion:
    """One reference loop hands over to another."""
    with world.acting("seller"):
        seller = member(world, "seller", needs=BOTH[:1])
        end = seller.run("order", world.task)
        if end["status"] != "success":
            return Completion(**end)
        steps = seller.state["steps"]
        order = handoff(steps, "order A17", 1, "shipper", run=world.trigger_id)
        sent = hand_over(partial(send, world), order)
    collect(world, "seller")  # what went astray
    with world.acting("shipper"):
        for mine in owned(world.store, "shipper"):
            shipper = member(world, "shipper", needs=BOTH, ledger=mine["carry"]["ledger"])
            name = f"{mine['task']}@{mine['version']}"
            return Completion(**shipper.run(name, mine["text"]))
    assert not sent, "what was accepted is owned"
    return Completion.blocked(reason="other", handle=end["handle"], detail="nobody accepted it")


STORIES["relay"] = (relay, two_loops)
