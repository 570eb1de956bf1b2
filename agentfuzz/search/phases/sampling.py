"""Consistency: the same task again and again, with other troubles each time.

Law: an agent that is good on average is not yet one to rely on; what counts is that every law
holds in every one of n runs, and what mean success promises for n runs is its n-th power. Called
by users, as `agentfuzz.repeat`. Source: CATALOGUE law R1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from agentfuzz.core.errors import ScenarioError
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, NOT_EXERCISED, VIOLATED, Status
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.search.space import Space, plan_of
from agentfuzz.world.injector import Drawn, FromPlan


@dataclass(frozen=True, slots=True)
class Consistency:
    """What came of `of` runs: in `passed` of them every law held. `plans` are the faults of each
    run, in order; `broken` says, for each law that was broken, under which of them. Each replays
    with `agentfuzz.run`."""

    of: int
    passed: int
    plans: tuple[FaultPlan, ...]
    broken: Mapping[str, tuple[FaultPlan, ...]]

    @property
    def status(self) -> Status:
        """HELD if every law held in every run; NOT_EXERCISED if no fault struck in any."""
        if self.broken:
            return VIOLATED
        return HELD if any(self.plans) else NOT_EXERCISED

    @property
    def mean(self) -> float:
        """The share of runs that passed."""
        return self.passed / self.of

    @property
    def power(self) -> float:
        """success^n: how often n such runs in a row would all pass."""
        return self.mean**self.of

    def __str__(self) -> str:
        laws = ", ".join(f"{law} broken in {len(plans)}" for law, plans in self.broken.items())
        nothing = "" if any(self.plans) else "; no fault struck: nothing was tested"
        return (
            f"{self.passed} of {self.of} runs passed: mean {self.mean:.1%}, "
            f"all {self.of} in a row {self.power:.1%}{laws and '; '}{laws}{nothing}"
        )


def repeat(
    scenario: Scenario,
    agent: Agent,
    *,
    runs: int = 8,
    seed: int = 0,
    rate: float = 0.2,
    faults: Iterable[str] = (),
    only: Iterable[str] = (),
    exclude: Iterable[str] = (),
    simulation: Simulation | None = None,
) -> Consistency:
    """Run one scenario `runs` times, each time with other random faults, and judge every run.

    At each crossing a fault strikes with the probability `rate`; each run draws with a seed of its
    own, made of `seed` and its number. `faults`, `only` and `exclude` choose the faults, as in
    `@fuzz`. This samples and does not search: what breaks rarely is found by a campaign, how often
    something breaks is said here. Agents fall from 60 % in one run to 25 % in eight (CATALOGUE,
    F64 and R1). The agent's own randomness is the same in every run, so that each plan replays.

    Raises ScenarioError for fewer than one run, or a rate that is no probability.
    """
    if runs < 1 or not 0.0 <= rate <= 1.0:
        raise ScenarioError(
            f"repeat(runs={runs}, rate={rate}): give at least 1 run and a rate from 0 to 1."
        )
    if simulation is None:
        with Simulation() as own:
            return repeat(
                scenario,
                agent,
                runs=runs,
                seed=seed,
                rate=rate,
                faults=faults,
                only=only,
                exclude=exclude,
                simulation=own,
            )
    agent = getattr(agent, "agentfuzz_agent", agent)
    space = Space(faults=(*scenario.faults, *faults), only=only, exclude=exclude)
    baseline = simulation.execute(scenario, agent, FromPlan(process=space.process))
    baseline = scenario.oracle(baseline)
    passed, plans, broken = 0, [], dict[str, list[FaultPlan]]()
    for number in range(runs):
        history = simulation.execute(scenario, agent, _drawing(space, f"{seed} {number}", rate))
        plan = plan_of(history)
        plans.append(plan)
        violated = [v.law for v in scenario.judge(history, baseline) if v.status is VIOLATED]
        passed += not violated
        for law in violated:
            broken.setdefault(law, []).append(plan)
    return Consistency(
        runs, passed, tuple(plans), {law: tuple(under) for law, under in broken.items()}
    )


def _drawing(space: Space, seed: str, rate: float) -> Drawn:
    random = Random(seed)

    def draw(slot: Slot, group: str) -> Fault | None:
        faults = space.at(group)
        return random.choice(faults) if faults and random.random() < rate else None

    return Drawn(draw, process=space.process)
