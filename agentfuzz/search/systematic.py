"""The systematic phase: every reachable plan with one fault, then every one with two, and so on.

Law: a plan is extended only by a fault at a crossing after its last one, so each reachable plan
is met exactly once, in order of size; the first hit is minimal. Slots that a fault opens (a
retry) are discovered by running. Called by the campaign; a plain loop, no Hypothesis.

Two plans that lead to the same state - all that the agent has seen, and all that the backend has
done, up to the reply after the last fault - have the same future, so only one is extended. This
is sound for a deterministic agent, which the campaign checks. The idea of exhausting small
numbers of faults first: Kuhn et al. (NIST) on interaction faults; of pruning by observed effect:
Filibuster (SoCC 2021).
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b

from agentfuzz.faults import FaultPlan
from agentfuzz.history import (
    Called,
    Delivered,
    Event,
    History,
    ModelTurn,
    Replayed,
    Replied,
    Struck,
)
from agentfuzz.injector import Crossing
from agentfuzz.search.space import Space

Execute = Callable[[FaultPlan], tuple[History, list[Crossing]]]


class Level:
    """All plans with one fault more than the `parents`, which are run again to see where they
    lead: plans are cheap to keep, histories are not. A parent comes with the number of plans
    that it stands for: itself and those that were pruned in its favour.

    `grew` is told of each plan's run, and gathers the parents of the next level.
    """

    def __init__(
        self, parents: Mapping[FaultPlan, int], space: Space, *, prune: bool = True
    ) -> None:
        self.parents = parents
        self.next: dict[FaultPlan, int] = {}
        self.next_total = 0
        self.next_skipped = 0
        self._space = space
        self._prune = prune
        self._seen: dict[bytes, FaultPlan] = {}
        self._stands_for = 1

    def plans(self, execute: Execute, stop: Callable[[], bool] = bool) -> Iterator[FaultPlan]:
        """The plans of this level, smallest first within a parent, until `stop`."""
        for parent, stands_for in self.parents.items():
            if stop():
                return
            self._stands_for = stands_for
            history, crossings = execute(parent)
            yield from self._children(parent, history, crossings)

    def _children(
        self, parent: FaultPlan, history: History, crossings: list[Crossing]
    ) -> Iterator[FaultPlan]:
        after = last_struck(history)
        for crossing in crossings:
            if crossing.seq > after:
                for fault in self._space.at(crossing.group):
                    yield parent.with_(crossing.slot, fault)

    def count(self, history: History, crossings: list[Crossing]) -> int:
        """How many plans extend the plan of this run."""
        after = last_struck(history)
        return sum(len(self._space.at(c.group)) for c in crossings if c.seq > after)

    def grew(self, plan: FaultPlan, history: History, crossings: list[Crossing]) -> None:
        """Note the run of the plan that `plans` gave last as a parent of the next level, unless
        its state is known."""
        if len(history.of(Struck)) < len(plan):
            return  # a fault that never struck: the same run as a smaller plan
        children, plans = self.count(history, crossings), self._stands_for
        if not children:
            return
        self.next_total += plans * children
        known = None
        if self._prune:
            known = self._seen.setdefault(state_after_last_fault(history), plan)
        if known is None or known is plan:
            self.next[plan] = plans
            self.next_skipped += (plans - 1) * children
        else:
            self.next[known] += plans
            self.next_skipped += plans * children


def last_struck(history: History) -> int:
    """The `seq` of the last fault that struck, or -1."""
    struck = history.of(Struck)
    return struck[-1].seq if struck else -1


def state_after_last_fault(history: History) -> bytes:
    """A digest of everything that the agent has seen and the world has done, up to the answer
    that the last fault spoiled, and of what is still under way. Fault names are not part of it,
    nor is an arrival that changed nothing: a second one that the backend recognised.
    """
    after = last_struck(history)
    call = ""
    if after > 0 and type(history.events[after - 1]) is Called:
        call = history.events[after - 1].call  # type: ignore[union-attr]
    state = blake2b(digest_size=16)
    under_way: dict[str, str] = {}
    previous: Event | None = None
    for event in history.events:
        if type(event) is Struck:
            if event.fault.startswith("late") and type(previous) is Called:
                under_way[previous.call] = event.fault.partition("@")[2]
            continue
        previous = event
        if type(event) is Delivered:
            under_way.pop(event.call, None)
            continue  # what it did follows
        if type(event) is Replayed and event.nth > 1:
            continue
        state.update(type(event).__name__.encode())
        state.update(repr(event[1:]).encode("utf-8", "backslashreplace"))
        if event.seq > after and _answers(event, call):
            break
    state.update(repr(sorted(under_way.items())).encode())
    return state.digest()


def _answers(event: object, call: str) -> bool:
    if call:
        return type(event) is Replied and event.call == call
    return type(event) is ModelTurn
