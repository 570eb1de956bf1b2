"""Two agents, one seat: check-then-act, and the update that was lost.

Two children of one trip desk serve Ada and Bob at the same time, and there is one seat left. Each
adds one to the count of requests, looks whether the seat is free, and books it. That is two steps
either way, and between them the other child gets its turn; in the order that every test has them,
nothing ever goes wrong. What helps is one step that looks and acts, at the backend: a hold that
only the first one gets, and a write that only goes through over the value that was read.

Source: Tian Pan, "Building a Multi-Agent Research System" (2026).
Rows: F11 F40.
"""

import asyncio

from agentfuzz import (
    Completion,
    History,
    ToolError,
    World,
    at_most_once,
    invariant,
    scenario,
    single_flight,
    structured_termination,
    truthful,
)

SEAT = "12A"
PASSENGERS = ("ada", "bob")
FAULTS = (TimeoutError, ConnectionError, ToolError)


@invariant
def one_holder(history: History) -> list[str] | None:
    """A seat is booked for one passenger."""
    held = {str(c.args["passenger"]) for c in history.ledger if c.tool == "book_seat"}
    if not held:
        return None
    return [f"Seat {SEAT} is booked for {' and '.join(sorted(held))}."] if len(held) > 1 else []


@invariant
def no_lost_update(history: History) -> list[str] | None:
    """The count is the number of requests that were counted."""
    counted = {
        c.args["passenger"]: c.args["count"] for c in history.ledger if c.tool == "set_count"
    }
    if not counted:
        return None
    last = list(counted.values())[-1]
    return [f"{len(counted)} were counted, the count is {last}."] if last != len(counted) else []


@scenario(
    at_most_once(),
    single_flight(),
    one_holder,
    no_lost_update,
    structured_termination(),
    truthful(),
    task="Ada and Bob both want a seat on flight 42. Seat 12A is the last one.",
)
def two_agents_one_seat(world: World) -> None:
    state: dict = {"count": 0, "passenger": None}

    @world.tool
    def read_flight() -> dict[str, object]:
        """How many have asked for a seat, and who has the last one."""
        return dict(state)

    @world.tool(effect="count", scope=("passenger",), dedup="scope")
    def set_count(passenger: str, count: int, only_over: int | None = None) -> dict[str, object]:
        """Count a passenger's request; with `only_over`, only if that is still the count."""
        if only_over not in (None, state["count"]):
            raise ToolError(f"conflict: the count is {state['count']}, not {only_over}")
        state["count"] = count
        return {"passenger": passenger, "counted": True}

    @world.tool(effect="hold", scope=("seat",), dedup="scope")
    def hold_seat(seat: str, passenger: str) -> dict[str, object]:
        """Hold a seat. The first one gets it; whoever asks later is told who that was."""
        return {"seat": seat, "passenger": passenger}

    @world.tool(effect="booking", scope=("seat",), dedup="key")
    def book_seat(
        seat: str, passenger: str, idempotency_key: str | None = None
    ) -> dict[str, object]:
        """Book a seat."""
        state["passenger"] = passenger
        return {"seat": seat, "passenger": passenger, "ticket": f"{seat}-{passenger}"}


async def look_first(world: World, name: str) -> str:
    """Check, then act."""
    flight = await world.tools.aio.read_flight()
    return "full" if flight["passenger"] else await book(world, name)


async def hold_first(world: World, name: str) -> str:
    """Ask for the seat and learn who has it, in one step."""
    held = await world.tools.aio.hold_seat(seat=SEAT, passenger=name)
    if held == {"seat": SEAT, "passenger": name}:
        return await book(world, name)
    others = [{"seat": SEAT, "passenger": other} for other in PASSENGERS]
    return "full" if held in others else "unknown"


async def book(world: World, name: str) -> str:
    """Book the seat; it is booked when there is a ticket."""
    ticket = await world.tools.aio.book_seat(
        seat=SEAT, passenger=name, idempotency_key=f"{SEAT}:{name}"
    )
    good = isinstance(ticket, dict) and ticket.get("ticket") == f"{SEAT}-{name}"
    return "booked" if good else "unknown"


async def overwrite(world: World, name: str) -> bool:
    """Read, add one, write."""
    flight = await world.tools.aio.read_flight()
    receipt = await world.tools.aio.set_count(passenger=name, count=flight["count"] + 1)
    return receipt == {"passenger": name, "counted": True}


async def compare_and_set(world: World, name: str) -> bool:
    """Read, add one, write if nobody has written in between; else once more."""
    for _ in range(3):
        flight = await world.tools.aio.read_flight()
        seen = flight.get("count") if isinstance(flight, dict) else None
        if type(seen) is int:
            try:
                receipt = await world.tools.aio.set_count(
                    passenger=name, count=seen + 1, only_over=seen
                )
            except ToolError:
                continue
            return receipt == {"passenger": name, "counted": True}
    return False


async def desk(world: World, count, seat_of) -> Completion:
    """One child for each passenger; the answer is what they have come to."""

    async def serve(name: str) -> str:
        try:
            return await seat_of(world, name) if await count(world, name) else "unknown"
        except FAULTS:
            return "unknown"

    ends = await asyncio.gather(*map(serve, PASSENGERS))
    if sorted(ends) == ["booked", "full"]:
        return Completion.success(handle=SEAT)
    return Completion.blocked(reason="outcome_unknown", handle=SEAT)


async def both_look_first(world: World) -> Completion:
    """Victim: the seat is free when each of the two looks."""
    return await desk(world, compare_and_set, look_first)


async def both_overwrite(world: World) -> Completion:
    """Victim: both read the same count, and one of the two requests is lost."""
    return await desk(world, overwrite, hold_first)


async def one_step(world: World) -> Completion:
    """Survivor: the backend decides who was first, and over what may be written."""
    return await desk(world, compare_and_set, hold_first)


VICTIMS = {
    both_look_first: ("AF101", "AF112", "AF500"),
    both_overwrite: ("AF500",),
}
SURVIVORS = (one_step,)
