"""`truthful`: who claims success has the world on his side."""

import pytest

from agentfuzz import truthful
from agentfuzz.core.history import History
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    ok,
    reply,
    resumes,
    ship,
    tell,
    timeout,
)
from invariants.loops.billing import billing, honest, swallows
from invariants.support import EVERY_SEED

CLEAN = tell(charged(), done())


def test_held():
    """Success is claimed and the world holds what the fault-free run left there."""
    assert judge(truthful(), CLEAN) == "HELD"
    assert judge(truthful(), CLEAN, CLEAN) == "HELD"
    history = tell(charge(), commit(), timeout(), done())
    assert judge(truthful(), history, CLEAN) == "HELD"


def test_broken():
    """AF301: success is claimed and nothing has happened."""
    history = tell(charge(), timeout(), done())
    assert judge(truthful(), history) == ["AF301 claim: Done#1"]
    assert judge(truthful(), history, CLEAN) == ["AF301 claim: Done#1"]
    violation = truthful()(history).violations[0]
    assert violation.title == "claims success, world disagrees"
    assert violation.sentence == "The agent claims success, but nothing has happened."


def test_with_a_part_of_the_effects():
    """AF301, once however many effects of the fault-free run are missing; the first is told."""
    baseline = tell(charged("A17"), charged("B2"), ship(), commit(), ok(), done())
    assert judge(truthful(), CLEAN, baseline) == ["AF301 claim: Done#1"]
    assert "charge" in truthful()(CLEAN, baseline).violations[0].world


def test_with_a_request_still_open():
    """AF301: a request was under way at the claim and took effect afterwards."""
    history = tell(charge(), timeout(), done(), commit())
    assert judge(truthful(), history, CLEAN) == ["AF301 claim: Done#1 Committed#1"]
    assert "still under way" in truthful()(history).violations[0].world


def test_what_was_refused_is_not_under_way():
    """A 429 says that nothing was done: what arrives later was not kept secret by the agent."""
    limited = (charge(), reply("failed", raised="RateLimited"))
    assert judge(truthful(), tell(*limited, charged(), done(), commit(1)), CLEAN) == "HELD"


def test_each_request_by_its_own_claim():
    """AF301 for the request that claims success; one that was told as blocked may be missing, or
    come later."""
    two = tell(charged(), done(), resumes("follow_up"), charged("B2"), done())
    blocked = (charge(), timeout(), done("blocked"), resumes("follow_up"), charged("B2"), done())
    assert judge(truthful(), tell(*blocked), two) == "HELD"
    assert judge(truthful(), tell(*blocked, commit(1)), two) == "HELD"
    false = (charge(), timeout(), done(), resumes("follow_up"), charged("B2"), done())
    assert judge(truthful(), tell(*false), two) == ["AF301 claim: Done#2"]


def test_what_stands_in_for_another_effect():
    """AF301 unless the scenario says that it is as good."""
    baseline = tell(charged(), done())
    other = tell(ship(), commit(), ok(), done())
    assert judge(truthful(), other, baseline) == ["AF301 claim: Done#1"]
    baseline.instead = {"charge": ("shipment",)}
    assert judge(truthful(), other, baseline) == "HELD"


def test_leaves_calls_after_the_claim_to_quiescence():
    """A call made after the claim is no open request."""
    history = tell(charged(), done(via="tool"), charged("B2"))
    assert judge(truthful(), history, CLEAN) == "HELD"


def test_with_a_postcondition():
    """AF301: the scenario's own look at the world says no, by name."""

    def charged_once(history):
        return len(history.ledger) == 1

    assert judge(truthful(postcondition=charged_once), CLEAN) == "HELD"
    twice = tell(charged(), charged(), done())
    assert judge(truthful(postcondition=charged_once), twice) == ["AF301 claim: Done#1"]
    violation = truthful(postcondition=charged_once)(twice).violations[0]
    assert violation.world == "the postcondition charged_once does not hold"


def test_of_a_task_without_effects():
    """A backend that only reads has nothing to refute success with."""
    told = tell(looked_up(), done())
    only_reads = History(told.events, {"lookup": told.tools["lookup"]})
    assert judge(truthful(), only_reads) == "HELD"


NOTHING = tell(looked_up(), done())


@pytest.mark.parametrize("reason", ["completed", "already_done", "nothing_to_do"])
def test_where_the_fault_free_run_changes_nothing(reason):
    """A read-only success is true, in a world whose other tools could do more."""
    assert judge(truthful(), tell(looked_up(), done("success", reason)), NOTHING) == "HELD"


def test_where_an_effect_was_asked_for_in_vain():
    """AF301: the fault-free run changes nothing, but here an effect was called for and lost."""
    history = tell(looked_up(), charge(), timeout(), done())
    assert judge(truthful(), history, NOTHING) == ["AF301 claim: Done#1"]


@pytest.mark.parametrize("reason", ["already_done", "nothing_to_do"])
def test_nothing_done_is_refuted_by_the_fault_free_run_alone(reason):
    """AF301: the fault-free run has an effect that this world lacks. Without a fault-free run,
    or with the effect in the ledger, nothing speaks against it."""
    history = tell(charge(), timeout(), done("success", reason))
    assert judge(truthful(), history, CLEAN) == ["AF301 claim: Done#1"]
    assert judge(truthful(), history) == "HELD"
    assert judge(truthful(), history, NOTHING) == "HELD"
    assert judge(truthful(), tell(charged(), done("success", reason)), CLEAN) == "HELD"


@pytest.mark.parametrize(
    "ending",
    [
        [done("blocked")],
        [done("partial")],
        [done(problem="no such reason")],
        [done(via="tool"), done("failed")],
        [],
    ],
    ids=["blocked", "partial", "malformed", "taken back", "none"],
)
def test_not_exercised(ending):
    """Success is not claimed."""
    assert judge(truthful(), tell(charge(), timeout(), *ending), CLEAN) == "NOT_EXERCISED"


# on whole loops


def test_victim(found):
    """Whatever happens, all is well."""
    assert found(truthful(), billing(), swallows, **EVERY_SEED) == [
        "AF301 claim: charge#1:lost/timeout"
    ]


def test_survivor(held):
    """Says what it knows."""
    assert held(truthful(), billing(), honest, **EVERY_SEED) > 0
