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
from agentfuzz.runtime.clock import FOREVER, Real
from agentfuzz.search.executors.choice import DEAR, safe, wanted
from agentfuzz.search.executors.executor import Died, Executor, Inline
from agentfuzz.search.memo.memo import Memo
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.space import Space, strikes
from agentfuzz.search.stories import Stories
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
    seconds, but for the first one, and `quickest` what one took at least; `memo` makes runs without
    the agent."""

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
        self.stories = Stories(scenario, self._with_inputs)
        self.scenario = self.stories.plain
        self.agent = agent
        self.simulation = simulation
        self.nodeid = nodeid
        self.space = space
        self.root = root
        self.crash_log = crash_log
        self.other = getattr(other, "agentfuzz_agent", other)
        self.executor: Executor = Inline()
        self.apart = False  # other processes have made runs
        self.runs = 0
        self.slowest = self.took = 0.0
        self.quickest = FOREVER
        forget()
        self.steady = True
        self.memo: Memo | None = None

    @property
    def first(self) -> History:
        """The first run without faults."""
        assert self.stories.first is not None, "it comes before everything else"
        return self.stories.first

    def begin(self) -> list[Crossing]:
        """The first run without faults, and its crossings."""
        first, crossings = self.execute(FaultPlan())
        self.stories.first = self.scenario.oracle(first)
        return crossings

    def baseline(self, plan: FaultPlan | None = None) -> History | None:
        """The run without faults that has the same inputs as a plan; None if that does not come
        out the same twice: then nothing is said by comparing with it."""
        if not self.steady:
            return None
        return self.stories.first if plan is None else self.stories.of(plan)[1]

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
        if plan is not None and self.stories.new(plan):
            history = self.stories.begin(plan.given, injector)
        else:
            history = self._made(plan, self.agent, injector)
        return self._judged(history, injector, plan)

    def _judged(self, history: History, injector: Injector, plan: FaultPlan | None) -> Outcome:
        baseline = self.baseline(plan)
        verdicts: list[tuple[Violation, ...] | None] = []
        for law in self.scenario.invariants:
            idle = law.needs_baseline and baseline is None
            found = None if idle else law.check(history, baseline)
            verdicts.append(found if found is None else tuple(found))
        return Outcome(history, injector.crossings, tuple(verdicts), self.took)

    def made(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made here; without the agent, where the memo knows it."""
        memo = self.memo
        if memo is None or plan.given:  # it knows the simplest inputs
            return self.outcome(self.under(plan), plan)
        injector, begun = self.under(plan), Real.monotonic()
        self.crash_log.begin(plan)
        history = memo.answer(injector)
        if history is not None:
            memo.audit(plan, history, injector, lambda: self.under(plan))
            self.runs += 1
            self._lasted(Real.monotonic() - begun)
            return self._judged(history, injector, plan)
        injector = self.under(plan)
        history = self._made(plan, memo.taped, injector)
        memo.learn(history)
        return self._judged(history, injector, plan)

    def remember(self, word: str, seed: int) -> None:
        """From now on runs are made without the agent where that is possible: `on`, or `auto` for
        an agent whose runs are dear. Not where others make them ahead."""
        dear = word == "on" or (word == "auto" and self.quickest > DEAR)
        if dear and type(self.executor) is Inline:
            self.memo = Memo(self.scenario, self.agent, self.simulation, seed)

    @property
    def remembered(self) -> list[str]:
        """What is to be said of such runs."""
        return [] if self.memo is None else self.memo.told(self.runs)

    def doubt(self, plan: FaultPlan) -> None:
        """Two runs under a plan differ. Raises Doubted if one may have been made without the
        agent."""
        if self.memo is not None:
            self.memo.doubt(f"two runs under {str(plan)!r} differ")

    @property
    def expects(self) -> Callable[[Iterable[FaultPlan]], None]:
        """Who is told what will be asked for."""
        return forgotten if type(self.executor) is Inline else self.executor.expect

    def planned(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made by the executor, if there is one: ahead, or now. Raises Died."""
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
            self.runs, self.apart = self.runs + 1, True
            self._lasted(found.seconds)
            leaks.add(found.escapes)
        return found

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
        self.executor, self.crash_log = Inline(), CrashLog()

    def execute(self, plan: FaultPlan, *, trace: bool = False) -> tuple[History, list[Crossing]]:
        """One run under a plan, with the crossings at which it could have been struck."""
        injector = self.under(plan)
        return self._made(plan, self.agent, injector, trace=trace), injector.crossings

    def _made(
        self, plan: FaultPlan | None, agent: Agent, injector: Injector, *, trace: bool = False
    ) -> History:
        scenario = self.scenario if plan is None else self.stories.of(plan)[0]
        return self._run(scenario, plan, agent, injector, trace)

    def _with_inputs(self, scenario: Scenario, plan: FaultPlan, injector: Injector) -> History:
        return self._run(scenario, plan, self.agent, injector, False)

    def _run(
        self,
        scenario: Scenario,
        plan: FaultPlan | None,
        agent: Agent,
        injector: Injector,
        trace: bool,
    ) -> History:
        self.runs += 1
        self.crash_log.begin(plan)
        begun = Real.monotonic()
        history = self.simulation.execute(scenario, agent, injector, trace=trace)
        self._lasted(Real.monotonic() - begun)
        return history

    def _lasted(self, seconds: float) -> None:
        self.took = seconds
        if seconds > self.slowest and self.runs > 1:
            self.slowest = seconds
        self.quickest = min(seconds, self.quickest)

    def compared(self, plan: FaultPlan, history: History) -> list[Violation]:
        """How the other entrypoint comes out otherwise under this plan: one run more."""
        assert self.other is not None, "there is something to compare with"
        then = self._made(plan, self.other, self.under(plan))
        return differences(history, then, than=self.same_as[8:-1])

    def violations(self, history: History, plan: FaultPlan) -> list[Violation]:
        """Every violation of every law in the history of a run under this plan."""
        verdicts = self.scenario.judge(history, self.baseline(plan))
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
