"""What is usual: a call as it went the last time that the same was called at the same place.

Law: its events are those that the general way would write, and are looked at before they are
believed: the types of what was given or said, and then the values, so that no code of an agent's
runs. Kept by a tool's spec from one run to the next; asked by the lane.
"""

from typing import Any

from agentfuzz.core.codec import plain
from agentfuzz.core.events import Called, Committed, Delivered, Replied, made
from agentfuzz.core.faults import Slot
from agentfuzz.world.injector import Crossing

At = tuple[int, int, float, str, str | None]  # which call of the tool; its `seq`, `t` and ids
_FLAT = frozenset({str, int, bool, type(None)})  # what `plain` leaves as it is, or changes visibly


class Usual:
    """One call: its events, each as long as nothing comes between them, and its crossing. `kinds`
    are the types of the names and values of its arguments, and the names; `shape` is the same of
    its reply, or None where that is no flat object. The types come first, so that names are only
    compared where they are plain texts. `number` says which effect of its kind was `committed`."""

    __slots__ = (
        *("called", "committed", "crossing", "delivered", "intent", "kinds", "number"),
        *("place", "replied", "shape"),
    )

    def __init__(self, called: Called, place: Slot, group: str) -> None:
        args = called.args
        self.called = called
        self.intent = called.intent
        self.kinds = [*map(type, args), *map(type, args.values()), *args]
        self.place = place
        self.crossing: Crossing = made(Crossing, (place, called.seq, group))
        at = (called.seq + 1, called.t, called.call, 1)
        self.delivered: Delivered = made(Delivered, at)
        self.number = 0
        self.committed: Any = None
        self.shape: list[Any] | None = None
        self.replied: Any = None

    def commits(self, number: int, seq: int, now: float, *, steady: bool) -> Committed:
        """Its effect, the nth of its kind, is carried out here. `steady`: nothing came between."""
        _, _, call, slot, args, key, intent, _, _ = self.called
        assert intent is not None, "what only reads commits nothing"
        effect_id = f"{intent.effect}-{number}"
        at = (seq, now, effect_id, call, 1, slot.name, intent, key, args)
        committed: Committed = made(Committed, at)
        if steady:
            self.number, self.committed = number, committed
        return committed

    def replies(self, value: Any, seq: int, now: float, *, steady: bool) -> Replied:
        """This reaches the agent, unlike the last time."""
        body, kinds = plain(value), _FLAT.issuperset
        at = (seq, now, self.called.call, "applied", True, body, None)
        replied: Replied = made(Replied, at)
        if steady and type(value) is dict and kinds(map(type, value.values())) and value == body:
            self.shape = [*map(type, value), *map(type, value.values()), *value]
            self.replied = replied
        return replied
