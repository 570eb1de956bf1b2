"""A campaign: one agent in one scenario, searched in order under one budget.

Law: the fault-free run twice, saved counterexamples, every plan with one fault, a covering array
of pairs, every pair, then plans grown from what those runs showed; each violation is kept once
per law, subject and cause, by its smallest plan, and shown only after it has been replayed. A plan
that gives two histories is a finding (AF904), and costs no other one. The result says exactly what
was covered. Called by the doors.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agentfuzz.archive.crash_log import CrashLog, Following
from agentfuzz.archive.saved import Saved
from agentfuzz.core.findings import CampaignResult, Counterexample, Level
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import unique
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import FOREVER, Real
from agentfuzz.search.again import AT_THE_END, Again
from agentfuzz.search.budget import Budget, Meter
from agentfuzz.search.coverage import Coverage, clean_run
from agentfuzz.search.dealing import Dealing
from agentfuzz.search.died import MOST, died, told_of
from agentfuzz.search.escaped import escapes
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.guided import Corpus
from agentfuzz.search.kept import Kept
from agentfuzz.search.levels import Levels
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.progress import Progress
from agentfuzz.search.runner import Runner
from agentfuzz.search.saved_plans import SavedPlans
from agentfuzz.search.space import Space
from agentfuzz.search.unjudged import unjudged
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
        watch: "Callable[[Campaign], None] | None" = None,
        fresh: Sequence[str] = (),
        cluster: str = "",
        dealing: Dealing | None = None,
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
        self.dealing = self.runner.dealing = dealing or Dealing()
        self.notes: list[str] = []
        self._watch, self._fresh, self._cluster = watch, fresh, cluster
        self._deaths: list[Counterexample] = []
        self.fixed: list[Saved] = []
        self._kept = Kept(self.runner)
        self._meter = Meter(
            self.budget,
            lambda: self.runner.runs,
            lambda: self.runner.slowest,
            lambda: any(self._kept.found.values()),
        )
        self._again = Again(self.runner)
        laws = [law.name for law in scenario.invariants]
        self._coverage = Coverage(
            self.space,
            laws if same_as is None else [*laws, self.runner.same_as],
            scenario.implied,
        )
        self._corpus = Corpus(self.space, self.budget.seed, depth=self.budget.depth)
        self._levels = Levels(self.runner, self._meter, self._coverage, self._again, self._judged)
        self._saved = SavedPlans(self.runner, self._kept, self._again, self._judged, self._compared)
        leaks.taken()  # what came before is no affair of this campaign

    @property
    def runs(self) -> int:
        """How often the agent was run so far."""
        return self.runner.runs

    @property
    def found(self) -> bool:
        """Whether anything was found so far."""
        return any(self._kept.found.values()) or bool(self._deaths)

    def left(self, why: str) -> None:
        """The test was left (a skip) before its campaign had ended."""
        self._meter.stopped = "skip"
        self.notes.append(f"the test was left before its campaign had ended: {why}")

    def _judged(self, plan: FaultPlan, phase: str) -> Outcome | None:
        """The run of a plan, counted; its violations are kept if they are the smallest yet. None
        if its process died: that is told, and the plan not run again."""
        try:
            outcome = self.runner.planned(plan)
        except Died as death:
            said = f"A process that made runs ahead ended with {death.how}."
            self._deaths.append(died(self.nodeid, self.scenario.name, death.plan, said))
            self.runner.runs += 1
            return None
        self._folded(outcome, phase, plan)
        return outcome

    def _folded(self, outcome: Outcome, phase: str, plan: FaultPlan | None = None) -> None:
        history, crossings, verdicts = outcome[:3]
        self._coverage.saw(history, crossings)
        if plan is not None:
            self._corpus.glance(history, crossings)
        steady, counts = self.runner.steady, self._coverage.verdicts
        for place, law in enumerate(self.scenario.invariants):
            found = verdicts[place]
            if found is None or (law.needs_baseline and not steady):
                counts[place][2] += 1
            elif found:
                counts[place][1] += 1
                for violation in unique(found):
                    self._kept.keep(law.name, violation, history, plan, phase)
            else:
                counts[place][0] += 1
        self._levels.done += 1
        if self._watch is not None:
            self._watch(self)

    @property
    def progress(self) -> Progress:
        """Where it is."""
        levels, meter = self._levels, self._meter
        found = sum(map(len, self._kept.found.values()))
        rate = self.runs / max(meter.seconds, 1e-6)
        return Progress(levels.phase, levels.done, levels.total, found, rate, meter.remaining)

    def _compared(self, plan: FaultPlan, history: History, phase: str) -> None:
        """How the other entrypoint, if there is one, came out under the same plan."""
        if self.runner.other is None or not self.runner.steady or len(plan) > 1:
            return
        found = self.runner.compared(plan, history)
        self._coverage.verdicts[-1][1 if found else 0] += 1
        for violation in found:
            self._kept.keep(self.runner.same_as, violation, history, plan, phase)

    # Phases -------------------------------------------------------------------------------

    def plain(
        self, saved: Sequence[Saved] = (), *, asked: bool = False, seconds: float = FOREVER
    ) -> bool:
        """The fault-free run, and the plans of saved counterexamples (`asked`: even what this
        campaign does not try), as many as can be run in so many real seconds. False when the agent
        fails without any fault, so that a search would say nothing."""
        runner, nothing = self.runner, FaultPlan()
        self._crossings = runner.begin()
        self._meter.begin()
        self._again.plain(runner.first)
        outcome = self._judged(nothing, "fault-free")
        assert outcome is not None, "nothing is made ahead yet"
        history = outcome.history
        self._again.compare(nothing, runner.first, history)
        self._compared(nothing, history, "fault-free")
        begun = Real.monotonic()
        for place, one in enumerate(saved):
            if place and Real.monotonic() - begun > seconds:
                self.notes.append(
                    f"{len(saved) - place:,} of {len(saved):,} saved findings were not replayed "
                    f"within {seconds:g} s, the oldest ones; pytest --agentfuzz replays them all"
                )
                break
            note, fixed = self._saved.replay(one, None if asked else self._crossings)
            self.notes.append(note)
            self.fixed += [one] * fixed
        return not self._kept.without_faults("AF900", "AF906")

    def regress(self, plan: FaultPlan, code: str) -> None:
        """One plan, and of its violations only those with this code (any, if it is empty).
        Raises PlanError when the plan does not apply to this agent any more."""
        self.runner.begin()
        self._again.plain(self.runner.first)
        self._saved.regress(plan, code)

    def search(self, saved: Sequence[Saved] = ()) -> None:
        """The whole campaign, or the part of it that is dealt to this process."""
        runs = self.plain(saved)
        self.dealing.begin(self.runner.first, self.budget, self.space)
        self.notes += self.dealing.notes
        whole = runs and self._walk()
        if whole and not self.dealing.part:
            self._deep()
        self.dealing.end()

    def _walk(self) -> bool:
        with self.runner.ahead(self.budget.workers, self._fresh, self._cluster) as notes:
            whole = self._levels.walk(self._crossings, self._compared)
        self.notes += notes
        self.notes += told_of(self._deaths, self.runner.apart and bool(self._again.findings))
        return whole

    def _deep(self) -> None:
        meter, before, found = self._meter, self.runs, self.found
        wanted = self.budget.deep_runs // (4 if found else 1)
        possible = any(map(self.space.at, self._coverage.groups.values()))
        if wanted <= 0 or not possible or meter.out():
            return
        if self._deaths:
            return  # what is drawn is run in this process
        room = min(wanted, meter.left)
        self._levels.begin("random plans", room)

        def run(injector: Injector) -> History:
            outcome = self.runner.outcome(Following(injector, self.runner.crash_log), None)
            self._folded(outcome, "random plans")
            return outcome.history

        self._corpus.explore(run, runs=room, stop=meter.out, missed=self._again.missed)
        self._levels.told.append(Level("random plans and values", self.runs - before, None))
        if room < wanted:
            meter.out()
        if not meter.late:
            self._again.ended(min(meter.left, AT_THE_END))

    def interrupted(self) -> CampaignResult:
        """What there is when the user stops the session: the agent is not run any more."""
        findings: list[Counterexample] = []
        if self.found:
            self._forget_doubtful()
            findings = self._kept.unconfirmed()
        self._meter.stopped = "interrupt"
        return self._told(findings, ["the session was interrupted in this test"])

    def _told(self, findings: Sequence[Counterexample], notes: Sequence[str]) -> CampaignResult:
        coverage = self._coverage
        return CampaignResult(
            nodeid=self.nodeid,
            scenario=self.scenario.name,
            runs=self.runs,
            seconds=self._meter.seconds,
            struck=coverage.struck,
            stopped=self._meter.stopped,
            seed=self.budget.seed,
            levels=tuple(self._levels.told),
            findings=(*self._again.beside(findings), *self._deaths[:MOST]),
            laws=coverage.laws,
            kinds=coverage.kinds,
            tools=dict(coverage.tools),
            notes=(*self.notes, *notes),
            escapes=escapes(self.runner.root),
        )

    # What is kept -------------------------------------------------------------------------

    def _forget_doubtful(self) -> None:
        """Forget what is said by comparing with a run that does not come back, or twice."""
        if not self.runner.steady:
            compare = {law.name for law in self.scenario.invariants if law.needs_baseline}
            self._kept.forget({*compare, self.runner.same_as})
        self._kept.tell_once(self._saved.replayed)

    def result(self) -> CampaignResult:
        """Shrink, replay and control what was found, and say what was covered."""
        runner, meter, coverage = self.runner, self._meter, self._coverage
        self._forget_doubtful()
        known = {slot: self.space.all_at(group) for slot, group in coverage.groups.items()}
        findings, counted = self._kept.confirmed(
            known, self._levels.smaller, lambda: meter.late, lambda: meter.over
        )
        reasons = {law.name: law.note(runner.first) for law in self.scenario.invariants}
        tools = list(runner.first.tools)
        untested = coverage.untested(tools, meter.stopped, reasons) if self._levels.told else []
        if self.dealing.part and coverage.struck:
            untested = []  # another part may have come to it
        probed, unknown = runner.simulation.probing.told(self.scenario)
        return replace(
            self._told(findings, [*counted, *unknown]),
            untested=tuple(untested),
            clean="; ".join([clean_run(runner.first), *probed]),
            unjudged=unjudged(runner.first),
        )
