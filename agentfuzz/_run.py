"""One run under one plan, judged: the whole engine as a function.

Law: a plan that cannot be read, or does not strike, is an error and no evidence. Called by users,
by regression tests and by whoever compares the doors of a loop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agentfuzz._scenario import Scenario
from agentfuzz._simulation import Agent, Simulation
from agentfuzz.errors import PlanError, ScenarioError, near_miss
from agentfuzz.faults import FaultPlan
from agentfuzz.history import Called, History, ModelTurn, Saved, Struck
from agentfuzz.injector import FromPlan
from agentfuzz.invariants import Invariant
from agentfuzz.invariants.doors import differences
from agentfuzz.verdict import HELD, VIOLATED, Verdict, Violation

__all__ = ["Agent", "Run", "Simulation", "check_plan", "compare_doors", "require_struck", "run"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run under a plan: its history and what the laws say."""

    history: History
    plan: FaultPlan
    verdicts: tuple[Verdict, ...]

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every violation of every law."""
        return tuple(v for verdict in self.verdicts for v in verdict.violations)

    def check(self, *codes: str) -> None:
        """Raise the first violation (of these codes, if any are given) as its own exception
        type. Raises PlanError when a fault of the plan never struck: such a run is no evidence.
        """
        require_struck(self.plan, self.history)
        for violation in self.violations:
            if not codes or violation.code in codes:
                raise violation.error()


def run(
    scenario: Scenario,
    agent: Agent,
    plan: str | FaultPlan = "",
    *,
    simulation: Simulation | None = None,
) -> Run:
    """Run an agent once in a scenario, under a fault plan, and judge it.

    `agent` is a function of a world, sync or async (a `@fuzz` test without other fixtures works
    too). Raises PlanError for a plan that cannot be read or names an unknown tool,
    ScenarioError for a scenario that cannot be built.
    """
    wanted = FaultPlan.parse(plan)
    agent = getattr(agent, "agentfuzz_agent", agent)
    if simulation is None:
        with Simulation() as own:
            return run(scenario, agent, wanted, simulation=own)
    baseline = simulation.execute(scenario, agent, FromPlan())
    scenario.check(list(baseline.tools))
    check_plan(wanted, list(baseline.tools))
    history = baseline
    if wanted:
        history = simulation.execute(scenario, agent, FromPlan(wanted))
    return Run(history, wanted, scenario.judge(history, baseline))


def check_plan(plan: FaultPlan, tools: list[str]) -> None:
    """Raise PlanError when the plan names a tool that the world does not have."""
    for slot, _ in plan:
        if slot.boundary == "tool" and slot.name not in tools:
            raise PlanError(
                f"the plan {str(plan)!r} names the tool {slot.name!r}; this world has "
                f"{', '.join(tools) or 'none'}.{near_miss(slot.name, tools)}"
            )


def require_struck(plan: FaultPlan, history: History) -> None:
    """Raise PlanError when a fault of the plan never struck: such a run is no evidence."""
    struck = {event.slot for event in history.of(Struck)}
    missed = [str(slot) for slot, _ in plan if slot not in struck]
    if missed:
        crossed = [str(event.slot) for event in history.of(Called)]
        crossed += [str(event.slot) for event in history.of(ModelTurn)]
        crossed += [str(event.slot) for event in history.of(Saved)]
        raise PlanError(
            f"the plan {str(plan)!r} no longer applies: nothing happened at {', '.join(missed)}. "
            f"This run crossed: {', '.join(crossed[:20]) or 'nothing'}. Find the bug again with "
            "pytest --agentfuzz, or delete this test if its loop is gone."
        )


def compare_doors(
    scenario: Scenario, doors: Mapping[str, Agent], plan: str | FaultPlan = ""
) -> list[Verdict]:
    """One loop by several doors (sync, async, streamed) under one plan: the verdict of each door
    against the first one. Raises ScenarioError for fewer than two doors."""
    wanted = FaultPlan.parse(plan)
    if len(doors) < 2:
        raise ScenarioError(f"compare_doors needs two doors or more, got {list(doors)}.")
    with Simulation() as simulation:
        runs = {
            name: simulation.execute(
                scenario, getattr(agent, "agentfuzz_agent", agent), FromPlan(wanted)
            )
            for name, agent in doors.items()
        }
    (first, expected), *others = runs.items()
    check_plan(wanted, list(expected.tools))
    verdicts = []
    for name, history in others:
        found = tuple(differences(history, expected, door=name, than=first))
        law = f"same_by_every_door({name}, {first})"
        verdicts.append(Verdict(law, VIOLATED if found else HELD, found))
    return verdicts


def by_another_door(scenario: Scenario, other: Agent, simulation: Simulation) -> Scenario:
    """The scenario with one more law (P10): each run with at most one fault is made again by
    another agent under the same plan, and must have the same effects and ending. NOT_EXERCISED
    in runs with more faults, so that it doubles the plans with one and nothing else."""
    other = getattr(other, "agentfuzz_agent", other)
    door = getattr(other, "__name__", type(other).__name__)

    def check(history: History, baseline: History | None) -> list[Violation] | None:
        struck = history.of(Struck)
        if len(struck) > 1:
            return None
        plan = FaultPlan.parse(" + ".join(f"{event.slot}:{event.fault}" for event in struck))
        then = simulation.execute(scenario, other, FromPlan(plan))
        return differences(history, then, than=door)

    return replace(
        scenario, invariants=(*scenario.invariants, Invariant(f"same_as({door})", check))
    )
