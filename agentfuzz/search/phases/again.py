"""Again: runs that a campaign makes a second time, to see whether they come out the same.

Law: an agent that keeps something between runs (a module's dict, cache or counter), or takes from
the real world, shows it as two histories of one plan, and is told so (AF904) in the phase in which
it happens. Called by the phases of a campaign; at most a few runs in a hundred.

What is run again: the run without faults, always at the end of a phase; one plan for each thing
that can happen, in turn; and each plan that a level extends, which is run for its crossings anyway
and is compared for nothing: by the memo where that knows it, which compares each real run with all
before it. A run that was cut off says nothing: that may be the machine's doing.
"""

from collections.abc import Collection, Sequence

from agentfuzz.core.events import Event
from agentfuzz.core.faults import Slot
from agentfuzz.core.findings import Counterexample
from agentfuzz.core.history import History
from agentfuzz.core.parting import parting
from agentfuzz.core.plan import FaultPlan
from agentfuzz.search.runner import Runner
from agentfuzz.search.two_histories import REPLAYS, hurried, two_histories
from agentfuzz.search.watched import unwatched
from agentfuzz.world.injector import Crossing

EVERY = 50  # runs of a phase for one that is made again
AT_THE_END = 4  # of a phase: the one without faults, and some others
MAX_KEPT = 40  # histories

NOTHING = FaultPlan()
Trace = tuple[type[Event], ...]


class Again:
    """What was run of one campaign, and what came of it the second time. `findings` are plans that
    gave two histories: the first that was met, and those that were saved."""

    def __init__(self, runner: Runner) -> None:
        self.findings: list[Counterexample] = []
        self._runner = runner
        self._kept: dict[FaultPlan, History] = {}
        self._values: set[tuple[str, str]] = set()
        self._traces: dict[FaultPlan, Trace] = {}
        self._known: dict[Trace, Trace] = {}
        self._turn = 0

    # What is kept -------------------------------------------------------------------------

    def plain(self, history: History) -> None:
        """The first run without faults."""
        self._kept[NOTHING] = history

    def single(self, plan: FaultPlan, history: History) -> None:
        """The run of a plan with one fault: the first of each value of an axis is kept."""
        if _cut_off(history):
            return
        for slot, fault in plan.by_slot.items():
            values = {(slot.boundary, value) for value in fault.axes}
            if not values <= self._values and len(self._kept) < MAX_KEPT:
                self._values |= values
                self._kept[plan] = history

    def extended(self, plan: FaultPlan, history: History) -> None:
        """The run of a plan that the next level extends: what happened, in outline."""
        if _cut_off(history):
            return
        trace = tuple(map(type, history.events))
        self._traces[plan] = self._known.setdefault(trace, trace)

    def level(self, parents: Collection[FaultPlan]) -> None:
        """A level is over: these are the parents of the next one."""
        self._traces = {plan: trace for plan, trace in self._traces.items() if plan in parents}

    # What is run again --------------------------------------------------------------------

    def parent(self, plan: FaultPlan) -> tuple[History, list[Crossing]]:
        """Run a plan that a level extends, and compare it with its first run."""
        history, crossings = self._runner.reached(plan)
        if not self.findings and not _cut_off(history):
            first, trace = self._kept.get(plan), self._traces.get(plan)
            if first is not None:
                self.compare(plan, first, history)
            elif trace is not None and trace != tuple(map(type, history.events)):
                self._changed(plan, trace, history)
        return history, crossings

    def some(self, runs: int) -> None:
        """Make so many kept runs again, each in its turn."""
        for plan, first in self._next(runs):
            if self.findings:
                return
            self.compare(plan, first, self._run(plan))

    def ended(self, runs: int) -> None:
        """A phase is over: the run without faults again, and as many others as there may be."""
        if self.findings or runs < 1:
            return
        self.compare(NOTHING, self._kept[NOTHING], self._run(NOTHING))
        self.some(min(runs, AT_THE_END, len(self._kept)) - 1)

    def missed(self, plan: FaultPlan, slot: Slot, history: History) -> None:
        """A run did not come to a crossing to which another under the same faults had come."""
        if not self.findings and not _cut_off(history):
            more = [self._run(plan) for _ in range(REPLAYS)]
            other = _unlike(history, more)
            said = "" if other else f"It came to {slot} before, and does not now."
            self._tell(plan, history, other or history, more, said)

    def replay(self, plan: FaultPlan, history: History, subject: str = "run") -> bool:
        """Run a plan that once gave two histories a few times more; whether it does so again."""
        more = [self._run(plan) for _ in range(REPLAYS)]
        other = _unlike(history, more)
        if other is not None:
            self._tell(plan, history, other, more, subject=subject)
        return other is not None

    def _next(self, runs: int) -> Sequence[tuple[FaultPlan, History]]:
        kept = list(self._kept.items())
        chosen = [kept[(self._turn + i) % len(kept)] for i in range(max(runs, 0))]
        self._turn += len(chosen)
        return chosen

    def beside(self, findings: Sequence[Counterexample]) -> tuple[Counterexample, ...]:
        """The findings of a campaign and those that are told here: first what makes one doubt of
        all of them, last what came of one plan alone."""
        doubt = [one for one in self.findings if not one.plan]
        return (*doubt, *findings, *(one for one in self.findings if one.plan))

    def _run(self, plan: FaultPlan) -> History:
        with unwatched(self._runner):
            return self._runner.execute(plan)[0]

    # What differs -------------------------------------------------------------------------

    def compare(self, plan: FaultPlan, first: History, again: History) -> None:
        """Two runs of one plan are the same, or it is told."""
        if parting(first, again) is not None and not _cut_off(again):
            more = [self._run(plan) for _ in range(REPLAYS - 1)]
            self._tell(plan, first, again, [again, *more])

    def _changed(self, plan: FaultPlan, trace: Trace, again: History) -> None:
        """Of the first run only the outline is known; perhaps another run is like it."""
        more = [again, *(self._run(plan) for _ in range(REPLAYS - 1))]
        first = next((one for one in more if tuple(map(type, one.events)) == trace), None)
        at = next(
            (
                i
                for i, (a, b) in enumerate(zip(trace, again.events, strict=False))
                if a is not type(b)
            ),
            min(len(trace), len(again)),
        )
        was = trace[at].__name__ if at < len(trace) else "nothing more"
        said = "" if first else f"The first difference is event {at}, which was {was} at first."
        self._tell(plan, first or again, again, more, said)

    def _tell(
        self,
        plan: FaultPlan,
        first: History,
        again: History,
        replays: Sequence[History],
        difference: str = "",
        subject: str = "run",
    ) -> None:
        same = sum(parting(first, one) is None for one in replays) if not difference else 0
        runs = f"{same} of {len(replays)} replays gave the first history"
        found = two_histories(
            self._runner, plan, first, again, runs=runs, difference=difference, subject=subject
        )
        if all(one.id != found.id for one in self.findings):
            self.findings.append(found)
        if plan != NOTHING:
            first, again = self._kept[NOTHING], self._run(NOTHING)
        if _unlike(first, [again]) is not None or plan == NOTHING:
            self._runner.unsteady()


def _unlike(history: History, others: Sequence[History]) -> History | None:
    """The first of some runs that is not as this one; none that a busy machine may have cut off."""
    own = hurried(history)
    same = (one for one in others if own or not hurried(one))
    return next((one for one in same if parting(history, one) is not None), None)


def _cut_off(history: History) -> bool:
    return history.ended is not None and history.ended.how == "cut_off"
