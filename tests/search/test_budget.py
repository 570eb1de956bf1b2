"""The budget: respected to the run, and said."""

import contextlib

import pytest

from agentfuzz import Completion, World
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.simulation import Simulation
from agentfuzz.plugin.options import SETTINGS
from agentfuzz.runtime.clock import Real
from agentfuzz.search.budget import Meter
from agentfuzz.search.campaign import Budget, Campaign

from .support import hunt, shown
from .test_deep import BLOCKED, DONE, acting, careful


def exhaustive() -> int:
    """The runs of a campaign before its random phase."""
    with Simulation() as simulation:
        return hunt(acting, careful, simulation, deep_runs=0).runs


def test_without_settings_it_is_that_of_pytest() -> None:
    """A campaign that is begun by hand costs, and draws, what one of pytest's does by default."""
    told = {name: value for name, _, _, value, _ in SETTINGS}
    default = Budget(told["max-runs"], told["max-time"], told["depth"], seed=told["seed"])
    assert Budget() == default


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
    singles, lasting, pairs = result.levels
    assert (singles.done, singles.total) == (142, 142)
    assert 0 < lasting.done == lasting.total
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


class Slow:
    """A clock that a test moves: each run takes its time without waiting for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = 0.0
        real = Real.monotonic
        monkeypatch.setattr(Real, "monotonic", staticmethod(lambda: real() + self.passed))


def never_ends(world: World, clock: Slow, first: float = 0.0) -> Completion:
    """Takes a second where nothing is broken, and a hundred where a reply is lost, after which it
    calls again and again; longer in its `first` run."""
    clock.passed += first
    try:
        world.tools.act(what="a")
        clock.passed += 1.0
        return DONE
    except Exception:
        clock.passed += 100.0
    while True:
        with contextlib.suppress(Exception):
            world.tools.act(what="a")


def campaign_of(
    monkeypatch: pytest.MonkeyPatch, seconds: float, first: float = 0.0
) -> tuple[CampaignResult, float]:
    """A campaign in so many seconds, and how many it took after its first run."""
    clock, began = Slow(monkeypatch), []

    def agent(world: World) -> Completion:
        try:
            return never_ends(world, clock, 0.0 if began else first)
        finally:
            if not began:
                began.append(clock.passed)

    with Simulation() as simulation:
        campaign = Campaign(acting, agent, simulation, budget=Budget(10_000, seconds))
        campaign.search()
        result = campaign.result()
    return result, clock.passed - began[0]


@pytest.mark.parametrize("seconds", [50.0, 150.0, 250.0, 350.0, 1000.0, 5000.0])
def test_the_time_is_kept_within_a_run(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrinking, replays and controls count: a campaign whose runs take up to a hundred seconds
    ends at most so much after its time, and a replay later if it found something at its end."""
    result, took = campaign_of(monkeypatch, seconds)
    assert took <= seconds + 2 * 101.0
    if seconds > 150:
        assert took <= seconds + 101.0
    assert result.stopped == "max_time"
    assert any(cx.code == "AF201" for cx in result.findings), shown(result)


def test_what_is_not_confirmed_in_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the notes with its plan, and nothing is lost."""
    result, _ = campaign_of(monkeypatch, 350.0)
    assert len(result.findings) == 1
    assert any("max_time was up" in note for note in result.notes)


class Spent:
    """Runs of 0.6 seconds at most."""

    runs, slowest = 0, 0.6


@pytest.mark.parametrize(("found", "ends"), [(False, 99.0), (True, 90.0)])
def test_a_tenth_of_the_time_is_left_for_what_was_found(
    found: bool, ends: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To shrink and to slice it; nothing is left for nothing."""
    at = [0.0]
    monkeypatch.setattr(Real, "monotonic", staticmethod(lambda: at[0]))
    meter = Meter(Budget(max_seconds=100.0), lambda: found)
    meter.begin()
    for at[0] in (10.0, 50.0, ends - 0.5):
        assert not meter.out()
    at[0] = ends + 0.5
    meter.spent = Spent()
    assert meter.out()
    assert meter.stopped == "max_time"
    assert meter.late is not found


def test_the_first_run_costs_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a framework imports and compiles in it is not the campaign's."""
    result, _ = campaign_of(monkeypatch, 5000.0, first=100_000.0)
    assert result.struck > 5
