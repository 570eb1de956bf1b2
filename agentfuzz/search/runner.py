"""The runner: runs an agent under a plan, counts the runs, and says what broke.

Law: every run of a campaign is made here, so that each is counted and written ahead; a plan is
judged in the same way whether it was met, shrunk, replayed or controlled. Used by the campaign and
by whatever confirms what it found.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from agentfuzz.archive.crash_log import CrashLog
from agentfuzz.core.history import History
from agentfuzz.core.migrations import migrated
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.engine.single import check_plan
from agentfuzz.invariants.claims.same_by_every_entrypoint import differences
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import Real
from agentfuzz.search.dealing import Dealing
from agentfuzz.search.executors.choice import safe, wanted
from agentfuzz.search.executors.executor import Died, Executor, Inline
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.space import Space, strikes
from agentfuzz.search.systematic import forgotten
from agentfuzz.world.injector import Crossing, FromPlan, Injector
from agentfuzz.world.tools import forget

# A worker of a cluster knows the functions of a module, not those of a script.
BRIDGE = "import sys; from agentfuzz.search.executors import bridge; bridge.main(sys.argv[1:])"


class Judged(Protocol):
    """The run of a plan, judged and counted; None if its process died of it."""

    def __call__(self, plan: FaultPlan, phase: str) -> Outcome | None: ...


class Runner:
    """One agent in one scenario, inside `simulation`'s with block. `other` is another entrypoint
    to the same loop: its run under a plan with at most one fault must come out the same (AF305).
    `first` is the first run without faults, `baseline` the same as long as it comes out the same
    again: what laws compare with; `runs` counts; `slowest` is what a run took at most, in real
    seconds, but for the first one."""

    def __init__(
        self,
        scenario: Scenario,
        agent: Agent,
        simulation: Simulation,
        *,
        nodeid: str,
        space: Space,
        root: Path,
        crash_log: CrashLog,
        other: Agent | None = None,
    ) -> None:
        self.scenario = scenario
        self.agent = agent
        self.simulation = simulation
        self.nodeid = nodeid
        self.space = space
        self.root = root
        self.crash_log = crash_log
        self.other = getattr(other, "agentfuzz_agent", other)
        self.executor: Executor = Inline()
        self.dealing = Dealing()
        self.apart = False  # other processes have made runs
        self.runs = 0
        self.slowest = self.took = 0.0
        forget()
        self.steady = True
        self._first: History | None = None

    @property
    def first(self) -> History:
        """The first run without faults."""
        assert self._first is not None, "it comes before everything else"
        return self._first

    def begin(self) -> list[Crossing]:
        """The first run without faults, and its crossings."""
        first, crossings = self.execute(FaultPlan())
        self._first = self.scenario.oracle(first)
        return crossings

    @property
    def baseline(self) -> History | None:
        """The run without faults, None if it does not come out the same twice: then nothing is
        said by comparing with it."""
        return self._first if self.steady else None

    def unsteady(self) -> None:
        """Runs without faults differ: this agent has no run to compare with."""
        self.steady = False

    @property
    def same_as(self) -> str:
        """The law that the other entrypoint comes out the same, as it is named in reports."""
        return f"same_as({getattr(self.other, '__name__', type(self.other).__name__)})"

    def under(self, plan: FaultPlan) -> FromPlan:
        """An injector for a plan, asked about all that this campaign may do."""
        return FromPlan(plan, process=self.space.process)

    def today(self, plan: FaultPlan) -> FaultPlan:
        """A plan, perhaps an old one, as this version says it. Raises PlanError for its tools."""
        tools = list(self.first.tools)
        plan = migrated(plan, tools)
        check_plan(plan, tools)
        return plan

    def outcome(self, injector: Injector, plan: FaultPlan | None) -> Outcome:
        """One run, judged. Without a plan, its faults are written ahead as they are drawn."""
        history = self._made(plan, self.agent, injector)
        baseline = self.baseline
        verdicts: list[tuple[Violation, ...] | None] = []
        for law in self.scenario.invariants:
            idle = law.needs_baseline and baseline is None
            found = None if idle else law.check(history, baseline)
            verdicts.append(found if found is None else tuple(found))
        return Outcome(history, injector.crossings, tuple(verdicts), self.took)

    def made(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made here."""
        return self.outcome(self.under(plan), plan)

    @property
    def expects(self) -> Callable[[Iterable[FaultPlan]], None]:
        """Who is told what will be asked for."""
        return forgotten if type(self.executor) is Inline else self.executor.expect

    def planned(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made by the executor, if there is one: ahead, or now; or by another
        machine. Raises Died, ShardError."""
        found = self.dealing.recorded(plan)
        if found is not None:
            self._counted(found)
            return found
        try:
            found = self._planned(plan)
        except Died as death:
            self.dealing.ran(plan, death)
            raise
        self.dealing.ran(plan, found)
        return found

    def _planned(self, plan: FaultPlan) -> Outcome:
        found = self._taken(plan)
        if found is None and type(self.executor) is not Inline:
            self.executor.expect([plan])
            found = self._taken(plan)
        return self.made(plan) if found is None else found

    def _taken(self, plan: FaultPlan) -> Outcome | None:
        try:
            found = self.executor.take(plan)
        finally:
            if self.simulation.watchdog.interrupted:
                raise KeyboardInterrupt
        if found is not None:
            self.apart = True
            self._counted(found)
        return found

    def _counted(self, made: Outcome) -> None:
        """A run that was made elsewhere."""
        self.runs += 1
        self._lasted(made.seconds)
        leaks.add(made.escapes)

    def reached(self, plan: FaultPlan) -> tuple[History, list[Crossing]]:
        """What a run comes to that was made before, and where it could have been struck. A process
        that dies of it now, or of no fault at all, is none to make runs in."""
        try:
            found = self._taken(plan)
        except Died as death:
            self.executor.give_up(f"a process died under {plan}, of which none had ({death.how})")
            found = None
        return self.execute(plan) if found is None else (found.history, found.crossings)

    @contextmanager
    def ahead(
        self, workers: int, fresh: Sequence[str] = (), cluster: str = ""
    ) -> Iterator[list[str]]:
        """In this block runs are made ahead by so many processes, as far as that pays: forked, or
        where that is not safe begun by the command `fresh`; or by that on the workers of a Dask
        `cluster`. Yields notes; complete at the end."""
        workers, notes = wanted(workers, self.took), list[str]()
        if cluster or (workers > 1 and (safe() or fresh)):
            from agentfuzz.search.executors import child, processes  # their imports take their time

            here, bridge = os.getcwd(), [sys.executable, "-c", BRIDGE]
            if cluster:
                start = child.spawning([*bridge, cluster, here, *fresh], here)
            elif safe():
                start = child.forking(self.lent, self.adopted)
            else:
                start = child.spawning(fresh, here)
            self.executor = processes.Processes(max(workers, 1 + bool(cluster)), start)
        elif workers > 1:
            notes.append("its runs were made in one process: threads run here already")
        try:
            yield notes
        finally:
            self.executor.close()
            if self.executor.trouble:
                notes.append(f"its runs were made in one process: {self.executor.trouble}")
            self.executor = Inline()

    def serve(self, plans: int, back: int) -> None:
        """This process was begun to make runs for another: until that says no more."""
        from multiprocessing.connection import Connection

        from agentfuzz.search.executors.child import serve

        self.crash_log.close()  # who began it knows what it runs
        self.crash_log = CrashLog()
        self.begin()
        leaks.taken()
        serve(Connection(plans, writable=False), Connection(back, readable=False), self.lent)

    def lent(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made here for another process."""
        return self.made(plan)._replace(escapes=tuple(leaks.taken()))

    def adopted(self) -> None:
        """This process was forked by an executor, to make runs ahead."""
        self.simulation.adopted()
        leaks.taken()
        self.executor, self.crash_log, self.dealing = Inline(), CrashLog(), Dealing()

    def execute(self, plan: FaultPlan, *, trace: bool = False) -> tuple[History, list[Crossing]]:
        """One run under a plan, with the crossings at which it could have been struck."""
        injector = self.under(plan)
        return self._made(plan, self.agent, injector, trace=trace), injector.crossings

    def _made(
        self, plan: FaultPlan | None, agent: Agent, injector: Injector, *, trace: bool = False
    ) -> History:
        self.runs += 1
        self.crash_log.begin(plan)
        begun = Real.monotonic()
        history = self.simulation.execute(self.scenario, agent, injector, trace=trace)
        self._lasted(Real.monotonic() - begun)
        return history

    def _lasted(self, seconds: float) -> None:
        self.took = seconds
        if seconds > self.slowest and self.runs > 1:
            self.slowest = seconds

    def compared(self, plan: FaultPlan, history: History) -> list[Violation]:
        """How the other entrypoint comes out otherwise under this plan: one run more."""
        assert self.other is not None, "there is something to compare with"
        then = self._made(plan, self.other, self.under(plan))
        return differences(history, then, than=self.same_as[8:-1])

    def violations(self, history: History, plan: FaultPlan) -> list[Violation]:
        """Every violation of every law in the history of a run under this plan."""
        verdicts = self.scenario.judge(history, self.baseline)
        found = [violation for verdict in verdicts for violation in verdict.violations]
        if self.other is not None and self.steady and len(plan) <= 1:
            found += self.compared(plan, history)
        return found

    def breaks(self, plan: FaultPlan, signature: tuple[str, str]) -> bool:
        """Whether this law breaks on this subject under a plan, every fault of it striking."""
        history, _ = self.execute(plan)
        if len(strikes(history)) < len(plan):
            return False
        return any(v.signature == signature for v in self.violations(history, plan))
