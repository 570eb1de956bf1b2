"""Of a broken loop the bug that was planted in it is found, under the default faults."""

import pytest

from agentfuzz.engine.simulation import Simulation

from . import broken_lives, broken_plain  # noqa: F401  (they enter their loops)
from .loops import BROKEN
from .test_honest import campaign

MISSED: frozenset[str] = frozenset()


@pytest.mark.parametrize("name", BROKEN)
def test_a_planted_bug_is_found(simulation: Simulation, name: str) -> None:
    """One of the findings tells it; what is missed is named, and is not forgotten to be."""
    loop = BROKEN[name]
    found = {counterexample.code for counterexample in campaign(simulation, loop).findings}
    assert bool(found & set(loop.codes)) == (name not in MISSED), found


def test_there_are_enough_of_them_and_few_are_missed() -> None:
    """As many as were promised."""
    assert len(BROKEN) >= 25
    assert len(MISSED) <= 2
