"""The laws about repeats bite, hold, and say when they had nothing to judge."""

import pytest

from agentfuzz.core.events import Committed
from agentfuzz.core.history import History
from agentfuzz.invariants import (
    no_blind_repeat,
    replay_transparency,
)

from .histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    raised,
    reply,
    ship,
    tell,
    timeout,
)

CLEAN = tell(charged(), done())


# no_blind_repeat

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
def test_no_blind_repeat_held(reconciled):
    """In doubt, then the same key, a look-up of that scope, another intent, or the end."""
    assert judge(no_blind_repeat(), tell(*reconciled, dedup="key")) == "HELD"


def test_no_blind_repeat_trusts_a_backend_that_knows_the_scope():
    """With dedup='scope' a repeat cannot do harm."""
    assert judge(no_blind_repeat(), tell(charge(), timeout(), charge(), dedup="scope")) == "HELD"


@pytest.mark.parametrize(
    "doubt",
    [timeout(), CUT, ACCEPTED, reply("unknown", "accepted")],
    ids=["timeout", "cut off", "in flight", "ambiguous"],
)
def test_no_blind_repeat_broken(doubt):
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
def test_no_blind_repeat_is_not_excused_by_half_a_look_up(between):
    """Only a full answer of a reading tool about that very scope reconciles."""
    history = tell(charge(), timeout(), between, charge())
    assert judge(no_blind_repeat("charge"), history)[0].startswith("AF104 charge: Called#1")


def test_no_blind_repeat_needs_the_same_key():
    """AF104: another key is a fresh start, and so is a key that came late."""
    for first in (None, "k1"):
        history = tell(charge(key=first), timeout(), charge(key="k2"), dedup="key")
        assert judge(no_blind_repeat(), history) == ["AF104 charge: Called#1 Replied#1 Called#2"]


def test_no_blind_repeat_a_429_ends_no_doubt():
    """AF104: the second attempt certainly failed; what the first one did is as open as before."""
    limited = reply("failed", raised="RateLimited")
    history = tell(charge(key="k"), timeout(), charge(key="k"), limited, charge(), dedup="key")
    assert judge(no_blind_repeat(), history) == ["AF104 charge: Called#1 Replied#1 Called#3"]


def test_no_blind_repeat_a_receipt_ends_the_doubt():
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
def test_no_blind_repeat_asks_for_a_look_up_that_can_know(steps):
    """AF104: asked before the doubt arose, or answered by something else than a full reply."""
    assert judge(no_blind_repeat(), tell(*steps))[0].startswith("AF104 charge")


def test_no_blind_repeat_after_a_429():
    """A 429 says failed: no doubt, nothing to judge."""
    limited = reply("failed", raised="RateLimited")
    assert judge(no_blind_repeat(), tell(charge(), limited, charged())) == "NOT_EXERCISED"


def test_no_blind_repeat_not_exercised():
    """No effectful call was left in doubt; a reading tool's timeout is none."""
    assert judge(no_blind_repeat(), CLEAN) == "NOT_EXERCISED"
    history = tell(lookup(), timeout(), looked_up())
    assert judge(no_blind_repeat(), history) == "NOT_EXERCISED"
    assert judge(no_blind_repeat("shipment"), tell(charge(), timeout(), charge())) == (
        "NOT_EXERCISED"
    )


# replay_transparency


def test_replay_transparency_held():
    """Under faults the ledger holds what it holds without them."""
    history = tell(charge(), timeout(), looked_up(), charged(), done())
    assert judge(replay_transparency(), history, CLEAN) == "HELD"


@pytest.mark.parametrize(
    "ending", [done("blocked"), done("partial"), raised("TimeoutError"), cut_off("budget")]
)
def test_replay_transparency_less_and_said_so(ending):
    """Fewer effects are no breach when the ending does not pretend otherwise."""
    assert judge(replay_transparency(), tell(charge(), timeout(), ending), CLEAN) == "HELD"


@pytest.mark.parametrize("ending", [[done()], []], ids=["success", "no structured answer"])
def test_replay_transparency_less_in_silence(ending):
    """AF105: an effect of the fault-free run is missing and nobody says so."""
    history = tell(charge(), timeout(), *ending)
    assert judge(replay_transparency(), history, CLEAN) == ["AF105 charge: Ended#1"]
    violation = replay_transparency()(history, CLEAN).violations[0]
    assert violation.title == "charge_card ran 0x, fault-free 1x"
    assert violation.sentence.endswith("and the answer does not say so.")
    assert violation.says == ("success" if ending else "no structured answer")


def test_replay_transparency_names_only_what_differs():
    """An effect that is as it should be is no part of the finding."""
    baseline = tell(charged(), ship(), commit(), ok(), done())
    assert judge(replay_transparency(), CLEAN, baseline) == ["AF105 shipment: Ended#1"]


def test_replay_transparency_more():
    """AF105: an effect too many is a breach, however the run ends."""
    for ending in (done(), done("failed"), raised("TimeoutError")):
        history = tell(charge(), commit(), timeout(), charged(), ending)
        expected = ["AF105 charge: Committed#1 Committed#2"]
        assert judge(replay_transparency(), history, CLEAN) == expected


def test_replay_transparency_compares_scopes():
    """AF105: the wrong order was charged and the right one was not, which is told as one."""
    history = tell(charged("B2"), done())
    assert judge(replay_transparency(), history, CLEAN) == ["AF105 charge: Ended#1"]
    assert [violation.world for violation in replay_transparency().check(history, CLEAN)] == [
        "charge(order_id='A17') 0x instead of 1x",
        "charge(order_id='B2') 1x instead of 0x",
    ]


def test_replay_transparency_does_not_compare_tools():
    """The same effect in the same scope is the same, whichever tool brought it about."""
    other = [
        event._replace(tool="charge_by_phone") if isinstance(event, Committed) else event
        for event in CLEAN.events
    ]
    assert judge(replay_transparency(), History(other, CLEAN.tools), CLEAN) == "HELD"


def test_replay_transparency_not_exercised():
    """Without a fault-free run, in it, and where neither run did anything."""
    assert judge(replay_transparency(), CLEAN) == "NOT_EXERCISED"
    assert judge(replay_transparency(), CLEAN, CLEAN) == "NOT_EXERCISED"
    assert judge(replay_transparency(), tell(done()), tell(done())) == "NOT_EXERCISED"
