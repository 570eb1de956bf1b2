"""A campaign: one agent in one scenario, searched in order under one budget.

Law: the fault-free run twice, saved counterexamples, every plan with one fault, a covering array
of pairs, every pair, then plans grown from what those runs showed; each violation is kept once
per law, subject and cause, by its smallest plan, and shown only after it has been replayed. A plan
that gives two histories is a finding (AF904), and costs no other one. The result says exactly what
was covered. Called by the doors.

Where a run that was made without the agent turns out wrong, or may have been, nothing counts: the
campaign begins anew, every run real, within the same time, and says why.
"""

from collections.abc import Sequence

from agentfuzz.archive.crash_log import Following
from agentfuzz.archive.saved import Saved
from agentfuzz.core.findings import CampaignResult, Level
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.runtime.clock import FOREVER, Real
from agentfuzz.search import watched
from agentfuzz.search.account import Account
from agentfuzz.search.budget import Budget as Budget
from agentfuzz.search.executors.executor import Died
from agentfuzz.search.found.died import died, told_of
from agentfuzz.search.found.kept import SAVED
from agentfuzz.search.found.saved_plans import SavedPlans
from agentfuzz.search.memo.memo import Doubted
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.phases.again import AT_THE_END
from agentfuzz.search.phases.inputs import A_FEW, MANY, Inputs
from agentfuzz.search.phases.levels import BY_THE_OTHER, LASTING, Levels
from agentfuzz.search.phases.systematic import named
from agentfuzz.search.watched import Seen
from agentfuzz.world.injector import Injector

# What every session runs anew, whatever the last one came to.
ALWAYS = frozenset(("fault-free", SAVED, named(1), LASTING, A_FEW, BY_THE_OTHER))


class Campaign(Account):
    """Use `plain()` for one fault-free run and the saved plans, `search()` for the whole, then
    `result()`. Everything happens inside `simulation`'s with block."""

    _searched: Sequence[Saved] = ()
    _earlier: History | None = None  # the first run, before everything was begun anew

    def _begin(self, *notes: str) -> None:
        super()._begin(*notes)
        self._inputs = Inputs(self.runner, self._meter, self._judged, self._compared)
        self._levels = Levels(
            self.runner, self._meter, self._coverage, self._again, self._inputs, self._judged
        )
        self._saved = SavedPlans(self.runner, self._kept, self._again, self._judged, self._compared)

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

    def _compared(self, plan: FaultPlan, history: History, phase: str) -> None:
        """How the other entrypoint, if there is one, came out under the same plan."""
        if self.runner.other is None or not self.runner.steady or len(plan) > 1:
            return
        found = self.runner.compared(plan, history)
        self._coverage.verdicts[-1][1 if found else 0] += 1
        for violation in found:
            self._kept.keep(self.runner.same_as, violation, history, plan, phase)
        if found:
            self._coverage.cells.broke(history, found)

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
        self._coverage.plain = len(self._coverage.groups)
        history = outcome.history
        for first in filter(None, (runner.first, self._earlier)):
            self._again.compare(nothing, first, history)
        self._compared(nothing, history, "fault-free")
        self.notes += filter(None, [watched.begin(runner, history)])
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
        """The whole campaign."""
        self._searched = saved
        try:
            self._search(self.budget.memo)
        except Doubted as doubted:
            self._anew(doubted)

    def _anew(self, doubted: Doubted) -> None:
        """What was run does not count: the whole campaign again, without the memo, and unwatched if
        that was seen. Then its time begins again: without a watch it would have had all of it. But
        the first run of all was a real one: what an agent has kept since then shows by it."""
        self._earlier = self._earlier or self.runner.first
        self._meter.stopped = "exhausted"
        if isinstance(doubted, Seen):
            self._meter.again()
            self._fresh, self._cluster = (), ""  # processes that are begun anew would watch
        self._begin(str(doubted))
        try:
            self._search("off")
        except Seen as seen:
            self._anew(seen)

    def _search(self, memo: str) -> None:
        """The whole search, or the part of it that is dealt to this process. Raises Doubted."""
        runs = self.plain(self._searched)
        self.dealing.unsaved = self._unsaved
        self.dealing.begin(self.runner.first, self.budget, self.space)
        self.notes += [*self.dealing.notes, *watched.others(self.runner)]
        whole = runs and self._walk(memo)
        if whole and not self.dealing.part:
            self._deep()
        self.dealing.end(watched.left(self.runner))

    def _unsaved(self) -> bool:
        """Whether there is a finding that the next session may not come to by itself."""
        return bool(self._again.findings or self._deaths) or self._kept.met_beyond(ALWAYS)

    def _walk(self, memo: str) -> bool:
        with self.runner.ahead(self.budget.workers, self._fresh, self._cluster) as notes:
            self.runner.remember(memo, self.budget.seed)
            whole = self._levels.walk(self._crossings, self._compared)
        self.notes += notes
        self.notes += told_of(self._deaths, self.runner.apart and bool(self._again.findings))
        return whole

    def _deep(self) -> None:
        meter, before, found = self._meter, self.runs, self.found
        wanted = self.budget.deep_runs // (4 if found else 1)
        if wanted <= 0 or meter.out() or self._deaths:
            return  # after a death nothing is run in this process
        self._levels.begin(MANY, None)
        self._inputs.many(self.budget.deep_runs)
        if self._levels.all or not any(map(self.space.at, self._coverage.groups.values())):
            return
        if meter.out():
            return
        before, room = self.runs, min(wanted, meter.left)
        self._levels.begin("random plans", room)

        def run(injector: Injector) -> History:
            outcome = self.runner.outcome(Following(injector, self.runner.crash_log), None)
            self._folded(outcome, "random plans")
            return outcome.history

        self._corpus.explore(run, runs=room, stop=meter.out, missed=self._again.missed)
        self._levels.told.append(Level("random plans and values", self.runs - before, None))
        if self.runs - before >= room < wanted:
            meter.out()
        if not meter.late:
            self._again.ended(min(meter.left, AT_THE_END))

    def result(self) -> CampaignResult:
        """Shrink, replay and control what was found, and say what was covered."""
        try:
            return self._result()
        except Doubted as doubted:
            self._anew(doubted)
            return self.result()
