"""The trip that is called off, and a compensation that is no exception to anything.

Two flights and a hotel belong together: without a room the flights are cancelled again, the last
one first. The room is held for twenty seconds, so one slow reply is enough to lose it. And then
the cancellation is a request like any other: its reply may get lost, and it has to be repeated,
with the same key, until somebody knows that it happened.

Source: Garcia-Molina and Salem, "Sagas" (1987); Tian Pan, "Agent Idempotency Is an Orchestration
Contract, Not a Tool Property" (2026).
Rows: F14 B06.
"""

from collections.abc import Iterable
from contextlib import suppress
from itertools import count

from agentfuzz import (
    Completion,
    RateLimited,
    Unauthorized,
    World,
    at_most_once,
    compensated,
    no_contradiction,
    scenario,
    structured_termination,
    truthful,
    unknown_is_not_failed,
)

FAILURES = (TimeoutError, ConnectionError, RateLimited, Unauthorized)
HELD = 20.0  # seconds for which the room is kept


class SoldOut(Exception):
    """There is no room left."""


@scenario(
    compensated(),
    at_most_once(),
    no_contradiction(),
    structured_termination(),
    truthful(),
    unknown_is_not_failed(),
    task="Book the trip to Lisbon: both flights and the hotel, or nothing.",
)
def saga(world: World) -> None:
    @world.tool(effect="flight", scope=("flight",), dedup="key")
    def book_flight(flight: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Book a seat."""
        return {"ticket": f"t_{flight}"}

    @world.tool(effect="cancellation", scope=("flight",), dedup="key", undoes="book_flight")
    def cancel_flight(flight: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Give a seat back."""
        return {"cancelled": flight}

    @world.tool(effect="room", scope=("hotel",), dedup="key")
    def book_hotel(hotel: str, idempotency_key: str | None = None) -> dict[str, object]:
        """Book the room that is held."""
        if world.clock.now > HELD:
            raise SoldOut("the room was held for 20 seconds")
        return {"room": f"r_{hotel}"}


def key_per_intent(world: World, tool: str, arguments: dict) -> str:
    return ":".join([world.trigger_id, tool, *arguments.values()])


def sure(world: World, tool: str, receipt: str, key_of=key_per_intent, **arguments: str) -> bool:
    """Three attempts at a call, and whether its receipt came. Raises SoldOut."""
    for _ in range(3):
        key = key_of(world, tool, arguments)
        try:
            reply = world.tools[tool](**arguments, idempotency_key=key)
        except FAILURES:
            continue
        if isinstance(reply, dict) and isinstance(reply.get(receipt), str):
            return True
    return False


def trip(world: World, give_back) -> Completion:
    """Both flights, then the hotel. Without a room `give_back` cancels the flights, and says which
    of them may still stand; a step that nobody knows about is left to people."""
    flights: list[str] = []
    for flight in ("LIS-1", "LIS-2"):
        flights.append(flight)
        if not sure(world, "book_flight", "ticket", flight=flight):
            return _unknown(flights)
    try:
        if not sure(world, "book_hotel", "room", hotel="Tejo"):
            return _unknown([*flights, "Tejo"])
    except SoldOut as error:
        left = give_back(flights)
        return _unknown(left) if left else Completion.failed(reason="rejected", detail=str(error))
    return Completion.success(handle="LIS-1, LIS-2, Tejo")


def _unknown(names: list[str]) -> Completion:
    return Completion.blocked(reason="outcome_unknown", handle=", ".join(names))


def cancel(world: World, flights: Iterable[str], key_of=key_per_intent) -> list[str]:
    """The flights whose cancellation nobody has confirmed."""
    return [
        flight
        for flight in flights
        if not sure(world, "cancel_flight", "cancelled", key_of, flight=flight)
    ]


def first_one_first(world: World) -> Completion:
    """Victim: undoes in the order in which it did."""
    return trip(world, lambda flights: cancel(world, flights))


def key_per_attempt(world: World) -> Completion:
    """Victim: the bookings have keys; the compensation, written later, mints one per attempt."""
    numbers = count(1)

    def key_of(world: World, tool: str, arguments: dict) -> str:
        return f"cancel-{next(numbers)}"

    return trip(world, lambda flights: cancel(world, reversed(flights), key_of))


def fire_and_forget(world: World) -> Completion:
    """Victim: sends each compensation once, and takes it for done."""

    def give_back(flights: list[str]) -> list[str]:
        for flight in reversed(flights):
            with suppress(*FAILURES):
                world.tools.cancel_flight(flight, idempotency_key=f"cancel-{flight}")
        return []

    return trip(world, give_back)


def forgets(world: World) -> Completion:
    """Victim: no room, no trip, and the flights stay booked."""
    return trip(world, lambda flights: [])


def last_one_first(world: World) -> Completion:
    """Survivor: from the top of the stack, each with one key, and what is not confirmed is said."""
    return trip(world, lambda flights: cancel(world, reversed(flights)))


DEPTH = 2  # one fault for the trip to be called off, and one for the calling off
VICTIMS = {
    first_one_first: ("AF110",),
    key_per_attempt: ("AF101", "AF110"),
    fire_and_forget: ("AF110", "AF307"),
    forgets: ("AF110",),
}
SURVIVORS = (last_one_first,)
