"""The maker: the runs of one agent, made here, by a process ahead, or by another machine.

Law: every run of a campaign comes from here, so that each is counted and written ahead, and is
judged by the same laws, whoever made it: the agent, or the memo of what it did. The base of the
runner.
"""

from pathlib import Path

from agentfuzz.archive.crash_log import CrashLog
from agentfuzz.core.errors import FixtureError
from agentfuzz.core.events import made
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.invariants.jury import found_by
from agentfuzz.runtime import leaks
from agentfuzz.runtime.clock import FOREVER, Real
from agentfuzz.runtime.paths import watch as paths
from agentfuzz.search.covered.reached import Striking
from agentfuzz.search.executors.choice import DEAR
from agentfuzz.search.executors.executor import Died, Executor, Inline
from agentfuzz.search.executors.processes import Processes
from agentfuzz.search.memo.beside import Beside
from agentfuzz.search.memo.memo import Memo
from agentfuzz.search.memo.taping import Taping, sent
from agentfuzz.search.outcome import Outcome
from agentfuzz.search.parts.dealing import Dealing
from agentfuzz.search.space import Space
from agentfuzz.search.stories import Stories
from agentfuzz.world.injector import Crossing, FromPlan, Injector
from agentfuzz.world.specs import forget


class Maker:
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
        self.dealing = Dealing()
        self.apart = False  # other processes have made runs
        self.runs = 0
        self.slowest = self.took = 0.0
        self.quickest = FOREVER
        forget()
        self.steady = True
        self.memo: Memo | None = None
        self.watch = paths.current()  # of the error paths of the agent, if anybody may look
        self._taping: Taping | None = None

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
        if plan is None or not plan.given:
            return self.stories.first
        return self.stories.of(plan)[1]

    def unsteady(self) -> None:
        """Runs without faults differ: this agent has no run to compare with."""
        self.steady = False

    def under(self, plan: FaultPlan) -> FromPlan:
        """An injector for a plan, asked about all that this campaign may do."""
        return FromPlan(plan, process=self.space.process)

    def outcome(self, injector: Injector, plan: FaultPlan | None) -> Outcome:
        """One run, judged. Without a plan, its faults are written ahead as they are drawn."""
        if plan is None or not plan.given:
            history = self._run(self.scenario, plan, self.agent, injector)
        elif self.stories.new(plan):
            history = self.stories.begin(plan.given, injector)
        else:
            history = self._made(plan, self.agent, injector)
        return self._judged(history, injector, plan)

    def _judged(self, history: History, injector: Injector, plan: FaultPlan | None) -> Outcome:
        found = found_by(self.scenario.invariants, history, self.baseline(plan))
        facts = (history, injector.crossings, found, self.took, (), b"", ())
        outcome: Outcome = made(Outcome, facts)
        return outcome

    def made(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made here; without the agent, where the memo knows it."""
        memo = self.memo
        if memo is None or plan.given:  # it knows the simplest inputs
            return self.outcome(self.under(plan), plan)
        found = self._recalled(plan)
        if found is not None:
            memo.audit(plan, found, lambda: self.under(plan))
            return found
        injector = self.under(plan)
        history = self._made(plan, memo.taped, injector)
        memo.learn(history)
        return self._judged(history, injector, plan)

    def _recalled(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan from the memo, counted; None where it is to be made."""
        if self.memo is None or plan.given:
            return None
        found = self._answered(plan)
        if found is not None:
            self.memo.answered += 1
            self.runs += 1
            self._lasted(found.seconds)
        return found

    def _answered(self, plan: FaultPlan) -> Outcome | None:
        """The run of a plan, made without the agent; None where the memo does not know it."""
        assert self.memo is not None, "it is asked"
        injector, begun = self.under(plan), Real.monotonic()
        self.crash_log.begin(plan)
        history = self.memo.answer(injector)
        if history is None:
            return None
        return self._judged(history, injector, plan)._replace(seconds=Real.monotonic() - begun)

    def taped(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made here for the memo of another process."""
        if self._taping is None:
            self._taping = Taping(self.agent, self.scenario.build, self.simulation)
        injector = self.under(plan)
        history = self._made(plan, self._taping.agent, injector)
        tapes = sent(self._taping.written(history))
        return self._judged(history, injector, plan)._replace(tapes=tapes)

    @property
    def others(self) -> Executor | None:
        """Who makes runs ahead, if anybody does."""
        return None if type(self.executor) is Inline else self.executor

    def planned(self, plan: FaultPlan) -> Outcome:
        """The run of a plan, made by the executor, if there is one: ahead, or now; or by another
        machine. Raises Died, ShardError."""
        if self.dealing.alone:
            return self._planned(plan)
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
        if type(self.executor) is Inline:
            if self.simulation.watchdog.interrupted:
                raise KeyboardInterrupt
            return self.made(plan)
        found = self._taken(plan)
        if found is None:
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
            self.stories.begun(plan, found.history)
        return found

    def _counted(self, made: Outcome) -> None:
        """A run that was made elsewhere."""
        self.runs += 1
        self._lasted(made.seconds)
        leaks.add(made.escapes)
        if self.watch is not None:
            self.watch.add(made.marks)

    def reached(self, plan: FaultPlan) -> tuple[History, list[Crossing]]:
        """What a run comes to that was made before, and where it could have been struck. A process
        that dies of it now, or of no fault at all, is none to make runs in."""
        try:
            found = self._taken(plan)
        except Died as death:
            self.executor.give_up(f"a process died under {plan}, of which none had ({death.how})")
            found = None
        found = self._recalled(plan) if found is None else found
        return self.execute(plan) if found is None else (found.history, found.crossings)

    def remember(self, word: str, seed: int) -> None:
        """From now on runs are made without the agent where that is possible: `on`, or `auto` for
        an agent whose runs are dear, and whose error paths nobody watches: what came near to them
        would depend on the machine. Not where machines share them."""
        auto = word == "auto" and self.watch is None and self.quickest > DEAR
        dear = word == "on" or auto
        if dear and self.dealing.alone:
            self.memo = Memo(self.scenario, self.agent, self.simulation, seed)
            if type(self.executor) is not Inline:
                assert isinstance(self.executor, Processes), "nothing else makes runs ahead"
                self.executor = Beside(self.executor, self.memo, self._answered)

    @property
    def remembered(self) -> list[str]:
        """What is to be said of such runs."""
        return [] if self.memo is None else self.memo.told(self.runs)

    def doubt(self, plan: FaultPlan) -> None:
        """Two runs under a plan differ. Raises Doubted if that may be the memo's doing."""
        if self.memo is not None:
            self.memo.differ(plan)

    def execute(self, plan: FaultPlan, *, trace: bool = False) -> tuple[History, list[Crossing]]:
        """One run under a plan, with the crossings at which it could have been struck."""
        injector = self.under(plan)
        return self._made(plan, self.agent, injector, trace=trace), injector.crossings

    def _made(
        self, plan: FaultPlan | None, agent: Agent, injector: Injector, *, trace: bool = False
    ) -> History:
        scenario = self.scenario
        if plan is not None and plan.given:
            scenario = self.stories.of(plan)[0]
        return self._run(scenario, plan, agent, injector, trace=trace)

    def _with_inputs(self, scenario: Scenario, plan: FaultPlan, injector: Injector) -> History:
        return self._run(scenario, plan, self.agent, injector)

    def _run(
        self,
        scenario: Scenario,
        plan: FaultPlan | None,
        agent: Agent,
        injector: Injector,
        *,
        trace: bool = False,
    ) -> History:
        self.runs += 1
        self.crash_log.begin(plan)
        striking = None if self.watch is None else Striking(injector, self.watch)
        begun = Real.monotonic()
        try:
            history = self.simulation.execute(scenario, agent, striking or injector, trace=trace)
        except FixtureError as error:
            under = "a random plan" if plan is None else f"the plan {str(plan)!r}"
            under = under if plan is None or plan or plan.given else "no fault"
            error.args = (f"{error}. It was run {self.runs:,} of this campaign, under {under}.",)
            raise
        self._lasted(Real.monotonic() - begun)
        if striking is not None:
            striking.over(history)
        return history

    def _lasted(self, seconds: float) -> None:
        self.took = seconds
        if seconds > self.slowest and self.runs > 1:
            self.slowest = seconds
        if seconds < self.quickest:
            self.quickest = seconds
