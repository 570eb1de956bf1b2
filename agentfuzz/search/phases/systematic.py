"""The systematic phase: every reachable plan with one fault, then every one with two, and so on.

Law: a plan is extended only by a fault at a crossing after its last one, so each reachable plan
is met exactly once, those with fewer faults first; among equals, what costs money (a reply lost, a
request delivered twice, a crash after a call) comes before what a model does, and that before mere
words. Slots that a fault opens (a retry) are discovered by running. Called by the walks of a
campaign; a plain loop, no Hypothesis.

Alone, a tool's fault is tried in every wording of its reply; beside others in its first.

Two plans that lead to the same state have the same future, so only one is extended: see `states`.
This is sound for a deterministic agent, which the campaign checks. Independent faults are never
permuted: a set of faults has one order, that of its crossings.

The idea of exhausting small numbers of faults first: Kuhn et al. (NIST) on interaction faults; of
pruning by observed effect: Filibuster (SoCC 2021); of not permuting what is independent: partial
order reduction (Godefroid 1996).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from statistics import median
from typing import Protocol

from agentfuzz.archive.frontier import FIRST, Place
from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.boundaries.boundary import WORDS
from agentfuzz.core.events import Struck, made
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.space import Space, strikes
from agentfuzz.search.states import came_to, state_after_last_fault
from agentfuzz.world.injector import Crossing

Came = tuple[History, list[Crossing]]  # what a run came to, and where it could be struck
Execute = Callable[[FaultPlan], Came]


_NONE: frozenset[Fault] = frozenset()
LONG = 8  # times as many crossings as most parents have left: it loops


def every(number: int) -> bool:
    """No plan is left out."""
    return True


def named(depth: int) -> str:
    """A level, as it is told."""
    number = ("no", "one", "two", "three", "four")[depth] if depth < 5 else str(depth)
    return f"plans with {number} fault{'s' * (depth > 1)}"


class Foresees(Protocol):
    """Is told whose turn it is."""

    def near(self, turn: int) -> None:
        """The turn of this parent is near."""
        ...

    def now(self, turn: int, plans: Iterator[tuple[int, FaultPlan]], after: int) -> None:
        """It has come: with these plans, and the number of the first one after them."""
        ...


def in_turn(
    parents: Mapping[FaultPlan, int], start: Place
) -> tuple[list[tuple[int, FaultPlan]], Place]:
    """The places and parents of a level from a start on, and round; and that start, or the first
    where there is none such. A parent whose plans do not begin with its first one comes twice."""
    places = list(enumerate(parents))
    if start.parent >= len(places):
        start = FIRST
    return places[start.parent :] + places[: start.parent + bool(start.child)], start


class Level:
    """All plans with one fault more than the `parents`, which are run again to see where they
    lead: plans are cheap to keep, histories are not. A parent comes with the number of plans
    that it stands for: itself and those that were pruned in its favour.

    `wordings`: every wording of a reply is tried. `exists` is told of each plan's run, and takes
    those back that cannot be: a stop where nothing can be stopped, a misbehaviour that means
    nothing at this turn. What can do nothing to what it would strike, as the parent's run shows it
    there, is none of them, and its kind is noted as `vain`; of the first level also its place, as
    `idle`. `grew` gathers the parents of the next
    level. `coming` is the plan that `plans` gave last, or could not give any more; None when it
    gave them all; `done` counts those that exist.
    """

    def __init__(
        self,
        parents: Mapping[FaultPlan, int],
        space: Space,
        *,
        prune: bool = True,
        wordings: bool = False,
    ) -> None:
        self.parents = parents
        self._next: dict[FaultPlan, int] = {}
        self._calm: set[FaultPlan] = set()  # after whose last fault the run goes on as without it
        self._left: dict[FaultPlan, int] = {}  # how much is crossed after it
        self._going_on: list[tuple[Slot, str]] = []  # what is crossed under the parent
        self._came_to: tuple[object, ...] = ()  # its run, at the first level
        self.coming: Place | None = FIRST
        self.done = 0
        self.next_total = 0
        self.next_skipped = 0
        self.absent = 0
        self.absent_skipped = 0
        self._space = space
        self._prune = prune
        self._wordings = wordings
        self._seen: dict[bytes, FaultPlan] = {}
        self._stands_for = 1
        self.vain: set[str] = set()
        self.idle: dict[Slot, frozenset[Fault]] = {}
        self._idle: dict[tuple[str, str], frozenset[Fault]] = {}

    def plans(
        self,
        execute: Execute,
        stop: Callable[[], bool] = bool,
        mine: Callable[[int], bool] = every,
        start: Place = FIRST,
        foresight: "Foresees | None" = None,
    ) -> Iterator[FaultPlan]:
        """The plans of this level, the most urgent first within a parent, until `stop`; only those
        whose number is `mine`. They begin at `start`, and go round. The `foresight` is told of
        each turn."""
        turns, start = in_turn(self.parents, start)
        before = start.number - start.child
        for turn, (place, parent) in enumerate(turns):
            before = before if place else 0
            low = 0 if turn else start.child
            high = start.child if turn == len(self.parents) else None
            self.coming = Place(place, low, before + low)
            if stop():
                return
            if foresight is not None:
                foresight.near(turn)
            self._stands_for = self.parents[parent]
            history, crossings = execute(parent)
            self._going_on = [(c.slot, c.group) for c in crossings]
            if self._wordings:
                self._came_to = came_to(history)
            numbered = partial(self.numbered, parent, history, crossings, before, low, high)
            if foresight is not None:
                foresight.now(turn, numbered(), before + self.count(history, crossings))
            for n, plan in numbered():
                if mine(n):
                    self.coming = made(Place, (place, n - before, n))
                    yield plan
            before += self.count(history, crossings)
        self.coming = None

    def numbered(
        self,
        parent: FaultPlan,
        history: History,
        crossings: list[Crossing],
        first: int,
        low: int = 0,
        high: int | None = None,
    ) -> Iterator[tuple[int, FaultPlan]]:
        """The plans that extend a parent, and their numbers."""
        return islice(enumerate(self._children(parent, history, crossings), first), low, high)

    def _children(
        self, parent: FaultPlan, history: History, crossings: list[Crossing]
    ) -> Iterator[FaultPlan]:
        open = after_last_fault(history, crossings)
        ordered = [
            (c[0], self._space.in_order(c[2]), self._means_nothing(history, c)) for c in open
        ]
        if self._wordings:
            self.idle = {slot: idle for slot, _, idle in ordered if idle}
        for place in range(WORDS + 1):
            for slot, faults, idle in ordered:
                for fault in faults[place]:
                    if fault not in idle:
                        yield parent.with_(slot, fault)
        if self._wordings:
            for (slot, _, group), (_, _, idle) in zip(open, ordered, strict=True):
                for fault in self._space.wordings_at(group):
                    if fault not in idle:
                        yield parent.with_(slot, fault)

    def _means_nothing(self, history: History, crossing: Crossing) -> frozenset[Fault]:
        """The faults that can do nothing to what is crossed there."""
        slot, seq, group = crossing
        means = BOUNDARIES[slot.boundary].means
        if means is None:
            return _NONE
        event = history.events[seq] if seq < len(history) else None
        if event is None or getattr(event, "slot", None) != slot:
            return _NONE  # what a dying process said is not in a history
        key = (group, repr(event[2:]))
        found = self._idle.get(key)
        if found is None:
            tried = (*self._space.at(group), *self._space.wordings_at(group))
            found = frozenset(fault for fault in tried if not means(event, fault))
            self._idle[key] = found
            self.vain.update(fault.kind for fault in found)
        return found

    def _tried(self, faults: Sequence[Fault], history: History, crossing: Crossing) -> int:
        """How many of some faults of a crossing are tried there."""
        idle = self._means_nothing(history, crossing)
        return len(faults) - sum(fault in idle for fault in faults) if idle else len(faults)

    @property
    def next(self) -> dict[FaultPlan, int]:
        """The parents of the next level: first those whose last fault changed what the run came to
        after it. Where nothing of that changed, hardly any pair shows what neither of its faults
        has shown alone. Last come those that go on much longer than most: each of a loop's many
        turns is like the one before, and the pairs with one of them would take what all the others
        need."""
        if not self._next:
            return {}
        long = LONG * median(self._left.values())
        late = {plan: (left > long, plan in self._calm) for plan, left in self._left.items()}
        return dict(sorted(self._next.items(), key=lambda item: late[item[0]]))

    def count(self, history: History, crossings: list[Crossing]) -> int:
        """How many plans extend the plan of this run at this level."""
        more = 0
        if self._wordings:
            open = after_last_fault(history, crossings)
            more = sum(self._tried(self._space.wordings_at(c.group), history, c) for c in open)
        return self._children_of(history, crossings) + more

    def _children_of(self, history: History, crossings: list[Crossing]) -> int:
        open = after_last_fault(history, crossings)
        return sum(self._tried(self._space.at(c.group), history, c) for c in open)

    def exists(self, plan: FaultPlan, history: History) -> bool:
        """Whether every fault of the plan that `plans` gave last struck. If not, there is no such
        plan, and none in each place that its parent stands for."""
        if len(history.index.get(Struck, ())) >= len(plan.by_slot):  # none of them lasts
            self.done += 1
            return True
        self.absent += self._stands_for
        self.absent_skipped += self._stands_for - 1
        return False

    def same(self, history: History, crossings: list[Crossing]) -> bool:
        """Whether the run of the plan that `plans` gave last came to what its parent's came to, at
        the first level: as many crossings, the same effects, the same end."""
        return len(crossings) == len(self._going_on) and came_to(history) == self._came_to

    def grew(self, plan: FaultPlan, history: History, crossings: list[Crossing]) -> bool:
        """Note the run of the plan that `plans` gave last, and that exists, as a parent of the
        next level, unless its state is known, or it is one of the further wordings. Whether it is
        a parent now."""
        if self._wordings and not self._space.wordings.isdisjoint(plan.by_slot.values()):
            return False
        children, plans = self._children_of(history, crossings), self._stands_for
        if not children:
            return False
        self.next_total += plans * children
        known = None
        if self._prune:
            known = self._seen.setdefault(state_after_last_fault(history), plan)
        if known is None or known is plan:
            self._next[plan] = plans
            after = [(c.slot, c.group) for c in after_last_fault(history, crossings)]
            self._left[plan] = len(after)
            if after == self._going_on[-len(after) :]:
                self._calm.add(plan)
            self.next_skipped += (plans - 1) * children
            return True
        self._next[known] += plans
        self.next_skipped += plans * children
        return False


def after_last_fault(history: History, crossings: Sequence[Crossing]) -> Sequence[Crossing]:
    """The crossings after the last one at which a fault struck, in the order in which they were
    met. That of an approval is where it was asked for, though it strikes when the decision comes.
    """
    struck = {event.slot for event in strikes(history)}
    last = max((i for i, crossing in enumerate(crossings) if crossing.slot in struck), default=-1)
    return crossings[last + 1 :]
