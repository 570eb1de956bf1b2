"""Seven loops that others were measured by: six are caught for the reason that they were written
for, and the correct one is clean."""

import pytest

from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.space import Space

from .loops import LOOPS, orders
from .support import hunt, shown

# The reason that each loop was written for, and the smallest plan that shows it.
INTENDED = {
    "b1": "AF101 charge: charge#1:once/timeout",
    "b2": "AF102 charge: charge_plain#1:twice",
    "b3": "AF103 charge: charge#1:lost/timeout",
    "b4": "AF103 charge: charge#1:lost/timeout",
    "b5": "AF201 run: charge#1:lost/timeout",
    "b6": "AF103 charge: charge#1-2:lost/timeout",
}
# What is found beside it: other laws that the same bug breaks, none of them a false alarm.
BESIDE = {
    "b1": {
        "AF106 charge: charge#1:once/timeout",  # the key changed
        "AF301 claim: charge#1:late/timeout",  # the first request was still under way
    },
    "b3": {"AF301 claim: charge#1:lost/timeout"},
    "b4": {"AF301 claim: charge#1:lost/timeout"},
    "b5": {  # it also believes a look-up that is valid and false
        "AF103 charge: charge#1:lost/timeout + find#1:once/wrong",
        "AF301 claim: charge#1:lost/timeout + find#1:once/wrong",
    },
    "b6": {"AF301 claim: charge#1-2:lost/timeout"},
}


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for key in LOOPS for name in LOOPS[key] if name in INTENDED]
)
def test_the_six_are_caught_for_the_intended_reason(name: str, key: str) -> None:
    with Simulation() as simulation:
        result = hunt(orders(key), LOOPS[key][name], simulation)
    assert result.stopped == "exhausted"
    assert INTENDED[name] in shown(result)
    assert set(shown(result)) == {INTENDED[name], *BESIDE.get(name, ())}
    assert all(not control.broken for cx in result.findings for control in cx.controls)


@pytest.mark.slow
@pytest.mark.parametrize("key", LOOPS)
def test_the_correct_one_is_clean_under_every_plan_with_up_to_three_faults(key: str) -> None:
    with Simulation() as simulation:
        result = hunt(
            orders(key), LOOPS[key]["correct"], simulation, depth=3, max_runs=10**6, deep_runs=0
        )
    assert shown(result) == []
    assert result.stopped == "exhausted"
    # Three attempts; each of the 24 kinds but a plain second delivery leads to the next. Alone,
    # each is tried in every wording.
    worded = 25 + len(Space().wordings_at("write"))
    counts = {level.name: level.total for level in result.levels}
    assert counts.pop("bursts and outages")
    assert list(counts.values()) == [worded, 24 * 25, 24 * 24 * 25]
    assert all(level.done + level.skipped == level.total for level in result.levels)
