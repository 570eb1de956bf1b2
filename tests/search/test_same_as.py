"""`@fuzz(scenario, same_as=...)`: a campaign compares two doors of one loop (P10, AF305).

Law: what differs is found by exactly the smallest plan, and the same loop never differs.
"""

import pytest

import agentfuzz
from agentfuzz.core.errors import InvariantViolated
from agentfuzz.engine.simulation import Simulation
from agentfuzz.engine.single import by_another_door
from invariants.loops.field import EveryCall, Loop, shop
from search.support import hunt, shown


async def awaited(world):
    """Another door to the same loop."""
    return Loop(world).run()


def every(world):
    """A door with a loop of its own: it executes an id as often as it comes."""
    return EveryCall(world).run()


def quiet(world):
    """A door that does nothing."""


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
def test_a_campaign_compares_doors(other, found):
    """The smallest plan under which the doors differ; nothing if they are one loop."""
    with Simulation() as simulation:
        story = by_another_door(shop(agentfuzz.bounded()), other, simulation)
        result = hunt(story, plain, simulation, depth=2, deep_runs=0)
    assert [line for line in shown(result) if "AF305" in line] == found
    count = result.laws[f"same_as({other.__name__})"]
    assert count.held + count.violated > 20
    assert count.not_exercised > 20  # two faults: not asked again


def test_the_decorator():
    """As an argument of fuzz, and in a regression test of what was found."""

    @agentfuzz.fuzz(shop(), same_as=every)
    def test(world):
        return Loop(world).run()

    test()
    from agentfuzz._fuzz import regression

    with pytest.raises(InvariantViolated, match="AF305"):
        regression(test, plan="model#1:duplicate_ids", code="AF305")()
