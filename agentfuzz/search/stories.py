"""One scenario with each of its inputs, and the run without faults that belongs to it.

Law: what laws compare with has the same inputs as what they judge; without any said, those are the
simplest. Kept by the runner, which makes the runs.
"""

from collections.abc import Callable

from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan, canonical
from agentfuzz.engine.inputs import Strategies
from agentfuzz.engine.scenario import Scenario
from agentfuzz.world.injector import FromPlan, Injector

KEPT = 64  # inputs whose run without faults is kept
Made = Callable[[Scenario, FaultPlan, Injector], History]  # makes one run


class Stories:
    """`plain` is the scenario with its simplest inputs, `first` the run of it without faults,
    `given` what draws others."""

    def __init__(self, scenario: Scenario, made: Made) -> None:
        self.plain = scenario.of()
        self.given: Strategies = scenario.given
        self.first: History | None = None
        self._scenario = scenario
        self._simplest = canonical(self.plain.data) if scenario.given else ""
        self._made = made
        self._others: dict[str, tuple[Scenario, History]] = {}

    def of(self, plan: FaultPlan) -> tuple[Scenario, History | None]:
        """The scenario with the inputs of a plan, and its run without faults."""
        given = plan.given
        if not given or given == self._simplest:
            return self.plain, self.first
        if given not in self._others:
            self.begin(given, FromPlan())
        return self._others[given]

    def new(self, plan: FaultPlan) -> bool:
        """Whether a plan without faults has inputs of which nothing is known yet."""
        return bool(plan.given) and not plan and plan.given not in (self._simplest, *self._others)

    def begin(self, given: str, injector: Injector) -> History:
        """The first run with other inputs, without faults."""
        scenario = self._scenario.of(given)
        history = self._made(scenario, FaultPlan(given=given), injector)
        self._keep(given, scenario, history)
        return history

    def begun(self, plan: FaultPlan, history: History) -> None:
        """Another process has made a run: perhaps the first one with its inputs."""
        if self.new(plan):
            self._keep(plan.given, self._scenario.of(plan.given), history)

    def _keep(self, given: str, scenario: Scenario, history: History) -> None:
        self._others[given] = scenario, scenario.oracle(history)
        if len(self._others) > KEPT:
            del self._others[next(iter(self._others))]

    def told(self, plan: FaultPlan) -> FaultPlan:
        """A plan that says its inputs, whoever replays it."""
        said = plan.among(())
        return said.over(said.given or self._simplest).among(plan.agents)
