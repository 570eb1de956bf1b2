"""The law about requests under way: one at a time for each intent (AF112).

Law: while a request is open nobody knows what it will do, so a second one for the same intent
waits, whoever sends it: a second worker, a nested trigger, a child of the same turn. Source:
CATALOGUE law E3.
"""

from agentfuzz.core.events import (
    Called,
    Committed,
    Crashed,
    Delivered,
    Intent,
    Refused,
    Replayed,
    Replied,
    Resumed,
)
from agentfuzz.core.history import History
from agentfuzz.core.verdict import Violation
from agentfuzz.invariants.law import Check, law


@law(codes={"AF112": "Two requests for one intent at the same time"}, catalogue="E3")
def single_flight(effect: str | None = None) -> Check:
    """At most one request of an intent is open at any moment.

    Open is what was called, and is neither answered nor given up. `effect` None means every effect.

    Where the backend recognises the second request (the same key, or dedup by scope), the letter
    of the catalogue is kept: two such calls may be open, but the second must not arrive while the
    first is being carried out. Without that it is broken by the call itself, because a request
    that nobody can recognise is a second effect as soon as it is sent. Not counted: a second
    arrival of one call, a request that arrives after its own reply (the network's doing), and
    what a dead process or an earlier leg left behind.

    NOT_EXERCISED when no intent was called twice.
    """

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        flight = _Flight(history)
        for event in history.events:
            if type(event) is not Called or event.intent is None:
                flight.see(event)
            elif effect in (None, event.intent.effect):
                flight.call(event, event.intent)
        return flight.found if flight.exercised else None

    return check


class _Flight:
    """The requests that are open at one moment of a history."""

    def __init__(self, history: History) -> None:
        self.found: list[Violation] = []
        self.exercised = False
        self._tools = history.tools
        self._open: dict[str, Called] = {}
        self._arrived: set[str] = set()  # of the open ones: those being carried out
        self._seen: set[Intent] = set()

    def call(self, call: Called, intent: Intent) -> None:
        self.exercised = self.exercised or intent in self._seen
        self._seen.add(intent)
        for other in self._beside(call):
            if not self._recognised(other, call):
                self._broken(other, call, call.seq, f"{call.slot} was sent")
        self._open[call.call] = call

    def see(self, event: object) -> None:
        if isinstance(event, Delivered):
            self._deliver(event)
        elif isinstance(event, (Committed, Replayed, Refused)):
            self._arrived.discard(event.call)
        elif isinstance(event, Replied):
            self._open.pop(event.call, None)
            self._arrived.discard(event.call)
        elif isinstance(event, Crashed) or (isinstance(event, Resumed) and _over(event)):
            self._open.clear()
            self._arrived.clear()

    def _deliver(self, event: Delivered) -> None:
        call = self._open.get(event.call)
        if call is None:
            return  # it arrives after its reply: the agent has long turned to something else
        for other in self._beside(call):
            if other.call in self._arrived and self._recognised(other, call):
                self._broken(other, call, event.seq, f"{call.slot} arrived")
        self._arrived.add(event.call)

    def _beside(self, call: Called) -> list[Called]:
        return [
            other
            for other in self._open.values()
            if other.intent == call.intent and other.call != call.call
        ]

    def _recognised(self, other: Called, call: Called) -> bool:
        facts = self._tools.get(call.slot.name)
        if facts is None or other.slot.name != call.slot.name:
            return False
        if facts.dedup == "scope":
            return True
        return facts.dedup == "key" and call.key is not None and call.key == other.key

    def _broken(self, other: Called, call: Called, seq: int, what: str) -> None:
        tool = call.slot.name
        assert call.intent is not None, "only effectful calls are open"
        self.found.append(
            Violation(
                code="AF112",
                subject=call.intent.effect,
                title=f"{tool}: two requests open",
                sentence=(
                    f"{what} for {call.intent} while {other.slot} was still open: whichever comes "
                    "first, the other one acts on a world that it has not seen."
                ),
                says=f"{call.slot} at {call.t:g}s",
                world=f"{other.slot} is not answered yet",
                witness=(other.seq, seq),
                hint=(
                    "claim the intent before the call, in one step (an insert with a unique key), "
                    "and let whoever finds it claimed wait or stop"
                ),
            )
        )


def _over(event: Resumed) -> bool:
    """Whether the leg before this one is over, and with it whatever it still had open."""
    return event.why != "back" and event.after != "running"
