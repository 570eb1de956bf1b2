"""The guided phase: three faults and more, and values, grown from what earlier runs have shown.

Law: a plan whose run showed a behaviour that no run had shown before is kept, and grown by one
fault at a crossing after its last; what that fault opens may be faulted in the same run. No plan
is run twice, and a seed says everything. Called by the campaign, after the exhaustive phases.

A behaviour is what the agent and the backend did, not what the faults looked like: which slots
were reached, what was committed, replayed or refused there, how each leg ended. The idea of a
corpus that grows by new coverage: AFL (Zalewski); of giving the rare ones more runs: AFLFast
(CCS 2016). `benchmarks/guided.py` compares it with Hypothesis, with and without `target()`.
"""

from collections.abc import Callable, Sequence
from random import Random

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
from agentfuzz.injector import Crossing, Drawn, Injector
from agentfuzz.replies import VARIANTS
from agentfuzz.search.space import Space, kind_of

LATENCIES = (1, 120)  # virtual seconds
MAX_CORPUS = 400
TOURNAMENT = 6
Feature = tuple[object, ...]
Behaviour = frozenset[Feature]


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
    seen: set[Feature] = set()
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

    def __init__(self, space: Space, seed: int, *, depth: int = 0) -> None:
        self._space = space
        self._random = Random(seed)
        self._least = depth + 1  # smaller plans have all been run, but for their values
        self._entries: list[Entry] = []
        self._known: set[Behaviour] = set()
        self._shapes: set[tuple[int, ...]] = set()
        self._hits: dict[Feature, int] = {}
        self._credit: dict[str, float] = {}
        self._tried: set[FaultPlan] = set()

    def glance(self, plan: FaultPlan, history: History, crossings: Sequence[Crossing]) -> None:
        """Learn from a run of another phase, if it looks like none before: a look is cheap."""
        shape = (len(crossings), len(history.events), len(history.ledger), len(history.of(Done)))
        if shape not in self._shapes:
            self._shapes.add(shape)
            self.learn(plan, history, crossings)

    def learn(self, plan: FaultPlan, history: History, crossings: Sequence[Crossing]) -> None:
        """Keep a plan if its run behaved in a new way."""
        shown = behaviour(history)
        for feature in shown:
            self._hits[feature] = self._hits.get(feature, 0) + 1
        if shown in self._known or len(self._entries) >= MAX_CORPUS:
            return
        self._known.add(shown)
        struck = history.of(Struck)
        if len(struck) != len(plan):
            return
        after = struck[-1].seq if struck else -1
        open = [c for c in crossings if c.seq > after and self._space.at(c.group)]
        self._entries.append(Entry(plan, shown, open))
        for event in struck:
            kind = kind_of(event.fault)
            self._credit[kind] = self._credit.get(kind, 0.0) + 1.0 / len(struck)

    def explore(
        self, run: Callable[[Injector], History], *, runs: int, stop: Callable[[], bool]
    ) -> None:
        """Call `run` with up to `runs` injectors; `stop` says that the budget is used up."""
        values = self._values()
        for number in range(runs):
            if stop():
                return
            if number % 4 == 3 and values:
                self._grow(FaultPlan([values.pop()]), [], run)
            elif number % 4 == 1:
                self._at_random(run)
            else:
                self._one(run)

    # Modes --------------------------------------------------------------------------------

    def _values(self) -> list[tuple[Slot, Fault]]:
        """Every other wording of a single fault, and some latencies, in a random order."""
        root = self._entries[0]
        found = []
        for crossing in root.open:
            for fault in self._space.at(crossing.group):
                if fault.axes[0] == "late":
                    found += [(crossing.slot, fault._replace(latency=self._latency())) for _ in range(3)]
                for variant in range(1, VARIANTS.get(fault.axes[-1], 1)):
                    found.append((crossing.slot, fault._replace(variant=variant)))
        self._random.shuffle(found)
        return found

    def _latency(self) -> float:
        return float(self._random.randint(*LATENCIES))

    def _at_random(self, run: Callable[[Injector], History]) -> None:
        density = self._random.choice((0.15, 0.3, 0.5))

        def draw(slot: Slot, group: str) -> Fault | None:
            faults = self._space.at(group)
            if not faults or self._random.random() > density:
                return None
            return self._valued(self._pick(faults))

        self._run(run, draw)

    def _one(self, run: Callable[[Injector], History]) -> None:
        for _ in range(20):
            entry = self._choose()
            if not entry.open:
                continue
            crossing = min(self._random.choices(entry.open, k=2), key=self._reached)
            plan = entry.plan.with_(crossing.slot, self._pick(self._space.at(crossing.group)))
            if plan not in self._tried:
                break
        else:
            return self._at_random(run)
        entry.runs += 1
        self._grow(plan, entry.open, run)

    def _reached(self, crossing: Crossing) -> int:
        return self._hits.get((crossing.slot,), 0)

    def _choose(self) -> Entry:
        few = self._random.choices(self._entries, k=TOURNAMENT)
        return max(few, key=self._worth)

    def _worth(self, entry: Entry) -> float:
        rare = sum(1.0 / self._hits[feature] for feature in entry.behaviour)
        return rare / (1.0 + entry.runs)

    def _grow(self, plan: FaultPlan, known: Sequence[Crossing], run: Callable[[Injector], History]) -> None:
        """Run a plan, and go on with faults at crossings that its parent did not have."""
        old = {c.slot for c in known}
        left = len(plan)
        least = self._least - len(plan)

        def draw(slot: Slot, group: str) -> Fault | None:
            nonlocal left, least
            fault = plan.get(slot)
            if fault is not None:
                left -= 1
                return fault
            faults = self._space.at(group)
            if left > 0 or not faults or not known:
                return None
            chance = 0.5 if slot not in old else 0.2 if least > 0 else 0.0
            if self._random.random() < chance:
                least -= 1
                return self._pick(faults)
            return None

        self._run(run, draw)

    def _pick(self, faults: Sequence[Fault]) -> Fault:
        if self._random.random() < 0.3:
            return self._random.choice(faults)
        weights = [0.2 + self._credit.get(kind_of(str(fault)), 0.0) for fault in faults]
        return self._random.choices(faults, weights)[0]

    def _valued(self, fault: Fault) -> Fault:
        if fault.axes[0] == "late":
            return fault._replace(latency=self._latency())
        variants = VARIANTS.get(fault.axes[-1], 1)
        return fault._replace(variant=self._random.randrange(variants)) if variants > 1 else fault

    def _run(self, run: Callable[[Injector], History], draw: Callable[[Slot, str], Fault | None]) -> None:
        injector = Drawn(draw, process=self._space.process)
        history = run(injector)
        plan = FaultPlan.parse(" + ".join(f"{s.slot}:{s.fault}" for s in history.of(Struck)))
        self._tried.add(plan)
        if len(self._tried) > 10_000:
            self._tried.clear()
        self.learn(plan, history, injector.crossings)
