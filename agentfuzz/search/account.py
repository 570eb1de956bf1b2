"""The account of a campaign: what its runs came to, and what is said of it.

Law: each run is counted, its violations kept, and the campaign learns from it, in the order of the
plans; what is told is what was counted, and of findings what real runs have shown. The campaign
makes the runs.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from agentfuzz.archive.crash_log import CrashLog
from agentfuzz.archive.saved import Saved
from agentfuzz.core.findings import CampaignResult, Counterexample
from agentfuzz.core.matrix import Matrix
from agentfuzz.core.paths import Paths
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import Violation, unique
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.runtime import leaks
from agentfuzz.runtime.paths.watch import given_up
from agentfuzz.search.budget import Budget, Meter
from agentfuzz.search.covered.coverage import Coverage, clean_run
from agentfuzz.search.covered.reached import paths
from agentfuzz.search.covered.unjudged import unjudged
from agentfuzz.search.escaped import escapes
from agentfuzz.search.found.died import MOST
from agentfuzz.search.found.kept import Kept
from agentfuzz.search.found.saved_plans import SavedPlans
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.parts.dealing import Dealing
from agentfuzz.search.phases.again import Again
from agentfuzz.search.phases.guided import Corpus
from agentfuzz.search.phases.inputs import Inputs
from agentfuzz.search.phases.levels import Levels
from agentfuzz.search.progress import Progress
from agentfuzz.search.runner import Runner
from agentfuzz.search.space import Space


class Account:
    """See `Campaign`."""

    _inputs: Inputs
    _levels: Levels
    _saved: SavedPlans

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
        watch: Callable[[Any], None] | None = None,
        fresh: Sequence[str] = (),
        cluster: str = "",
        dealing: Dealing | None = None,
    ) -> None:
        self.scenario = scenario
        self.nodeid = nodeid or scenario.name
        self.space = space or Space(faults=scenario.faults)
        self.budget = budget or Budget()
        self.dealing = dealing or Dealing()
        self._watch, self._fresh, self._cluster = watch, fresh, cluster
        self._meter = Meter(self.budget, lambda: any(self._kept.found.values()))
        self._runner = partial(
            Runner,
            scenario,
            agent,
            simulation,
            nodeid=self.nodeid,
            space=self.space,
            root=root or Path.cwd(),
            crash_log=crash_log or CrashLog(),
            other=same_as,
        )
        self._begin()
        leaks.taken()  # what came before is no affair of this campaign

    def _begin(self, *notes: str) -> None:
        """Nothing is known yet, but what these notes say."""
        self.runner = self._runner()
        self.runner.dealing = self.dealing
        self._meter.spent = self.runner
        self.notes: list[str] = [*notes]
        self._deaths: list[Counterexample] = []
        self.fixed: list[Saved] = []
        self._kept = Kept(self.runner, self.budget.seed)
        self._again = Again(self.runner)
        laws = [law.name for law in self.scenario.invariants]
        self._coverage = Coverage(
            self.space,
            laws if self.runner.other is None else [*laws, self.runner.same_as],
            self.scenario.implied,
        )
        self._corpus = Corpus(self.space, self.budget.seed, depth=self.budget.depth)

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

    def _folded(self, outcome: Outcome, phase: str, plan: FaultPlan | None = None) -> None:
        history, crossings, verdicts = outcome[:3]
        other = plan is not None and bool(plan.given)  # where it comes is no way of the others
        self._coverage.saw(history, () if other else crossings)
        if plan is not None and not other:
            self._corpus.glance(history, crossings)
        self._levels.done += 1
        if self.runner.steady and not any(verdicts):
            self._coverage.calm(verdicts)
        else:
            self._count(outcome, phase, plan)
        if self._watch is not None:
            self._watch(self)

    def _count(self, outcome: Outcome, phase: str, plan: FaultPlan | None) -> None:
        """Count the verdicts on a run one by one, and keep what it broke."""
        history, steady, counts = outcome.history, self.runner.steady, self._coverage.verdicts
        broken: list[Violation] = []
        for place, law in enumerate(self.scenario.invariants):
            found = outcome.verdicts[place]
            if found is None or (law.needs_baseline and not steady):
                counts[place][2] += 1
            elif found:
                counts[place][1] += 1
                for violation in unique(found):
                    broken.append(violation)
                    self._kept.keep(law.name, violation, history, plan, phase)
            else:
                counts[place][0] += 1
        if broken:
            self._coverage.cells.broke(history, broken)

    @property
    def progress(self) -> Progress:
        """Where it is."""
        levels, meter = self._levels, self._meter
        found = sum(map(len, self._kept.found.values()))
        rate = self.runs / max(meter.seconds, 1e-6)
        return Progress(levels.phase, levels.done, levels.total, found, rate, meter.remaining)

    def interrupted(self) -> CampaignResult:
        """What there is when the user stops the session: the agent is not run any more."""
        findings: list[Counterexample] = []
        if self.found:
            self._forget_doubtful()
            findings = self._kept.unconfirmed()
        notes = (*self.notes, "the session was interrupted in this test")
        return self._told("interrupt", findings, notes)

    def _told(
        self, stopped: str, findings: Sequence[Counterexample], notes: Sequence[str], **more: Any
    ) -> CampaignResult:
        return CampaignResult(
            nodeid=self.nodeid,
            scenario=self.scenario.name,
            runs=self.runs,
            seconds=self._meter.seconds,
            struck=self._coverage.struck,
            stopped=stopped,
            seed=self.budget.seed,
            levels=(*self._levels.told, *self._inputs.told),
            findings=(*self._again.beside(findings), *self._deaths[:MOST]),
            laws=self._coverage.laws,
            kinds=self._coverage.kinds,
            tools=dict(self._coverage.tools),
            matrix=self._matrix(findings),
            notes=tuple(notes),
            escapes=escapes(self.runner.root),
            paths=self._paths,
            unsearched=self._saved.told,
            **more,
        )

    @property
    def _paths(self) -> Paths | None:
        watch, real = self.runner.watch, self.runner.memo is None
        if self.dealing.part:
            return None  # what it did not enter, another may
        if watch is None:
            return Paths(blind=(self.nodeid,)) if given_up() else None
        return paths(watch, self._coverage, self.space, real=real)

    def _matrix(self, findings: Sequence[Counterexample]) -> Matrix:
        """Where nothing was searched, it says what struck, and of nothing that it was not tried."""
        coverage, found = self._coverage, (*findings, *self._again.findings, *self._deaths)
        groups = coverage.groups if self._levels.singles else {}
        return coverage.cells.matrix(groups, coverage.plain, found)

    def _answered(self) -> Iterator[str]:
        """What the scenario's cassette knew of all that it was asked."""
        asked, missed, path = self._coverage.asked, self._coverage.missed, self.scenario.cassette
        if path is None or not asked:
            return
        by = "answered as the nearest" if self.scenario.on_miss == "nearest" else "simulated"
        yield (
            f"the cassette {path.name} answered {asked - missed:,} of {asked:,} questions; "
            f"{missed:,} {'was' if missed == 1 else 'were'} {by}"
        )
        if first := self.runner.first.questions[1]:
            yield (
                f"the cassette {path.name} is stale: the run without faults asks {first:,} "
                f"question{'s' * (first != 1)} that nobody recorded; record it again: "
                f"--agentfuzz-record {path.name}"
            )

    def _forget_doubtful(self) -> None:
        """Forget what is said by comparing with a run that does not come back, or twice."""
        if not self.runner.steady:
            compare = {law.name for law in self.scenario.invariants if law.needs_baseline}
            self._kept.forget({*compare, self.runner.same_as})
        self._kept.tell_once(self._saved.replayed)

    def _result(self) -> CampaignResult:
        """Shrink, replay and control what was found, and say what was covered. Raises Doubted."""
        runner, meter, coverage = self.runner, self._meter, self._coverage
        self._forget_doubtful()
        known = {slot: self.space.all_at(group) for slot, group in coverage.groups.items()}
        findings, counted = self._kept.confirmed(
            known, self._levels.smaller, lambda: meter.late, lambda: meter.over
        )
        reasons = {law.name: law.note(runner.first) for law in self.scenario.invariants}
        given = list(runner.first.tools), meter.stopped, reasons
        untested = coverage.untested(*given) if self._levels.told else []
        if self.dealing.part and coverage.struck:
            untested = []  # another part may have come to it
        probed, unknown = runner.simulation.probing.told(self.scenario)
        return self._told(
            meter.stopped,
            findings,
            (*self.notes, *self._inputs.notes, *counted, *unknown, *self._answered()),
            untested=tuple(untested),
            made=tuple(runner.remembered),
            clean="; ".join([clean_run(runner.first), *probed]),
            unjudged=unjudged(runner.first),
        )
