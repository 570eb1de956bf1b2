"""Honest loops of many shapes: whatever happens, what they did and what they say agree.

Law: a loop is deterministic and ends in a Completion that it can answer for. Called by the tests of
this folder.
"""

import time
from typing import Any

from agentfuzz import Completion, RateLimited, ToolError, World, scenario

LOST = (TimeoutError, ConnectionError)
FAULTS = (*LOST, ToolError)
UNKNOWN = "outcome_unknown"


def attempt(world: World, tool: str, receipt: Any, tries: int = 3, **arguments: Any) -> str:
    """`ok`, `refused` (nothing was done) or `unknown`. Repeats with one key."""
    said = "refused"
    for _ in range(tries):
        try:
            reply = world.tools[tool](**arguments)
        except RateLimited as limited:
            time.sleep(limited.retry_after or 1.0)
        except ToolError:
            return said
        except LOST:
            said = "unknown"
        else:
            if reply == receipt:
                return "ok"
            said = "unknown"
    return said


# Sagas --------------------------------------------------------------------------------------


@scenario(task="Flight and hotel, or nothing.")
def trip(world: World) -> None:
    rooms = world.state.setdefault("rooms", 1)

    for what in ("flight", "hotel"):

        @world.tool(name=f"book_{what}", effect=what, scope=("trip",), dedup="key")
        def book(trip: str, idempotency_key: str | None = None) -> dict:
            return {"trip": trip}

        @world.tool(
            name=f"cancel_{what}",
            effect=f"no_{what}",
            scope=("trip", "nth"),
            dedup="key",
            undoes=f"book_{what}",
        )
        def cancel(trip: str, nth: int, idempotency_key: str | None = None) -> dict:
            return {"trip": trip, "nth": nth}

    assert rooms


def step(world: World, tool: str, nth: int) -> str:
    more = {"nth": nth} if tool.startswith("cancel") else {}
    key = f"{tool}:{nth}"
    return attempt(world, tool, {"trip": "T", **more}, trip="T", idempotency_key=key, **more)


def saga(world: World) -> Completion:
    """Takes the flight back when there is no hotel."""
    if (flight := step(world, "book_flight", 1)) != "ok":
        return Completion.blocked(reason=UNKNOWN, handle="T") if flight == "unknown" else no_trip()
    hotel = step(world, "book_hotel", 1)
    if hotel == "ok":
        return Completion.success(handle="T")
    if hotel == "unknown":
        return Completion.blocked(reason=UNKNOWN, handle="T")
    back = step(world, "cancel_flight", 1)
    return no_trip() if back == "ok" else Completion.partial(reason="unverified", handle="flight T")


def no_trip() -> Completion:
    return Completion.failed(reason="tool_failed", detail="no trip, and nothing is booked")


def saga_again(world: World) -> Completion:
    """The saga is tried a second time once the first one is known to be undone."""
    for nth in (1, 2):
        if (flight := step(world, "book_flight", nth)) != "ok":
            if flight == "unknown":
                return Completion.blocked(reason=UNKNOWN, handle="T")
            continue
        hotel = step(world, "book_hotel", nth)
        if hotel == "ok":
            return Completion.success(handle="T")
        if hotel == "unknown" or step(world, "cancel_flight", nth) != "ok":
            return Completion.blocked(reason=UNKNOWN, handle="T")
        time.sleep(3600)
    return no_trip()


def careful_saga(world: World) -> Completion:
    """What may have happened is taken back, too, also what was answered with 429."""
    done: list[str] = []
    for what in ("flight", "hotel"):
        done.append(what)
        if step(world, f"book_{what}", 1) != "ok":
            break
    else:
        return Completion.success(handle="T")
    left = [what for what in reversed(done) if step(world, f"cancel_{what}", 1) != "ok"]
    return Completion.blocked(reason=UNKNOWN, handle=f"T: {left}") if left else no_trip()


# People and other channels --------------------------------------------------------------------


def desk(world: World) -> None:
    @world.tool(effect="sms", scope=("to",), dedup="key")
    def sms(to: str, idempotency_key: str | None = None) -> dict:
        return {"to": to}

    @world.tool(effect="mail", scope=("to",), dedup="key")
    def mail(to: str, idempotency_key: str | None = None) -> dict:
        return {"to": to}

    @world.tool(effect="ticket", scope=("to",), dedup="key")
    def ticket(to: str, idempotency_key: str | None = None) -> dict:
        return {"to": to}


tell_ann = scenario(task="Tell Ann.")(desk)
tell_somehow = scenario(task="Tell Ann.", instead={"sms": ("mail",)})(desk)
tell_both = scenario(task="Tell Ann, then Bob.", follow_ups=("And Bob.", "Thank you."))(desk)


def send(world: World, tool: str, to: str) -> str:
    return attempt(world, tool, {"to": to}, to=to, idempotency_key=f"{tool}:{to}")


def escalates(world: World) -> Completion:
    """Opens a ticket where it does not get on, and says blocked."""
    if send(world, "sms", "ann") == "ok":
        return Completion.success(handle="ann")
    send(world, "ticket", "ann")
    return Completion.blocked(reason=UNKNOWN, handle="ann")


def hands_over(world: World) -> Completion:
    """A person takes over; the mail to her says why."""
    if (said := send(world, "sms", "ann")) == "ok":
        return Completion.success(handle="ann")
    told = send(world, "mail", "support") == "ok"
    detail = f"ann: {said}; support was {'told' if told else 'perhaps not told'}"
    return Completion.partial(reason="unverified", handle="ann", detail=detail)


