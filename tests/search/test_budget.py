"""The budget: respected to the run, and said."""

import contextlib

import pytest

from agentfuzz import Completion, World
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.search.campaign import Budget, Campaign

from .support import hunt, shown
from .test_deep import BLOCKED, DONE, acting, careful


def exhaustive() -> int:
    """The runs of a campaign before its random phase."""
    with Simulation() as simulation:
        return hunt(acting, careful, simulation, deep_runs=0).runs


@pytest.mark.parametrize("runs", [1, 2, 3, 10, 52, 53, 54, 200, "all", "all and 30"])
def test_no_search_takes_a_run_more_than_it_may(runs: int | str) -> None:
    if isinstance(runs, str):
        runs = exhaustive() + (30 if "30" in runs else 0)
    with Simulation() as simulation:
        campaign = Campaign(acting, careful, simulation, budget=Budget(runs, 600.0))
        campaign.search()
        result = campaign.result()
    assert result.runs == max(runs, 2), "the two runs without faults are always made"
    assert result.stopped == "max_runs"
    assert not result.findings


def test_parents_that_lead_nowhere_cost_runs_too() -> None:
    """Every plan is run again to see where it leads, also when it leads nowhere."""

    def one_call(world: World) -> Completion:
        with contextlib.suppress(Exception):
            world.tools.act(what="a")
        return BLOCKED

    with Simulation() as simulation:
        for runs in range(2, 60, 7):
            campaign = Campaign(acting, one_call, simulation, budget=Budget(runs, 600.0))
            campaign.search()
            assert campaign.runs <= runs


def test_what_was_cut_short_is_said() -> None:
    with Simulation() as simulation:
        result = hunt(acting, careful, simulation, max_runs=300)
    singles, pairs = result.levels
    assert (singles.done, singles.total) == (142, 142)
    assert 0 < pairs.done < pairs.total
    assert f"{pairs.done:,} of {pairs.total:,} plans with two faults" in result.covered()
    assert result.stopped == "max_runs"


def test_a_search_without_a_limit_says_that_it_is_exhausted() -> None:
    with Simulation() as simulation:
        assert hunt(acting, careful, simulation).stopped == "exhausted"


@pytest.mark.parametrize("phase", ["first level", "random plans"])
def test_seconds_are_respected_and_said(phase: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock jumps during one run of the phase; that run is the last one."""
    jump, seen = 0.0, []
    monotonic = Real.monotonic
    monkeypatch.setattr(Real, "monotonic", staticmethod(lambda: monotonic() + jump))
    last = 20 if phase == "first level" else exhaustive() + 30

    def slow(world: World) -> Completion:
        nonlocal jump
        seen.append(1)
        if len(seen) == last:
            jump = 10_000.0
        return careful(world)

    with Simulation() as simulation:
        budget = Budget(10_000, 600.0, deep_runs=100)
        campaign = Campaign(acting, slow, simulation, budget=budget)
        campaign.search()
        result = campaign.result()
    assert result.stopped == "max_time"
    assert result.runs == last
    assert result.seconds > 600


def test_what_was_found_is_confirmed_although_the_budget_is_used_up() -> None:
    """`max_runs` bounds the search: replay and controls of a finding come on top, or it could
    not be shown."""

    def victim(world: World) -> Completion:
        try:
            world.tools.act(what="a")
        except TimeoutError:
            return DONE
        except Exception:
            pass
        return BLOCKED

    with Simulation() as simulation:
        result = hunt(acting, victim, simulation, max_runs=20)
    assert shown(result) == ["AF301 claim: act#1:once/timeout"]
    assert 20 <= result.runs < 30
    assert result.stopped == "max_runs"
