"""`@fuzz(scenario, same_as=...)`: a campaign compares two entrypoints of one loop (P10, AF305).

Law: what differs is found by exactly the smallest plan, and the same loop never differs.
"""

from dataclasses import replace

import pytest

import agentfuzz
from agentfuzz.core.errors import InvariantViolated
from agentfuzz.core.findings import Level
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign
from invariants.loops.field import EveryCall, Loop, shop
from search.support import hunt, smallest


async def awaited(world):
    """Another entrypoint to the same loop."""
    return Loop(world).run()


def every(world):
    """An entrypoint with a loop of its own: it executes an id as often as it comes."""
    return EveryCall(world).run()


def quiet(world):
    """An entrypoint that does nothing."""


def plain(world):
    return Loop(world).run()


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (awaited, []),
        (every, ["AF305 charge: model#1:duplicate_ids"]),
        (quiet, ["AF305 charge: no faults", "AF305 ending: model#1:empty"]),
    ],
)
def test_a_campaign_compares_entrypoints(other, found):
    """The smallest plan under which they differ; nothing if they are one loop. Each plan with at
    most one fault is compared, its runs are counted, and the coverage says so."""
    given = shop(agentfuzz.bounded())
    with Simulation() as simulation:
        alone = hunt(given, plain, simulation, depth=1, deep_runs=0)
        result = hunt(given, plain, simulation, depth=1, deep_runs=0, same_as=other)
    assert [line for line in smallest(result) if "AF305" in line] == found
    count = result.laws[f"same_as({other.__name__})"]
    done = {level.name: level.done for level in result.levels}
    singles = done["plans with one fault"] + done.get("bursts and outages", 0)
    assert (count.held + count.violated, count.not_exercised) == (singles + 1, 0)
    compared = Level("plans with one fault by another entrypoint", singles, singles)
    assert compared in result.levels
    assert f"all {singles:,} plans with one fault by another entrypoint" in result.covered()
    assert result.runs >= alone.runs + 2 * singles + 1


def test_the_budget_counts_the_other_entrypoint():
    """No more runs than the budget allows, and the level says how far it got."""
    budget = Budget(max_seconds=600.0, depth=1, deep_runs=0)
    with Simulation() as simulation:
        alone = Campaign(shop(), plain, simulation, budget=budget)
        alone.search()
        limit = alone.runs + 11
        campaign = Campaign(
            shop(), plain, simulation, budget=replace(budget, max_runs=limit), same_as=awaited
        )
        campaign.search()
        assert limit - 2 < campaign.runs <= limit
        result = campaign.result()
    assert result.stopped == "max_runs"
    assert 0 < result.levels[-1].done < result.levels[-1].total


def test_the_decorator():
    """As an argument of fuzz, and in a regression test of what was found."""

    @agentfuzz.fuzz(shop(), same_as=every)
    def test(world):
        return Loop(world).run()

    test()
    from agentfuzz._fuzz import regression

    with pytest.raises(InvariantViolated, match="AF305"):
        regression(test, plan="model#1:duplicate_ids", code="AF305")()
