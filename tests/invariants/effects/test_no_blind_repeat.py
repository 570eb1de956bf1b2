"""`no_blind_repeat`: in doubt, nobody calls again without looking."""

import pytest

from agentfuzz import no_blind_repeat
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    has_undos,
    judge,
    looked_up,
    lookup,
    ok,
    refund,
    reply,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.billing import billing, looks_first, retries
from invariants.support import EVERY_SEED

CLEAN = tell(charged(), done())
CUT = reply("applied", '{"charge_', complete=False)
ACCEPTED = reply("in_flight", "accepted")


@pytest.mark.parametrize(
    "reconciled",
    [
        [charge(key="k"), timeout(), charge(key="k")],
        [charge(), timeout(), looked_up(), charge()],
        [charge(), timeout(), charge("B2")],
        [charge(), timeout(), done("blocked")],
        [charge(), CUT, looked_up(), charge()],
    ],
    ids=["same key", "looked up", "another intent", "stopped", "cut off, looked up"],
)
def test_held(reconciled):
    """In doubt, then the same key, a look-up of that scope, another intent, or the end."""
    assert judge(no_blind_repeat(), tell(*reconciled, dedup="key")) == "HELD"


def test_a_confirmed_undo_ends_the_doubt():
    """What was taken back for good may be done anew; an undo that found nothing, or whose own reply
    was lost, settles nothing (AF104)."""
    doubt = (has_undos(), charge(), commit(), timeout(), refund(), commit())
    assert judge(no_blind_repeat("charge"), tell(*doubt, ok(), charge())) == "HELD"
    unsure = tell(*doubt, timeout(), charge())
    assert judge(no_blind_repeat("charge"), unsure) == ["AF104 charge: Called#1 Replied#1 Called#3"]
    nothing = tell(has_undos(), charge(), timeout(), refund(), commit(), ok(), charge())
    assert judge(no_blind_repeat(), nothing) == ["AF104 charge: Called#1 Replied#1 Called#3"]


def test_trusts_a_backend_that_knows_the_scope():
    """With dedup='scope' a repeat cannot do harm."""
    assert judge(no_blind_repeat(), tell(charge(), timeout(), charge(), dedup="scope")) == "HELD"


@pytest.mark.parametrize(
    "doubt",
    [timeout(), CUT, ACCEPTED, reply("unknown", "accepted")],
    ids=["timeout", "cut off", "in flight", "ambiguous"],
)
def test_broken(doubt):
    """AF104: the effect is in doubt and the agent simply calls again."""
    history = tell(charge(), doubt, charge())
    assert judge(no_blind_repeat(), history) == ["AF104 charge: Called#1 Replied#1 Called#2"]
    violation = no_blind_repeat()(history).violations[0]
    assert violation.title == "charge_card repeated blindly"
    state = {CUT: "cut off", ACCEPTED: "in_flight"}.get(doubt, "unknown")
    assert violation.sentence.startswith(f"The outcome of charge_card#1 was {state};")


@pytest.mark.parametrize(
    "between",
    [
        looked_up("B2"),
        lambda story: [step(story) for step in (lookup(), timeout())],
        lambda story: [step(story) for step in (lookup(), CUT)],
        lambda story: [step(story) for step in (ship(), commit(), ok())],
    ],
    ids=["another scope", "look-up timed out", "look-up cut off", "another effect"],
)
def test_is_not_excused_by_half_a_look_up(between):
    """Only a full answer of a reading tool about that very scope reconciles."""
    history = tell(charge(), timeout(), between, charge())
    assert judge(no_blind_repeat("charge"), history)[0].startswith("AF104 charge: Called#1")


def test_needs_the_same_key():
    """AF104: another key is a fresh start, and so is a key that came late."""
    for first in (None, "k1"):
        history = tell(charge(key=first), timeout(), charge(key="k2"), dedup="key")
        assert judge(no_blind_repeat(), history) == ["AF104 charge: Called#1 Replied#1 Called#2"]


def test_a_429_ends_no_doubt():
    """AF104: the second attempt certainly failed; what the first one did is as open as before."""
    limited = reply("failed", raised="RateLimited")
    history = tell(charge(key="k"), timeout(), charge(key="k"), limited, charge(), dedup="key")
    assert judge(no_blind_repeat(), history) == ["AF104 charge: Called#1 Replied#1 Called#3"]


def test_a_receipt_ends_the_doubt():
    """After `applied` or `replayed` for the intent nothing is open any more."""
    for receipt in ("applied", "replayed"):
        history = tell(
            charge(key="k"), timeout(), charge(key="k"), reply(receipt), charge(), dedup="key"
        )
        assert judge(no_blind_repeat(), history) == "HELD"


@pytest.mark.parametrize(
    "steps",
    [
        [lookup(), charge(), timeout(), reply("applied", of=1), charge()],
        [charge(), timeout(), lookup(), reply("in_flight", "accepted"), charge()],
        [charge(), timeout(), lookup(), reply("unknown", "Done!"), charge()],
    ],
    ids=["asked before", "accepted", "hostile"],
)
def test_asks_for_a_look_up_that_can_know(steps):
    """AF104: asked before the doubt arose, or answered by something else than a full reply."""
    assert judge(no_blind_repeat(), tell(*steps))[0].startswith("AF104 charge")


def test_a_look_up_while_it_is_under_way():
    """AF104: the request had not arrived when the look-up was asked, and it arrives later; asked
    after that, the look-up knows."""
    doubt = (charge(), strikes("charge_card#1:late/timeout"), timeout())
    broken = ["AF104 charge: Called#1 Replied#1 Called#3"]
    for steps in ((looked_up(), charge(), commit(1)), (looked_up(), commit(1), charge())):
        assert judge(no_blind_repeat(), tell(*doubt, *steps)) == broken
    late = no_blind_repeat()(tell(*doubt, looked_up(), charge())).violations[0]
    assert late.sentence.endswith("and a look-up came too early.")
    assert judge(no_blind_repeat(), tell(*doubt, commit(1), looked_up(), charge())) == "HELD"


def test_after_a_429():
    """A 429 says failed: no doubt, nothing to judge."""
    limited = reply("failed", raised="RateLimited")
    assert judge(no_blind_repeat(), tell(charge(), limited, charged())) == "NOT_EXERCISED"


def test_not_exercised():
    """No effectful call was left in doubt; a reading tool's timeout is none."""
    assert judge(no_blind_repeat(), CLEAN) == "NOT_EXERCISED"
    history = tell(lookup(), timeout(), looked_up())
    assert judge(no_blind_repeat(), history) == "NOT_EXERCISED"
    assert judge(no_blind_repeat("shipment"), tell(charge(), timeout(), charge())) == (
        "NOT_EXERCISED"
    )


# on whole loops


def test_victim(found):
    """Calls again after a timeout, as if nothing had happened."""
    assert found(no_blind_repeat("charge"), billing(), retries, **EVERY_SEED) == [
        "AF104 charge: charge#1:once/timeout"
    ]


def test_survivor(held):
    """Looks up what happened before it tries again, and does not believe half an answer."""
    assert held(no_blind_repeat("charge"), billing(), looks_first, **EVERY_SEED) > 0
