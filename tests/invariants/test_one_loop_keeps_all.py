"""All the laws from the field together: one plain loop keeps them under every fault."""

import pytest

from agentfuzz import (
    executed_as_asked,
    limits_hold,
    no_act_on_cut_reply,
    no_effect_after_reported_failure,
    no_stale_answer,
    receipts_shown,
    results_paired,
    returns_control,
)
from invariants.loops.field import LIMITS, Loop, plain, shop
from search.support import hunt

LAWS = (
    results_paired(),
    receipts_shown(),
    executed_as_asked(),
    no_stale_answer(),
    no_act_on_cut_reply(),
    no_effect_after_reported_failure(),
    limits_hold(**LIMITS),
    returns_control(),
)


@pytest.mark.parametrize("parallel", [False, True])
def test_the_survivor_of_all_laws(parallel, simulation):
    """One loop keeps every law under every fault, and every law was exercised."""
    story = shop(*LAWS, parallel=parallel)
    depth = 1 if parallel else 2
    result = hunt(story, plain(Loop), simulation, depth=depth, max_runs=1500)
    assert [(cx.code, str(cx.plan), cx.violation.sentence) for cx in result.findings] == []
    idle = {name for name, count in result.laws.items() if not count.held}
    of_teams = {"handoffs_valid", "single_owner", "handoffs_settled"}  # it works alone
    assert idle <= {"valid_calls", "valid_histories", *of_teams}  # and no provider refuses it
