"""`found`, `held` and `untested`: a law in campaigns, in the one simulation of a test's module."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from agentfuzz.engine.simulation import Simulation
from invariants import support


@pytest.fixture
def found(simulation: Simulation) -> Callable[..., Any]:
    """`found(law, story, agent) == ["AF101 charge: charge_card#1:once/timeout"]`."""
    return partial(support.found, simulation)


@pytest.fixture
def held(simulation: Simulation) -> Callable[..., int]:
    """`held(law, story, agent) > 50`."""
    return partial(support.held, simulation)


@pytest.fixture
def untested(simulation: Simulation) -> Callable[..., Any]:
    """`untested(law, story, agent) == ["AF802 at_most_once was never exercised"]`."""
    return partial(support.untested, simulation)
