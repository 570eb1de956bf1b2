"""The history of a run: an ordered list of frozen events, and nothing else.

Law: everything that happened is an event, every event has its place `seq` (from 0) and its
virtual time `t` (seconds since the run began), and nothing is added once the run has ended.
Written by the world, read by every invariant and report. The shape is Jepsen's: history first,
judged afterwards.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from agentfuzz.core import escaping, lanes
from agentfuzz.core.events import Called, Committed, Done, Ended, Event, Resumed

E_ = TypeVar("E_", bound=NamedTuple)


class ToolFacts(NamedTuple):
    """What a law may know about a tool: declared by the scenario, not observed."""

    name: str
    effect: str | None
    scope: tuple[str, ...]
    dedup: str
    undoes: str | None = None  # the tool whose effect this one takes back


class History:
    """The events of one run and the facts about its tools. Treat it as frozen."""

    __slots__ = ("_of", "events", "tools")

    def __init__(self, events: Iterable[Event], tools: Mapping[str, ToolFacts] | None = None):
        self.events: tuple[Event, ...] = tuple(events)
        self.tools: Mapping[str, ToolFacts] = tools or {}
        self._of: dict[type, list[Any]] | None = None

    def of(self, kind: type[E_]) -> list[E_]:
        """The events of one kind, in order. Do not change the list."""
        if self._of is None:
            index: dict[type, list[Any]] = {}
            known = index.get
            for event in self.events:
                found = known(type(event))
                if found is None:
                    index[type(event)] = [event]
                else:
                    found.append(event)
            self._of = index
        return self._of.get(kind, [])

    @property
    def ledger(self) -> list[Committed]:
        """What really happened: the committed effects, in order."""
        return self.of(Committed)

    @property
    def ended(self) -> Ended | None:
        """How the run ended, or None for a prefix."""
        last = self.events[-1] if self.events else None
        if type(last) is Ended:
            return last
        found = self.of(Ended)
        return found[-1] if found else None

    @property
    def claim(self) -> str | None:
        """The status that the agent claims: that of its last valid Done, or None."""
        valid = [done for done in self.of(Done) if not done.problem]
        return valid[-1].status if valid else None

    @property
    def legs(self) -> list[list[Event]]:
        """The events of each leg, in the order in which the legs began. A run has one, and one
        more for each restart, decision, message or second delivery of its trigger; the Resumed
        that begins a leg is its first event."""
        if not self.of(Resumed):
            return [list(self.events)]
        found: dict[int, list[Event]] = {1: []}
        now = 1
        for event in self.events:
            if type(event) is Resumed:
                now = event.leg
            found.setdefault(now, []).append(event)
        return list(found.values())

    @property
    def endings(self) -> list[str]:
        """How each leg ended, in the order of `legs`; empty for one that has not."""
        if not self.of(Resumed):
            return [self.ended.how if self.ended else ""]
        found: dict[int, str] = {1: ""}
        now = 1
        for event in self.events:
            if type(event) is Resumed:
                if event.after != "running":
                    found[now] = event.after
                now = event.leg
                found.setdefault(now, "")
            elif type(event) is Ended:
                found[now] = event.how
        return list(found.values())

    def call(self, call: str) -> Called:
        """The Called event of a call id."""
        return next(event for event in self.of(Called) if event.call == call)

    def __len__(self) -> int:
        return len(self.events)

    def __str__(self) -> str:
        """Its sequence, as a terminal shows it."""
        return lanes.printed(self, ascii_only=lanes.shows_ascii_only())

    def __repr__(self) -> str:
        how = escaping.visible(self.ended.how) if self.ended else "not ended"
        return f"<History of {len(self.events)} events, {how}>"
