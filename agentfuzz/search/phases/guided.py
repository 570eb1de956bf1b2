"""The guided phase: three faults and more, and values, grown from what earlier runs have shown.

Law: a plan whose run behaved as no run before it is kept, and grown by one fault at a crossing
after its last; no plan is grown twice, and the seed says everything else. Called by the campaign:
`glance` at the runs of its other phases, then `explore`.

A behaviour is what the agent and the backend did, not what the faults looked like: which slots
were reached, what was carried out, recognised or refused there, how each leg ended. Its parts are
(slot, kind of event, outcome); a behaviour is the set of them. The idea of a corpus that grows by
new coverage: AFL (Zalewski); of giving the rare ones more runs: AFLFast (Boehme et al., CCS 2016).
`benchmarks/guided.py` compares it with Hypothesis, with and without `target()`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from math import fsum
from random import Random

from agentfuzz.core.events import (
    Called,
    Cancelled,
    Committed,
    Decided,
    Done,
    Ended,
    Messaged,
    ModelTurn,
    Refused,
    Replayed,
    Replied,
    Resumed,
    Saved,
    Struck,
    Unheard,
)
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.phases.systematic import after_last_fault
from agentfuzz.search.space import Space, plan_of
from agentfuzz.world.injector import Crossing, Drawn, FromPlan, Injector
from agentfuzz.world.lasting import lookup

LATENCIES = (1, 120)  # virtual seconds
DENSITIES = (0.15, 0.3, 0.5)  # how many crossings of a random plan have a fault
TOURNAMENT = 6  # entries that are compared before one is grown
BIAS = 4.0  # how much likelier the kind is that has led furthest
STALE = 100  # plans in a row that were run here before: there are hardly any others
# Memory does not grow with the number of runs.
MAX_CORPUS = 300
MAX_KNOWN = 10_000
MAX_PLACES = 200

Feature = tuple[object, ...]
Place = tuple[Slot, Fault]
Run = Callable[[Injector], History]


class Entry:
    """A plan of the corpus, what it showed, where it may be grown, and what is left to try."""

    __slots__ = ("features", "grown", "open", "plan", "todo", "values", "varied")

    def __init__(self, plan: FaultPlan, features: tuple[int, ...], open: list[Crossing]) -> None:
        self.plan = plan
        self.features = features
        self.open = open
        self.grown = 0
        self.varied = 0
        self.todo: list[Place] | None = None
        self.values: list[Place] | None = None


class Corpus:
    """Plans worth growing, of one campaign whose plans with up to `depth` faults are all run, in
    the first wording of each reply."""

    def __init__(self, space: Space, seed: int, *, depth: int = 0) -> None:
        self._space = space
        self._more = Counter(fault.axes for fault in space.reworded if fault.variant)
        self._random = Random(seed)
        self._depth = depth
        self._entries: list[Entry] = []
        self._open: list[Entry] = []  # those whose children were not all run
        self._number: dict[Feature, int] = {}
        self._hits: list[int] = []  # by number of feature
        self._known: set[int] = set()
        self._shapes: set[tuple[int, ...]] = set()
        self._credit: dict[str, float] = {}
        self._made: set[int] = set()  # plans that were run here
        self._stale = 0

    # What is known ------------------------------------------------------------------------

    def glance(self, history: History, crossings: Sequence[Crossing]) -> None:
        """Learn from a run of another phase if its shape is a new one: a look costs nothing."""
        of = history.index.get
        shape = (len(crossings), len(history.events), len(of(Committed, ())), len(of(Done, ())))
        if shape not in self._shapes:
            self._shapes.add(shape)
            self.learn(history, crossings)

    def learn(self, history: History, crossings: Sequence[Crossing]) -> None:
        """Keep the plan of a run if it behaved in a new way."""
        numbers = [self._number.setdefault(f, len(self._number)) for f in behaviour(history)]
        self._hits += [0] * (len(self._number) - len(self._hits))
        for number in numbers:
            self._hits[number] += 1
        features = tuple(sorted(numbers))
        if hash(features) in self._known or len(self._known) >= MAX_KNOWN:
            return
        self._known.add(hash(features))
        struck = history.of(Struck)
        open = [c for c in after_last_fault(history, crossings) if self._space.at(c.group)]
        plan = plan_of(history)
        if open and not plan.lasting and len(self._entries) < MAX_CORPUS:
            entry = Entry(plan, features, open)
            self._entries.append(entry)
            worded = not self._space.wordings.isdisjoint(plan.by_slot.values())
            if worded or len(plan) >= self._depth:
                self._open.append(entry)
        for event in struck:
            kind = event.fault.kind
            self._credit[kind] = self._credit.get(kind, 0.0) + 1.0 / len(struck)

    # What is run --------------------------------------------------------------------------

    def explore(
        self,
        run: Run,
        *,
        runs: int,
        stop: Callable[[], bool],
        missed: Callable[[FaultPlan, Slot, History], None],
    ) -> None:
        """Call `run` with up to `runs` injectors, until `stop` says that the budget is used up, or
        one plan after the other was run before: of four, two grow a plan, one varies a value, one
        is random. `missed` is told of a plan, a crossing that its run had come to, and a run under
        the same faults that did not."""
        for number in range(runs):
            if stop() or self._stale >= STALE:
                return
            grown = None
            if number % 4 == 3:
                grown = self._varied()
            elif number % 4 != 1:
                grown = self._grown()
            if grown is None:
                self._at_random(run)
                continue
            plan, slot = grown
            injector = FromPlan(plan, process=self._space.process)
            history = self._try(run, injector)
            if slot and slot not in {crossing.slot for crossing in injector.crossings}:
                missed(plan.without(slot), slot, history)

    def _try(self, run: Run, injector: Injector) -> History:
        history = run(injector)
        made = hash(plan_of(history))
        self._stale = self._stale + 1 if made in self._made else 0
        if len(self._made) < MAX_KNOWN:
            self._made.add(made)
        self.learn(history, injector.crossings)
        return history

    def _grown(self) -> tuple[FaultPlan, Slot | None] | None:
        """A kept plan and the most promising fault that it was not grown by yet."""
        while self._open:
            entry = self._choose(self._open, lambda entry: entry.grown)
            entry.grown += 1
            if entry.todo is None:
                entry.todo = self._ranked(entry)
            if entry.todo:
                slot, fault = entry.todo.pop()
                return entry.plan.with_(slot, fault), slot
            self._open.remove(entry)
        return None

    def _ranked(self, entry: Entry) -> list[Place]:
        """The faults that an entry may be grown by, the most promising last: by chance, weighted
        by what their kind has led to and by how rarely their slot was reached."""
        best = max(self._credit.values(), default=1.0)
        drawn = []
        for crossing in entry.open:
            reached = self._number.get((crossing.slot,))
            rare = 1.0 + (0 if reached is None else self._hits[reached]) ** 0.5
            for fault in self._space.at(crossing.group):
                weight = (1.0 + BIAS * self._credit.get(fault.kind, 0.0) / best) / rare
                drawn.append((self._random.random() ** (1.0 / weight), crossing.slot, fault))
        return [(slot, fault) for _, slot, fault in sorted(drawn)[-MAX_PLACES:]]

    def _varied(self) -> tuple[FaultPlan, Slot | None] | None:
        """A kept plan with other values; or with one more fault, in another wording."""
        if not self._entries:
            return None
        entry = self._choose(self._entries, lambda entry: entry.varied)
        entry.varied += 1
        valued = any(map(self._values, (fault for _, fault in entry.plan)))
        if valued and (entry.values == [] or self._random.random() < 0.5):
            places = [(slot, self._valued(fault)) for slot, fault in entry.plan]
            return FaultPlan(places), None
        if entry.values is None:
            entry.values = [
                (crossing.slot, fault)
                for crossing in entry.open
                for plain in self._space.at(crossing.group)
                for fault in self._values(plain)
            ]
            self._random.shuffle(entry.values)
            del entry.values[MAX_PLACES:]
        if not entry.values:
            return None
        slot, fault = entry.values.pop()
        return entry.plan.with_(slot, fault), slot

    def _at_random(self, run: Run) -> None:
        """A kept plan, or none, and after its last fault any others: what one of them opens may
        be faulted in the same run."""
        density = self._random.choice(DENSITIES)
        plan = FaultPlan()
        if self._entries and self._random.random() < 0.7:
            plan = self._random.choice(self._entries).plan
        left, strikes = len(plan), lookup(plan)

        def draw(slot: Slot, group: str) -> Fault | None:
            nonlocal left
            known = strikes(slot)
            if known is not None:
                left -= 1
                return known
            faults = self._space.at(group)
            if left > 0 or not faults or self._random.random() > density:
                return None
            return self._valued(self._random.choice(faults))

        self._try(run, Drawn(draw, process=self._space.process))

    def _choose(self, entries: list[Entry], used: Callable[[Entry], int]) -> Entry:
        """An entry that shows what few have shown, was not used much, and is small; the oldest one
        is always among those that are compared."""

        def worth(entry: Entry) -> float:
            rarity = fsum(1.0 / self._hits[number] for number in entry.features)
            return rarity / (1 + used(entry)) / 2.0 ** len(entry.plan)

        return max([entries[0], *self._random.choices(entries, k=TOURNAMENT)], key=worth)

    def _values(self, fault: Fault) -> list[Fault]:
        """The same kind in every other wording, or with some other latencies."""
        if fault.axes[0] == "late":
            return [fault._replace(latency=self._latency()) for _ in range(3)]
        return [fault._replace(variant=n) for n in range(1, 1 + self._more[fault.axes])]

    def _valued(self, fault: Fault) -> Fault:
        if fault.axes[0] == "late":
            return fault._replace(latency=self._latency())
        more = self._more[fault.axes]
        return fault._replace(variant=self._random.randrange(1 + more)) if more else fault

    def _latency(self) -> float:
        return float(self._random.randint(*LATENCIES))


def behaviour(history: History) -> set[Feature]:
    """What the agent and the backend did in a run. A reply that a fault made is none of it."""
    of, struck = history.of, {event.slot for event in history.of(Struck)}
    slots = {event.call: event.slot for event in of(Called)}
    shown: set[Feature] = {(slot,) for slot in slots.values()}
    shown.update(
        (slots[event.call], "reply", event.outcome, event.raised)
        for event in of(Replied)
        if slots[event.call] not in struck
    )
    shown.update((slots[event.call], Committed, event.nth) for event in of(Committed))
    shown.update((slots[event.call], Replayed, event.nth) for event in of(Replayed))
    shown.update((slots[event.call], Refused, event.kind) for event in of(Refused))
    shown.update(
        (event.slot, event.stop, len(event.calls))
        for event in of(ModelTurn)
        if event.slot not in struck
    )
    shown.update((Saved, event.slot) for event in of(Saved))
    shown.update((Done, event.status, event.reason, bool(event.problem)) for event in of(Done))
    shown.update((Resumed, event.why, event.leg, event.after) for event in of(Resumed))
    shown.update((Cancelled, event.how) for event in of(Cancelled))
    shown.update((Messaged, event.how) for event in of(Messaged))
    shown.update((Decided, event.value) for event in of(Decided))
    shown.update((Unheard, event.kind, event.called, event.error) for event in of(Unheard))
    shown.update((Ended, event.how, event.error) for event in of(Ended))
    return shown
