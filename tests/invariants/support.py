"""A law by itself in campaigns: what breaks it, how often it is kept, and where it is never asked.

Law: only what a scenario is always judged by stands beside the law; a plan is asserted as text, and
nothing else may be found. Called by the tests of the laws through the fixtures of this folder.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from agentfuzz import Invariant, Scenario
from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.scenario import ALWAYS
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.space import Space
from search.support import Agent, Spread, hunt, shown, smallest
from tests.extent import upto

# Of what has to hold, of so many pairs one is tried: a prime, so that no kind of fault is left out.
PAIRS = upto(11, 1)
# The same is found whatever the seed: every pair for the first one, random plans for each.
EVERY_SEED = {"seeds": upto(3, 8), "depth": 2, "deep_runs": 20}


def judged_by(law: Invariant, story: Scenario, *, alone: bool = False) -> Scenario:
    """The story under this law and those that every scenario is judged by; or this law `alone`."""
    laws = {one.name: one for one in ([law] if alone else [*ALWAYS, law])}
    return replace(
        story, invariants=tuple(laws.values()), implied=tuple(one.name for one in ALWAYS)
    )


def found(simulation: Simulation, law: Invariant, story: Scenario, agent: Agent, **how: Any) -> Any:
    """What so many faults as `depth` (one) are enough for, each law and subject by its smallest
    plan, as `AF101 charge: charge_card#1:once/timeout`. The words of a `Space` narrow what may
    strike."""
    how = {"depth": 1, "deep_runs": 0, **how}
    each = [smallest(result) for result in _campaigns(simulation, law, story, agent, **how)]
    assert all(found == each[0] for found in each), "another seed, another finding"
    return each[0]


def held(simulation: Simulation, law: Invariant, story: Scenario, agent: Agent, **how: Any) -> int:
    """How often the law held, at the least: by no plan with up to `depth` (two) faults was any law
    of the story broken. Of those with one fault all are tried, of a long list with more some."""
    counts, how = [], {"one_in": PAIRS, **how}
    for result in _campaigns(simulation, law, story, agent, **how):
        assert shown(result) == []
        counts.append(result.laws[law.name].held)
    return min(counts)


def untested(
    simulation: Simulation, law: Invariant, story: Scenario, agent: Agent, **how: Any
) -> Any:
    """What a campaign, in which faults did strike, says of a law that it could not exercise."""
    (result,) = _campaigns(simulation, law, story, agent, depth=1, deep_runs=0, **how)
    assert shown(result) == []
    assert result.struck
    return [line for line in result.untested if line.startswith("AF802")]


def _campaigns(
    simulation: Simulation,
    law: Invariant,
    story: Scenario,
    agent: Agent,
    *,
    seeds: int = 1,
    depth: int = 2,
    deep_runs: int = 20,
    one_in: int = 1,
    faults: tuple[str, ...] = (),
    alone: bool = False,
    **space: Any,
) -> Iterator[CampaignResult]:
    """A campaign for each seed, with the story's own faults and those chosen by words."""
    judged = judged_by(law, story, alone=alone)
    room = Space(faults=(*story.faults, *faults), **space)
    budget = {"deep_runs": deep_runs}
    for seed in range(seeds):
        budget["depth"] = 1 if seed else depth  # the seed reaches the random phase only
        dealing = Spread(one_in if budget["depth"] > 1 else 1)
        result = hunt(judged, agent, simulation, space=room, dealing=dealing, seed=seed, **budget)
        assert seed or result.stopped == "exhausted"
        for finding in result.findings:
            assert (
                finding.phase in ("plans with one fault", "bursts and outages")
                or len(finding.plan) != 1
            )
            assert not any(control.broken for control in finding.controls)
        yield result
