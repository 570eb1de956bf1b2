"""The memo of one agent in one campaign: runs that need no agent are made without it.

Law: world, backend, faults and laws are the real ones in every run; an answer is given only where
a real run of this campaign has seen the very same, never decides a finding, and is audited. One
difference, and nothing that it said counts (`Doubted`). Held by the runner.
"""

from collections import Counter
from collections.abc import Callable

from agentfuzz.core.history import History
from agentfuzz.core.parting import first_difference, parting
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.search.memo.audit import Audit
from agentfuzz.search.memo.fitness import ANOTHER, unfit
from agentfuzz.search.memo.taping import Taping, Written
from agentfuzz.search.memo.tree import Parted, Tree
from agentfuzz.search.memo.walker import Place, Walker
from agentfuzz.search.outcome import Outcome
from agentfuzz.world.injector import Crossing, FromPlan

TRIES = 20  # real runs of which one has to be learnt, or no more are taped


class Doubted(Exception):
    """What was run so far does not count: the text says why."""


class Memo:
    """`answered` counts the runs that were made without the agent, and folded; `off` says why none
    is made any more, `reasons` why runs were not learnt; `place` is where the last run that was
    not known broke off, None where no other run could help."""

    def __init__(self, scenario: Scenario, agent: Agent, simulation: Simulation, seed: int) -> None:
        self.answered = 0
        self.off = ANOTHER if callable(scenario.resume) else ""
        self.reasons: Counter[str] = Counter()
        self.place: Place | None = None
        self._learnt = 0
        self._scenario = scenario
        self._agent = agent
        self._simulation = simulation
        self._tree = Tree()
        self._taping = Taping(agent, scenario.build, simulation)
        self._audit = Audit(seed)

    @property
    def audited(self) -> int:
        """How many answers were made again by the agent."""
        return self._audit.made

    # A run without the agent ------------------------------------------------------------------

    def answer(self, injector: FromPlan) -> History | None:
        """The run under this injector, made without the agent; None where it is not known."""
        self.place = None
        if self.off:
            return None
        book, simulation = self._taping.book, self._simulation
        book.begin()
        walker = Walker(self._tree, book, simulation.gate, self._agent)
        try:
            history = simulation.execute(self._scenario, walker, injector)
        except KeyboardInterrupt:
            raise
        except BaseException:  # a scenario that is wrong, a skip: the real run says so
            return None
        if walker.missed or not simulation.isolation.untouched or unfit(history):
            self.place = walker.place
            return None
        return history

    def wants_audit(self) -> bool:
        """Whether the answer that is given now is made again with the agent."""
        return self._audit.wanted()

    def audit(self, plan: FaultPlan, answer: Outcome, again: Callable[[], FromPlan]) -> None:
        """Perhaps make a run again with the agent. Raises Doubted where that differs."""
        if self.wants_audit():
            injector = again()
            real = self._simulation.execute(self._scenario, self._agent, injector)
            self.compare(plan, answer, real, injector.crossings)

    def compare(
        self, plan: FaultPlan, answer: Outcome, real: History, crossings: list[Crossing]
    ) -> None:
        """An answer and the real run are the same, or it raises Doubted."""
        if parting(answer.history, real) is not None or answer.crossings != crossings:
            said = first_difference(answer.history, real) or "It came to other crossings."
            self.doubt(f"under {plan} the agent did something else than it had said. {said}")

    def differ(self, plan: FaultPlan) -> None:
        """Two runs under a plan differ. Raises Doubted if one may have been made without the
        agent, or was taped: an agent that asks for the class of its world sees another one."""
        self.doubt(f"two runs under {str(plan)!r} differ", taped=bool(self._learnt or self.reasons))

    def doubt(self, why: str, *, taped: bool = False) -> None:
        """Something does not add up. Raises Doubted if the memo may be to blame."""
        self.off = why
        if self.answered or taped:
            raise Doubted(
                f"begun anew, every run real, for the memo was wrong or the agent is: {why}"
            )

    # A run with it ----------------------------------------------------------------------------

    @property
    def taped(self) -> Agent:
        """The agent, and what it does is written down."""
        return self._taping.agent if self.learning else self._agent

    @property
    def learning(self) -> bool:
        """Whether anything more is learnt."""
        return not self.off and not self._tree.full

    def learn(self, history: History) -> None:
        """A real run that was made here is over. Raises Doubted."""
        self.taught(self._taping.written(history))

    def taught(self, written: Written | None) -> bool:
        """What was written of a real run is known from now on; whether it is. Raises Doubted."""
        if self.off or written is None:
            return False
        if written.why:
            self.reasons[written.why] += 1
            if not self._learnt and self.reasons.total() >= TRIES:
                self.off = self.reasons.most_common(1)[0][0]
            return False
        self._learnt += 1
        try:
            for leg in written.legs:
                self._tree.learn(leg)
        except Parted as parted:
            self.doubt(f"after the same replies the agent did something else: {parted}")
        return True

    def told(self, runs: int) -> list[str]:
        """What there is to say of a campaign of so many runs."""
        if not self.answered:
            return [f"every run was real: {self.off}"] if self.off else []
        real, audited = runs - self.answered, self.audited
        was = "was" if audited == 1 else "were"
        line = (
            f"{runs:,} runs, {real:,} of them real: the others were made from what the agent had "
            f"done after the same replies; {audited:,} of these {was} audited, and did not differ"
        )
        if not self.reasons:
            return [line]
        reasons = ", ".join(f"{why} ({n:,})" for why, n in sorted(self.reasons.items()))
        return [line, f"not remembered: {reasons}"]
