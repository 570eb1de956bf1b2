"""Honest loops are never accused: every plan with one fault and with two, and plans beyond."""

import pytest

from agentfuzz.core.findings import CampaignResult
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.space import Space
from search.support import hunt, shown

from . import honest_lives, honest_models, honest_plain  # noqa: F401  (they enter their loops)
from .loops import HONEST, Loop

RUNS = 600


def campaign(simulation: Simulation, loop: Loop) -> CampaignResult:
    space = Space(faults=loop.scenario.faults, **loop.space)
    return hunt(loop.scenario, loop.agent, simulation, space=space, max_runs=RUNS)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_loop_is_not_accused(simulation: Simulation, name: str) -> None:
    """Nothing is found, and not for want of faults."""
    result = campaign(simulation, HONEST[name])
    assert shown(result) == []
    assert result.struck > 20


def test_there_are_enough_of_them() -> None:
    """As many as were promised."""
    assert len(HONEST) >= 25
