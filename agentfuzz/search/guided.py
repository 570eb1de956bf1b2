"""The guided phase: three faults and more, and values, grown from what earlier runs have shown.

Law: a plan whose run showed a behaviour that no run had shown before is kept, and grown by one
fault at a crossing after its last; what that fault opens may be faulted in the same run. No plan
is run twice, and a seed says everything. Called by the campaign, after the exhaustive phases.

A behaviour is what the agent and the backend did, not what the faults looked like: which slots
were reached, what was committed, replayed or refused there, how each leg ended. The idea of a
corpus that grows by new coverage: AFL (Zalewski); of giving the rare ones more runs: AFLFast
(CCS 2016). `benchmarks/guided.py` compares it with Hypothesis, with and without `target()`.
"""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import NamedTuple

from agentfuzz.faults import Fault, FaultPlan, Slot
from agentfuzz.history import (
    Called,
    Cancelled,
    Committed,
    Decided,
    Done,
    Ended,
    History,
    Messaged,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Saved,
    Struck,
)
from agentfuzz.injector import Crossing, Drawn
from agentfuzz.replies import VARIANTS
from agentfuzz.search.space import Space, kind_of

LATENCIES = (1, 120)  # virtual seconds
MAX_FAULTS = 6
Behaviour = frozenset[tuple[object, ...]]


class Entry:
    """A plan of the corpus: its behaviour, where it may be grown, and how often it has been."""

    __slots__ = ("behaviour", "open", "plan", "runs")

    def __init__(self, plan: FaultPlan, behaviour: Behaviour, open: list[Crossing]) -> None:
        self.plan = plan
        self.behaviour = behaviour
        self.open = open
        self.runs = 0


def behaviour(history: History) -> Behaviour:
    """What the agent and the backend did in a run."""
    slots: dict[str, Slot] = {}
    struck = {event.slot for event in history.of(Struck)}
    seen: set[tuple[object, ...]] = set()
    for event in history.events:
        kind = type(event)
        if kind is Called:
            slots[event.call] = event.slot
            seen.add((event.slot,))
        elif kind is Replied:
            if slots[event.call] not in struck:
                seen.add((slots[event.call], event.outcome, event.raised))
        elif kind is Committed or kind is Replayed or kind is Refused:
            seen.add((kind, slots[event.call], event.nth if kind is not Refused else event.kind))
        elif kind is ModelTurn:
            if event.slot not in struck:
                seen.add((event.slot, event.stop, len(event.calls)))
        elif kind is Done:
            seen.add((kind, event.status, event.reason, bool(event.problem)))
        elif kind is Saved:
            seen.add((kind, event.slot))
        elif kind is Resumed:
            seen.add((kind, event.why, event.leg, event.after))
        elif kind is Ended:
            seen.add((kind, event.how, event.error))
        elif kind is Cancelled or kind is Messaged:
            seen.add((kind, event.how))
        elif kind is Decided:
            seen.add((kind, event.value))
    return frozenset(seen)


class Corpus:
    """Plans worth growing. `run` is told to by `explore`; `learn` may be told of any run before,
    so that what is known already is not found again."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._random = Random(seed)
        self._entries: dict[Behaviour, Entry] = {}
        self._hits: dict[tuple[object, ...], int] = {}
        self._credit: dict[str, float] = {}
        self._tried: set[FaultPlan] = set()

    def learn(self, plan: FaultPlan, history: History, crossings: Sequence[Crossing]) -> bool:
        """Keep a plan if its run behaved in a new way, and say whether it did."""
        self._tried.add(plan)
        shown = behaviour(history)
        for feature in shown:
            self._hits[feature] = self._hits.get(feature, 0) + 1
        if shown in self._entries:
            return False
        struck = history.of(Struck)
        after = struck[-1].seq if struck else -1
        grown = [c for c in crossings if c.seq > after and self._space.at(c.group)]
        self._entries[shown] = Entry(plan, shown, grown if len(plan) < MAX_FAULTS else [])
        for event in struck[-1:]:
            kind = kind_of(event.fault)
            self._credit[kind] = self._credit.get(kind, 0.0) + 1.0
        return True
