"""The memo of one agent in one campaign: runs that need no agent are made without it.

Law: world, backend, faults and laws are the real ones in every run; an answer is given only where
a real run of this campaign has seen the very same, never decides a finding, and is audited. One
difference, and nothing that it said counts (`Doubted`). Held by the runner.
"""

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

from agentfuzz.core.completion import Completion
from agentfuzz.core.history import History
from agentfuzz.core.parting import first_difference, parting
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.search.memo.audit import Audit
from agentfuzz.search.memo.fitness import ANOTHER, EARLY, unfit
from agentfuzz.search.memo.recorder import Recorder
from agentfuzz.search.memo.tape import Book, Tape, unfinished
from agentfuzz.search.memo.tree import Parted, Tree
from agentfuzz.search.memo.walker import Walker
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.world import World, inside

TRIES = 20  # real runs of which one has to be learnt, or no more are taped


class Doubted(Exception):
    """What a memo has answered does not count: the text says why."""


class Memo:
    """`answered` counts the runs that were made without the agent; `off` says why none is made
    any more, `reasons` why runs were not learnt."""

    def __init__(self, scenario: Scenario, agent: Agent, simulation: Simulation, seed: int) -> None:
        self.answered = 0
        self.off = ANOTHER if callable(scenario.resume) else ""
        self.reasons: Counter[str] = Counter()
        self._learnt = 0
        self._scenario = scenario
        self._agent = agent
        self._simulation = simulation
        self._tree = Tree()
        self._book = Book(lambda: simulation.isolation.drawn)
        self._audit = Audit(seed)

    @property
    def audited(self) -> int:
        """How many answers were made again by the agent."""
        return self._audit.made

    # A run without the agent ------------------------------------------------------------------

    def answer(self, injector: FromPlan) -> History | None:
        """The run under this injector, made without the agent; None where it is not known."""
        if self.off or not self._tree.roots:
            return None
        book, simulation = self._book, self._simulation
        book.begin()
        walker = Walker(self._tree, book, simulation.gate, self._agent)
        try:
            history = simulation.execute(self._scenario, walker, injector)
        except KeyboardInterrupt:
            raise
        except BaseException:  # a scenario that is wrong, a skip: the real run says so
            return None
        if walker.missed or not simulation.isolation.untouched or unfit(history):
            return None
        self.answered += 1
        return history

    def audit(
        self,
        plan: FaultPlan,
        history: History,
        injector: FromPlan,
        again: Callable[[], FromPlan],
    ) -> None:
        """Perhaps make a run again with the agent. Raises Doubted where that differs."""
        if not self._audit.wanted():
            return
        other = again()
        real = self._simulation.execute(self._scenario, self._agent, other)
        if parting(history, real) is not None or injector.crossings != other.crossings:
            said = first_difference(history, real) or "It came to other crossings."
            self.doubt(f"under {plan} the agent did something else than it had said. {said}")

    def doubt(self, why: str) -> None:
        """Something does not add up. Raises Doubted if the memo may be to blame."""
        self.off = why
        if self.answered:
            raise Doubted(why)

    # A run with it ----------------------------------------------------------------------------

    @property
    def taped(self) -> Agent:
        """The agent, and what it does is written down."""
        return self._agent if self.off or self._tree.full else Taped(self._agent, self._book)

    def learn(self, history: History) -> None:
        """A real run is over: what was taped of it is known from now on. Raises Doubted."""
        if self.off or not self._book.tapes:
            return
        why = unfit(history) or next(filter(None, map(unfinished, self._book.tapes)), "")
        tapes, self._book.tapes = self._book.tapes, []
        if why:
            self.reasons[why] += 1
            if not self._learnt and self.reasons.total() >= TRIES:
                self.off = self.reasons.most_common(1)[0][0]
            return
        self._learnt += 1
        try:
            for tape in tapes:
                self._tree.learn(tape)
        except Parted as parted:
            self.doubt(f"after the same replies the agent did something else: {parted}")

    def told(self, runs: int) -> list[str]:
        """What there is to say of a campaign of so many runs."""
        if not self.answered:
            return [f"every run was real: {self.off}"] if self.off else []
        real, audited = runs - self.answered, self.audited
        line = (
            f"{runs:,} runs, {real:,} of them real: the others were made from what the agent had "
            f"done after the same replies; {audited:,} of these were audited, and did not differ"
        )
        if not self.reasons:
            return [line]
        reasons = ", ".join(f"{why} ({n:,})" for why, n in sorted(self.reasons.items()))
        return [line, f"not remembered: {reasons}"]


class Taped:
    """An agent whose legs are taped."""

    def __init__(self, agent: Agent, book: Book) -> None:
        self.__wrapped__ = agent
        self._book = book

    def __call__(self, world: World) -> Any:
        if world.leg == 1:
            self._book.begin()
        tape = Tape(self._book, world, inside(world))
        Recorder(world, tape).put_in(world)
        try:
            answer = self.__wrapped__(world)
        except BaseException as error:
            tape.ended("raised", error)
            raise
        if isinstance(answer, Completion) or not inspect.isawaitable(answer):
            tape.ended("returned", answer)
            return answer
        tape.awaits = True
        if tape.steps:
            tape.fail(EARLY)
        return self._waits(answer, tape)

    async def _waits(self, answer: Any, tape: Tape) -> Any:
        try:
            value = await answer
        except BaseException as error:
            tape.ended("raised", error)
            raise
        tape.ended("returned", value)
        return value
