"""One run under one plan, judged: the whole engine as a function.

Law: a plan that cannot be read, or does not strike, is an error and no evidence. Called by users,
by regression tests and by whoever compares the entrypoints of a loop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agentfuzz.core import escaping
from agentfuzz.core.errors import PlanError, ScenarioError, near_miss
from agentfuzz.core.events import Called, ModelTurn, Saved, Struck
from agentfuzz.core.faults import Slot, part, quoted
from agentfuzz.core.history import History
from agentfuzz.core.lanes import shows_ascii_only
from agentfuzz.core.migrations import migrated, typed
from agentfuzz.core.plan import FaultPlan
from agentfuzz.core.verdict import HELD, VIOLATED, Verdict, Violation, unique
from agentfuzz.engine.scenario import Scenario
from agentfuzz.engine.simulation import Agent, Simulation
from agentfuzz.invariants.claims.same_by_every_entrypoint import differences
from agentfuzz.runtime.network import Allowed
from agentfuzz.telling import block
from agentfuzz.world.commands import COMMAND, CTRL_C
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.specs import forget


@dataclass(frozen=True, slots=True, repr=False)
class Run:
    """One run under a plan: its history, what the laws say, and `baseline`, the history of the run
    without faults that they compared it with (the same object when the plan is empty). Printed, it
    tells its story."""

    history: History
    plan: FaultPlan
    verdicts: tuple[Verdict, ...]
    baseline: History

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What is broken: one violation for each code and subject, whichever law says so."""
        return unique(v for verdict in self.verdicts for v in verdict.violations)

    def story(self, *, ascii_only: bool = False, width: int = 80) -> str:
        """The run as a terminal shows it: what broke first, or that nothing did, the faults, the
        sequence, which laws held and which were not exercised. No line is wider than `width` (at
        least 40) columns, and no text of an agent acts on a terminal; `ascii_only` is for one that
        shows nothing else."""
        missed = [str(slot) for slot in _missed(self.plan, self.history)]
        return block.run(
            self.history,
            self.plan,
            self.verdicts,
            self.baseline,
            missed=missed,
            ascii_only=ascii_only,
            width=width,
        )

    def __str__(self) -> str:
        return self.story(ascii_only=shows_ascii_only())

    def __repr__(self) -> str:
        broken = ", ".join(dict.fromkeys(violation.code for violation in self.violations))
        said = f"<Run under {self.plan}: {len(self.history)} events, {broken or 'nothing broke'}>"
        return escaping.visible(said)

    def check(self, *codes: str) -> None:
        """Raise the first violation (of these codes, if any are given) as its own exception
        type. Raises PlanError when a fault of the plan never struck: such a run is no evidence.
        """
        require_struck(self.plan, self.history)
        asked = (v for verdict in self.verdicts for v in verdict.violations)
        for violation in asked if codes else self.violations:
            if not codes or violation.code in codes:
                raise violation.error()


def run(
    scenario: Scenario,
    agent: Agent,
    plan: str | FaultPlan = "",
    *,
    simulation: Simulation | None = None,
    allow_network: Allowed = False,
) -> Run:
    """Run an agent once in a scenario, under a fault plan, and judge it.

    `agent` is a function of a world, sync or async (a `@fuzz` test without other fixtures works
    too). `allow_network` lets it reach beyond this machine: True, or the names of hosts (in a
    simulation that is given, that one's own word counts). Raises PlanError for a plan that cannot
    be read or names an unknown tool, ScenarioError for a scenario that cannot be built.
    """
    if not isinstance(scenario, Scenario):
        swapped = isinstance(agent, Scenario)
        cure = "they are the other way round." if swapped else "decorate it with @scenario(...)."
        name = getattr(scenario, "__name__", type(scenario).__name__)
        raise ScenarioError(
            f"run(scenario, agent) needs a scenario first, and {name} is none: {cure}"
        )
    wanted = typed(plan)
    agent = getattr(agent, "agentfuzz_agent", agent)
    if simulation is None:
        with Simulation(allow_network=allow_network) as own:
            return run(scenario, agent, wanted, simulation=own)
    forget()
    scenario = scenario.of(wanted.given)
    if wanted.touches((COMMAND,)):
        scenario = replace(scenario, faults=(*scenario.faults, CTRL_C))
    baseline = scenario.oracle(simulation.execute(scenario, agent, FromPlan()))
    tools = list(baseline.tools)
    wanted = migrated(wanted, tools)
    check_plan(wanted, tools, baseline.agents)
    history = baseline
    if wanted:
        history = simulation.execute(scenario, agent, FromPlan(wanted))
    return Run(history, wanted, scenario.judge(history, baseline), baseline)