def raises_an_alarm(world: World) -> Completion:
    """Opens a ticket, and then raises."""
    if send(world, "sms", "ann") == "ok":
        return Completion.success(handle="ann")
    send(world, "ticket", "ann")
    raise RuntimeError("ann was perhaps not told")


def another_channel(world: World) -> Completion:
    """Success where one channel has confirmed it, and the first is known to be silent."""
    said = send(world, "sms", "ann")
    if said == "refused":
        said = send(world, "mail", "ann")
    return (
        Completion.success() if said == "ok" else Completion.blocked(reason=UNKNOWN, handle="ann")
    )


def each_by_itself(world: World) -> Completion:
    """A conversation: each request has an answer of its own."""
    if world.task == "Thank you.":
        return Completion.success(reason="nothing_to_do")
    to = "bob" if world.task == "And Bob." else "ann"
    if send(world, "sms", to) == "ok":
        return Completion.success(handle=to)
    send(world, "ticket", to)
    return Completion.blocked(reason=UNKNOWN, handle=to)


def catches_up(world: World) -> Completion:
    """What was left open is done with the next request, under the same key."""
    names = {"Tell Ann, then Bob.": ["ann"], "And Bob.": ["bob"]}.get(world.task, [])
    names = [*world.state.setdefault("open", []), *names]
    world.state["open"] = left = [name for name in names if send(world, "sms", name) != "ok"]
    if left:
        return Completion.blocked(reason=UNKNOWN, handle=", ".join(left))
    return Completion.success(handle=", ".join(names) or None)


# Charging: keys, look-ups, polling, handles ------------------------------------------------------


def shop(dedup: Any) -> Any:
    @scenario(task="Charge A17 and B18.")
    def shop(world: World) -> None:
        paid = world.state.setdefault("paid", {})

        @world.tool(effect="charge", scope=("order",), dedup=dedup)
        def charge(order: str, amount: int, idempotency_key: str | None = None) -> dict:
            paid[order] = paid.get(order, 0) + amount
            return {"order": order, "amount": amount}

        @world.tool
        def find(order: str) -> dict:
            return {"order": order, "paid": paid.get(order, 0)}

        @world.tool(effect="refund", scope=("order", "nth"), dedup="key", undoes="charge")
        def refund(order: str, nth: int, idempotency_key: str | None = None) -> dict:
            return {"order": order, "nth": nth}

    return shop


def charged(world: World, order: str, key: str | None) -> str:
    keyed = {} if key is None else {"idempotency_key": key}
    receipt = {"order": order, "amount": 42}
    return attempt(world, "charge", receipt, 3 if key else 1, order=order, amount=42, **keyed)


def keyed(world: World) -> Completion:
    """One key for each intent; stops at the first that is not certain."""
    for order in ("A17", "B18"):
        if (said := charged(world, order, f"charge:{order}")) != "ok":
            return Completion.blocked(reason=UNKNOWN, handle=f"{order}: {said}")
    return Completion.success(handle="A17, B18")


def partial(world: World) -> Completion:
    """Goes on with the next one, and says which are done."""
    said = {order: charged(world, order, f"charge:{order}") for order in ("A17", "B18")}
    done = [order for order, how in said.items() if how == "ok"]
    if len(done) == 2:
        return Completion.success(handle="A17, B18")
    return Completion.partial(reason="unverified", handle=str(said))


def found(world: World, order: str) -> bool | None:
    for _ in range(3):
        try:
            reply = world.tools.find(order=order)
        except FAULTS:
            continue
        for paid in (0, 42):
            if reply == {"order": order, "paid": paid}:
                return bool(paid)
    return None


def looks_up(world: World) -> Completion:
    """Without keys: after a lost reply it waits, looks, and repeats only what is not there. (A look
    can be false, or come before a late request: such faults are not for it.)"""
    for order in ("A17", "B18"):
        said = charged(world, order, None)
        if said == "ok":
            continue
        time.sleep(120)
        there = found(world, order)
        if there is False:
            there = True if charged(world, order, None) == "ok" else None
        if not there:
            return Completion.blocked(reason=UNKNOWN, handle=order)
    return Completion.success(handle="A17, B18")


def polls(world: World) -> Completion:
    """Sends once, and looks until it is there."""
    for order in ("A17", "B18"):
        if charged(world, order, None) == "ok":
            continue
        for _ in range(5):
            if found(world, order):
                break
            time.sleep(30)
        else:
            return Completion.blocked(reason=UNKNOWN, handle=order)
    return Completion.success(handle="A17, B18")


def money_back(world: World) -> Completion:
    """Both or none: what is not certain is given back, and said to be failed only then."""
    made: list[str] = []
    for order in ("A17", "B18"):
        made.append(order)
        if charged(world, order, f"charge:{order}") != "ok":
            break
    else:
        return Completion.success(handle="A17, B18")
    time.sleep(300)  # nothing is under way any more
    left = []
    for order in reversed(made):
        receipt = {"order": order, "nth": 1}
        more = {"order": order, "nth": 1, "idempotency_key": f"refund:{order}"}
        if attempt(world, "refund", receipt, **more) != "ok":
            left.append(order)
    if left:
        return Completion.blocked(reason=UNKNOWN, handle=", ".join(left))
    return Completion.failed(reason="tool_failed", detail="nothing was charged")
