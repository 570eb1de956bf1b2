"""The memory of a campaign does not grow with its number of runs."""

import gc
import tracemalloc

import pytest

from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.phases import guided
from agentfuzz.search.phases.systematic import Level
from agentfuzz.search.states import state_after_last_fault

from .programs import program
from .test_deep import acting, careful
from .test_systematic import SPACE, Lab


def held(simulation: Simulation, budget: Budget, number: int | None = None) -> tuple[int, int]:
    """How many bytes a campaign holds when it has run, and its runs."""
    scenario, agent = (acting, careful) if number is None else program(number)
    gc.collect()
    tracemalloc.start()
    try:
        campaign = Campaign(scenario, agent, simulation, space=SPACE, budget=budget)
        campaign.search()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], campaign.runs
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_four_times_the_guided_runs_hold_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus has an end, also where the same plans are run again and again."""
    monkeypatch.setattr(guided, "STALE", 10**9)
    with Simulation() as simulation:
        held(simulation, Budget(10**6, 600.0, depth=1, deep_runs=20))  # imports and caches
        few, some = held(simulation, Budget(10**6, 600.0, depth=1, deep_runs=1_500))
        more, many = held(simulation, Budget(10**6, 600.0, depth=1, deep_runs=6_000))
    assert many == some + 4_500
    assert more < few * 1.2 + 50_000, (few, more)


@pytest.mark.slow
def test_a_deeper_level_costs_nothing_a_run() -> None:
    """While a level is walked, a plan for each state of the one before is kept, to extend it;
    nothing is kept of a run."""
    with Simulation() as simulation:
        held(simulation, Budget(10**6, 600.0, deep_runs=0), 19)
        two, some = held(simulation, Budget(10**6, 600.0, depth=2, deep_runs=0), 19)
        three, many = held(simulation, Budget(10**6, 600.0, depth=3, deep_runs=0), 19)
    assert many > some * 2
    assert three < two * 1.2 + 100_000, (two, three)


def test_what_is_kept_of_a_level_is_a_plan_a_state() -> None:
    with Simulation() as simulation:
        lab = Lab(*program(19), simulation)
        level = Level({FaultPlan(): 1}, SPACE)
        states = set()
        for plan in level.plans(lab.run):
            history, crossings = lab.run(plan)
            level.grew(plan, history, crossings)
            states.add(state_after_last_fault(history))
    assert 0 < len(level.next) <= len(states)
    assert all(type(plan) is FaultPlan for plan in level.next)