def check_plan(plan: FaultPlan, tools: list[str], agents: Sequence[str] | None = None) -> None:
    """Raise PlanError when the plan names a tool that the world does not have; or, where it is
    known which `agents` were named for it, another one."""
    for slot, _ in plan:
        if slot.boundary in ("tool", "local") and slot.name not in tools:
            raise PlanError(
                f"the plan {str(plan)!r} names the tool {slot.name!r}; this world has "
                f"{', '.join(map(quoted, tools)) or 'none'}.{near_miss(slot.name, tools)}"
            )

    for name in plan.agents:
        if agents is not None and name not in agents:
            raise PlanError(
                f"the plan {str(plan)!r} names the agent {name!r}; world.agents(...) of this run "
                f"names {', '.join(agents[:20]) or 'none'}{', ...' * (len(agents) > 20)}."
                f"{near_miss(name, agents)}"
            )


def _missed(plan: FaultPlan, history: History) -> list[Slot]:
    """Where a fault of the plan did not strike."""
    struck = history.of(Struck)
    slots, parts = {event.slot for event in struck}, {event.fault.of for event in struck}
    return [slot for slot, fault in plan if slot not in slots and part(slot, fault) not in parts]


def require_struck(plan: FaultPlan, history: History) -> None:
    """Raise PlanError when a fault of the plan never struck: such a run is no evidence."""
    slots = _missed(plan, history)
    missed = [str(slot) for slot in slots]
    if missed:
        crossed = [str(event.slot) for event in history.of(Called)]
        crossed += [str(event.slot) for event in history.of(ModelTurn)]
        crossed += [str(event.slot) for event in history.of(Saved)]
        raise PlanError(
            f"the plan {str(plan)!r} no longer applies: nothing happened at {', '.join(missed)}. "
            f"This run crossed: {', '.join(crossed[:20]) or 'nothing'}."
            f"{_elsewhere(slots, history)} Find the bug again with pytest --agentfuzz, or delete "
            "this test if its loop is gone."
        )


def _elsewhere(missed: list[Slot], history: History) -> str:
    """That a tool was called, but runs where this cannot happen."""
    called = {event.slot for event in history.of(Called)}
    for slot in missed:
        if slot in called:
            return (
                f' {slot.name} is transport="local": it raises or hangs '
                f"({slot._replace(boundary='local')}:raises), and nothing else happens to it."
            )
        if slot.boundary == "local" and slot._replace(boundary="tool") in called:
            return f' Only what is transport="local" raises or hangs, and {slot.name} is not.'
    return ""


def compare_entrypoints(
    scenario: Scenario,
    entrypoints: Mapping[str, Agent],
    plan: str | FaultPlan = "",
    *,
    simulation: Simulation | None = None,
) -> list[Verdict]:
    """One loop by several entrypoints (sync, async, streamed) under one plan: the verdict of each
    against the first one. Raises ScenarioError for fewer than two entrypoints."""
    wanted = typed(plan)
    if len(entrypoints) < 2:
        raise ScenarioError(
            f"compare_entrypoints needs two entrypoints or more, got {list(entrypoints)}."
        )
    if simulation is None:
        with Simulation() as own:
            return compare_entrypoints(scenario, entrypoints, wanted, simulation=own)
    scenario = scenario.of(wanted.given)
    runs = {
        name: simulation.execute(
            scenario, getattr(agent, "agentfuzz_agent", agent), FromPlan(wanted)
        )
        for name, agent in entrypoints.items()
    }
    (first, expected), *others = runs.items()
    today = migrated(wanted, expected.tools)
    if today is not wanted:  # an old plan, whose places the tools have told
        return compare_entrypoints(scenario, entrypoints, today, simulation=simulation)
    check_plan(wanted, list(expected.tools), expected.agents)
    verdicts = []
    for name, history in others:
        found = unique(differences(history, expected, entrypoint=name, than=first))
        law = f"same_by_every_entrypoint({name}, {first})"
        verdicts.append(Verdict(law, VIOLATED if found else HELD, found))
    return verdicts
