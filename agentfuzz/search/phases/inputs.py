"""Other inputs than the simplest (`given=` of a scenario): a few at depth one, then many.

Law: the simplest inputs are searched as if there were no others; a few others under every plan
with one fault; then many, each without faults, under one, and under two. What is found shrinks in
its faults first, then in its inputs, and never leaves what the strategies draw. Called by the
campaign and by what shrinks.
"""

from collections.abc import Callable
from functools import cached_property
from random import Random

from agentfuzz.core.codec import message
from agentfuzz.core.errors import FixtureError, ShardError
from agentfuzz.core.findings import Level
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.inputs import drawn, examples_of, shrunk
from agentfuzz.search.budget import Meter
from agentfuzz.search.memo.memo import Doubted
from agentfuzz.search.phases.systematic import Level as Walk
from agentfuzz.search.runner import Judged, Runner

FEW = 3  # other inputs that are run under every plan with one fault
MOST = 200  # other inputs in all
WRONG = 3  # inputs that are named with which the scenario cannot be built
NOT_ITS_OWN = (FixtureError, ShardError, Doubted)  # raised by a run, and not by its inputs
MAX_RUNS = 500  # in which the inputs of one plan are shrunk
A_FEW, MANY = "plans with one fault and other inputs", "runs with random inputs"


class Inputs:
    """The inputs of one campaign. `told` is what was run of them."""

    def __init__(
        self,
        runner: Runner,
        meter: Meter,
        judged: Judged,
        compared: Callable[[FaultPlan, History, str], None],
    ) -> None:
        self.told: list[Level] = []
        self._runner = runner
        self._meter = meter
        self._judged = judged
        self._compared = compared
        self._notes: list[str] = []
        self._wrong: dict[str, str] = {}  # inputs that the scenario cannot be built with, and why

    @property
    def notes(self) -> list[str]:
        """What could not be run: each reason once, a few of them, and how many more inputs."""
        first = {why: given for given, why in reversed(self._wrong.items())}
        named = [given for given in self._wrong if given in first.values()][:WRONG]
        told = [cannot_be_built(FaultPlan(given=one), self._wrong[one]) for one in named]
        if more := len(self._wrong) - len(named):
            told.append(f"nor can it with {more:,} more of its inputs")
        return [*self._notes, *told]

    @cached_property
    def others(self) -> list[str]:
        """Other inputs than the simplest, in the order in which they are tried."""
        given, seed = self._runner.stories.given, self._meter.budget.seed
        wrong: list[Exception] = []
        try:
            found = drawn(given, MOST, seed, lambda: self._meter.late, wrong) if given else []
        except KeyboardInterrupt:
            raise
        except Exception as error:  # of a strategy: what was found without it is kept
            self._notes.append(f"no other inputs were tried: {said(error)}")
            return []
        if wrong:
            some = "some of what is drawn as other inputs was" if found else "no other inputs were"
            self._notes.append(f"{some} {'left out' if found else 'tried'}: {said(wrong[0])}")
        elif self._meter.late and not found and given:
            self._notes.append("no other inputs were tried: max_time was up while they were drawn")
        return found

    def a_few(self) -> None:
        """A few other inputs, under every plan with one fault."""
        done, total, begun = 0, 0, 0
        few = self.others[:FEW]
        for given in few:
            if self._meter.out():
                break
            begun += 1
            if not self._plain(given, A_FEW):
                continue
            plans = self._alone(given)
            total, done = total + 1 + len(plans), done + 1
            for plan in plans:
                if self._meter.out():
                    break
                done += self._ran(plan, A_FEW)
        if few:
            whole = begun == len(few)
            of = f"{begun} of them" if whole else f"{begun} of {len(few)}, when the budget ended"
            self.told.append(Level(A_FEW, done, total if whole else None, 0, of))

    def many(self, runs: int) -> None:
        """Many, first each without faults, then under one fault and under two, in so many runs at
        most."""
        rng, before = Random(self._meter.budget.seed), self._runner.runs
        fine = []
        for given in self.others[FEW:]:
            if self._runner.runs - before >= runs // 2 or self._meter.out(3):
                break
            if self._plain(given, MANY):
                fine.append(given)
        for given in fine:
            if self._runner.runs - before >= runs or self._meter.out(3):
                break
            if alone := self._alone(given):
                one, two = rng.choice(alone), rng.choice(alone)
                self._ran(one, MANY)
                for slot, fault in two:
                    self._ran(one.with_(slot, fault), MANY)
        if self.others[FEW:]:
            count = f"{len(fine)} of them"
            self.told.append(Level(MANY, self._runner.runs - before, None, limits=count))

    def _plain(self, given: str, phase: str) -> bool:
        """Run other inputs without faults. Whether the scenario can be built with them."""
        try:
            self._ran(FaultPlan(given=given), phase)
        except NOT_ITS_OWN:
            raise
        except Exception as error:
            self._wrong[given] = said(error)
            return False
        return True

    def _ran(self, plan: FaultPlan, phase: str) -> bool:
        outcome = self._judged(plan, phase)
        if outcome is not None:
            self._compared(plan, outcome.history, phase)
        return outcome is not None

    def _alone(self, given: str) -> list[FaultPlan]:
        """The plans with one fault in a run with these inputs."""
        walk = Walk({FaultPlan(given=given): 1}, self._runner.space)
        return list(walk.plans(self._runner.reached))


def cannot_be_built(plan: FaultPlan, why: str) -> str:
    """That a scenario, or a law of its own, raises with the inputs of a plan."""
    inputs = FaultPlan(given=plan.given).among(())
    return f"the scenario cannot be built, or judged, with {inputs}: {why}"


def said(error: Exception) -> str:
    """An exception in a line."""
    return f"{type(error).__name__}: {message(error)[:300]}"


def smaller(
    runner: Runner,
    plan: FaultPlan,
    fails: Callable[[FaultPlan], bool],
    seed: int,
    late: Callable[[], bool] = bool,
) -> tuple[FaultPlan, int]:
    """The same faults with the simplest inputs under which they fail, and the runs that it took.
    Strategies are drawn as the campaign drew them, up to the inputs of the plan, and shrunk. Inputs
    with which the scenario cannot be built are not those; where the strategies draw something else
    now, the inputs stay as they are."""
    agents, inputs = plan.agents, plan.among(()).given
    if not inputs:
        return plan, 0
    runs, reached = 1, False
    if fails(plan.over("").among(agents)):
        return plan.over("").among(agents), runs

    def fail(given: str) -> bool:
        nonlocal runs, reached
        if not reached:
            reached = given == inputs
            return reached
        if runs >= MAX_RUNS or late():
            return False
        runs += 1
        try:
            return fails(plan.over(given).among(agents))
        except NOT_ITS_OWN:
            raise
        except Exception:  # of the scenario
            return False

    given = runner.stories.given
    try:
        found = shrunk(given, fail, seed=seed, examples=examples_of(MOST), late=late)
    except NOT_ITS_OWN:
        raise
    except Exception:  # of a strategy: what was found is kept
        found = None
    return plan.over(found or inputs).among(agents), runs
