"""A campaign: one agent in one scenario, searched in order under one budget.

Law: saved counterexamples, the fault-free run twice, every plan with one fault, a covering array
of pairs, every pair, then plans grown from what those runs showed; each violation is kept once
per law and subject, by its smallest plan, and shown only after it has been replayed. The result
says exactly what was covered. Called by the doors.
"""

from collections.abc import Sequence
from pathlib import Path

from agentfuzz.archive.crash_log import CrashLog, Following
from agentfuzz.archive.saved import Saved
from agentfuzz.core.codec import first_difference
from agentfuzz.core.errors import NondeterministicAgent, PlanError
from agentfuzz.core.events import Struck
from agentfuzz.core.findings import CampaignResult, Level
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import unique
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.engine.single import require_struck
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import Real
from agentfuzz.search import pairwise
from agentfuzz.search.budget import Budget
from agentfuzz.search.coverage import Coverage, clean_run
from agentfuzz.search.guided import Corpus
from agentfuzz.search.kept import Kept
from agentfuzz.search.runner import Runner
from agentfuzz.search.space import Space, untried
from agentfuzz.search.systematic import Level as Walk
from agentfuzz.search.verify import aside, escapes
from agentfuzz.world.injector import Injector


class Campaign:
    """Use `plain()` for one fault-free run and the saved plans, `search()` for the whole, then
    `result()`. Everything happens inside `simulation`'s with block."""

    def __init__(
        self,
        scenario: Scenario,
        agent: Agent,
        simulation: Simulation,
        *,
        nodeid: str = "",
        space: Space | None = None,
        budget: Budget | None = None,
        root: Path | None = None,
        crash_log: CrashLog | None = None,
        same_as: Agent | None = None,
    ) -> None:
        self.scenario = scenario
        self.nodeid = nodeid or scenario.name
        self.space = space or Space(faults=scenario.faults)
        self.budget = budget or Budget()
        self.runner = Runner(
            scenario,
            agent,
            simulation,
            nodeid=self.nodeid,
            space=self.space,
            root=root or Path.cwd(),
            crash_log=crash_log or CrashLog(),
            other=same_as,
        )
        self.notes: list[str] = []
        self.fixed: list[Saved] = []
        self.stopped = "exhausted"
        self._started = Real.monotonic()
        self._levels: list[Level] = []
        self._kept = Kept(self.runner)
        self._singles: list[FaultPlan] = []  # for another entrypoint, if there is one
        laws = [law.name for law in scenario.invariants]
        self._coverage = Coverage(
            self.space, laws if same_as is None else [*laws, self.runner.same_as]
        )
        self._corpus = Corpus(self.space, self.budget.seed, depth=self.budget.depth)
        leaks.taken()  # what came before is no affair of this campaign

    @property
    def runs(self) -> int:
        """How often the agent was run so far."""
        return self.runner.runs

    def _judged(self, injector: Injector, phase: str, plan: FaultPlan | None = None) -> History:
        """One run, judged and counted; its violations are kept if they are the smallest yet."""
        history = self.runner.run(injector, plan)
        self._coverage.saw(history, injector.crossings)
        if plan is not None:
            self._corpus.glance(history, injector.crossings)
        baseline, counts = self.runner.baseline, self._coverage.verdicts
        for place, law in enumerate(self.scenario.invariants):
            found = (
                None if law.needs_baseline and baseline is None else law.check(history, baseline)
            )
            if found is None:
                counts[place][2] += 1
            elif violations := tuple(found):
                counts[place][1] += 1
                for violation in unique(violations):
                    self._kept.keep(law.name, violation, history, plan, phase)
            else:
                counts[place][0] += 1
        return history

    def _out_of_budget(self, runs: int = 1) -> bool:
        if self.runs + runs > self.budget.max_runs:
            self.stopped = "max_runs"
            return True
        if Real.monotonic() - self._started > self.budget.max_seconds:
            self.stopped = "max_time"
            return True
        return False

    # Phases -------------------------------------------------------------------------------

    def plain(self, saved: Sequence[Saved] = (), *, asked: bool = False) -> bool:
        """The fault-free run, and the plans of saved counterexamples (`asked`: even what this
        campaign does not try). False when the agent fails without any fault, so that a search
        would say nothing.

        Raises NondeterministicAgent when two fault-free runs differ.
        """
        runner, nothing = self.runner, FaultPlan()
        baseline, self._baseline_crossings = runner.execute(nothing)
        runner.baseline = self.scenario.oracle(baseline)
        again = self._judged(runner.under(nothing), "fault-free", nothing)
        difference = first_difference(runner.baseline, again)
        if difference:
            raise NondeterministicAgent(
                f"AF904 {self.nodeid}: two runs without faults differ. {difference} Seed what is "
                f"random, and take time from the (virtual) clock.{aside(runner.root)}"
            )
        self._compared(nothing, again, "fault-free")
        for one in saved:
            self._replay(one, asked)
        return not any(code == "AF900" for code, _ in self._kept.found)

    def _replay(self, one: Saved, asked: bool) -> None:
        try:
            plan = self.runner.today(one.plan)
        except PlanError as error:
            self.notes.append(f"saved {one.id} no longer applies: {error}")
            return
        why, gone = untried(plan, self.space, self._baseline_crossings)
        if why and not asked:
            self.notes.append(f"saved {one.id} no longer applies: {why}")
            self.fixed += [one] * gone
            return
        history = self._judged(self.runner.under(plan), "saved", plan)
        self._compared(plan, history, "saved")
        if len(history.of(Struck)) < len(plan):
            self.notes.append(f"saved {one.id} no longer applies: {one.plan} is not reached")
        elif all(
            v.signature != (one.code, one.subject) for v in self.runner.violations(history, plan)
        ):
            self.notes.append(f"replayed saved finding {one.id}: fixed")
            self.fixed.append(one)
        else:
            self.notes.append(f"replayed saved finding {one.id}: still there")

    def regress(self, plan: FaultPlan, code: str) -> None:
        """One plan, and of its violations only those with this code (any, if it is empty).
        Raises PlanError when the plan does not apply to this agent any more."""
        self.runner.baseline = self.scenario.oracle(self.runner.execute(FaultPlan())[0])
        plan = self.runner.today(plan)
        history = self._judged(self.runner.under(plan), "regression", plan)
        require_struck(plan, history)
        self._compared(plan, history, "regression")
        self._kept.only(code)

    def search(self, saved: Sequence[Saved] = ()) -> None:
        """The whole campaign."""
        if not self.plain(saved):
            return
        parents, total, skipped = {FaultPlan(): 1}, None, 0
        for depth in range(1, self.budget.depth + 1):
            if depth == 2 and total and total - skipped > 500:
                self._cover(total - skipped)
            walk = Walk(parents, self.space)
            if total is None:
                assert self.runner.baseline is not None, "the baseline comes first"
                total = walk.count(self.runner.baseline, self._baseline_crossings)
            name = f"plans with {_number(depth)} fault{'s' * (depth > 1)}"
            done = self._walk(walk, name, last=depth == self.budget.depth)
            total, skipped = total - walk.absent, skipped - walk.absent_skipped
            self._levels.append(Level(name, done, total, skipped))
            if self._singles and depth == 1:
                self._by_the_other()
            if self.stopped != "exhausted":
                return
            if not walk.next:
                break  # the last level, or nothing left that a further fault could reach
            parents, total, skipped = walk.next, walk.next_total, walk.next_skipped
        self._deep()

    def _walk(self, walk: Walk, name: str, *, last: bool) -> int:
        done = 0
        for plan in walk.plans(self.runner.execute, self._out_of_budget):
            if self._out_of_budget():
                break
            injector = self.runner.under(plan)
            history = self._judged(injector, name, plan)
            if walk.exists(plan, history):
                done += 1
                if self.runner.other is not None and len(plan) == 1:
                    self._singles.append(plan)
                if not last:
                    walk.grew(plan, history, injector.crossings)
        return done

    def _by_the_other(self) -> None:
        """Every plan with one fault again, by the other entrypoint: two runs each."""
        name, done = "plans with one fault by another entrypoint", 0
        for plan in self._singles:
            if self._out_of_budget(runs=2):
                break
            history, _ = self.runner.execute(plan)
            self._compared(plan, history, name)
            done += 1
        self._levels.append(Level(name, done, len(self._singles)))

    def _compared(self, plan: FaultPlan, history: History, phase: str) -> None:
        """How the other entrypoint, if there is one, came out under the same plan."""
        if self.runner.other is None or len(plan) > 1:
            return
        found = self.runner.compared(plan, history)
        self._coverage.verdicts[-1][1 if found else 0] += 1
        for violation in found:
            self._kept.keep(self.runner.same_as, violation, history, plan, phase)

    def _cover(self, pairs: int) -> None:
        columns = [(slot, self.space.at(group)) for slot, group in self._coverage.groups.items()]
        done = 0
        for plan in pairwise.rows_if_few(columns, pairs):
            if self._out_of_budget():
                break
            done += 1
            self._judged(self.runner.under(plan), "covering array", plan)
        if done:
            self._levels.append(Level("plans of a covering array of pairs", done, None))

    def _deep(self) -> None:
        before = self.runs
        wanted = self.budget.deep_runs // (4 if self._kept.found else 1)
        possible = any(map(self.space.at, self._coverage.groups.values()))
        if wanted <= 0 or not possible or self._out_of_budget():
            return
        room = min(wanted, self.budget.max_runs - self.runs)

        def run(injector: Injector) -> History:
            return self._judged(Following(injector, self.runner.crash_log), "random plans")

        self._corpus.explore(run, runs=room, stop=self._out_of_budget)
        self._levels.append(Level("random plans and values", self.runs - before, None))
        if room < wanted:
            self._out_of_budget()

    # What is kept -------------------------------------------------------------------------

    def result(self) -> CampaignResult:
        """Shrink, replay and control what was found, and say what was covered.

        Raises NondeterministicAgent when a counterexample does not replay.
        """
        groups = self._coverage.groups.items()
        findings = self._kept.confirmed({slot: self.space.at(group) for slot, group in groups})
        baseline = self.runner.baseline
        assert baseline is not None, "a result comes after the baseline"
        probed, unknown = self.runner.simulation.probing.told(self.scenario)
        coverage, seconds = self._coverage, Real.monotonic() - self._started
        notes = {law.name: law.note(baseline) for law in self.scenario.invariants}
        idle = coverage.untested(list(baseline.tools), self.stopped, notes) if self._levels else ()
        return CampaignResult(
            nodeid=self.nodeid,
            scenario=self.scenario.name,
            runs=self.runs,
            seconds=seconds,
            struck=coverage.struck,
            stopped=self.stopped,
            seed=self.budget.seed,
            levels=tuple(self._levels),
            findings=findings,
            laws=coverage.laws,
            kinds=coverage.kinds,
            tools=dict(coverage.tools),
            notes=(*self.notes, *unknown),
            untested=tuple(idle),
            clean="; ".join([clean_run(baseline), *probed]),
            escapes=escapes(self.runner.root),
        )


def _number(n: int) -> str:
    return ("no", "one", "two", "three", "four")[n] if n < 5 else str(n)
