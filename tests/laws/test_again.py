"""The laws about a task that is begun again bite, hold, and say when none was."""

import pytest

from agentfuzz.core.events import Struck
from agentfuzz.core.faults import Slot
from agentfuzz.invariants import duplicate_trigger_ignored, no_redo

from .histories import (
    charge,
    charged,
    commit,
    done,
    happens,
    judge,
    looked_up,
    ok,
    replay,
    restarts,
    resumes,
    ship,
    struck,
    tell,
    timeout,
)

# no_redo

LAW = no_redo()
SUCCESS = (charged(), done(handle="A17"))
AGAIN = resumes("duplicate")


@pytest.mark.parametrize("again", [AGAIN, restarts()])
@pytest.mark.parametrize(
    "steps",
    [
        (done(handle="A17"),),
        (looked_up(), done(reason="already_done")),
        (done("cancelled", "superseded"),),
        (charged("B18"), done(handle="A17")),
    ],
    ids=["answers", "looks up", "declines", "another intent"],
)
def test_no_redo_held(again, steps):
    """What was done is not asked for again."""
    assert judge(LAW, tell(*SUCCESS, again, *steps)) == "HELD"


@pytest.mark.parametrize("again", [AGAIN, restarts()])
def test_no_redo_broken(again):
    """AF216: the second leg does it all again; that the backend remembers is no excuse."""
    witness = "Committed#1 Done#1 Resumed#1 Called#2"
    assert judge(LAW, tell(*SUCCESS, again, charged(), done(handle="A17"))) == [
        f"AF216 charge: {witness}"
    ]
    keyed = tell(*SUCCESS, again, charge(key="k"), replay(), ok(), done(), dedup="key")
    assert judge(LAW, keyed) == [f"AF216 charge: {witness}"]
    assert LAW(keyed).violations[0].title == "charge_card redone after success"


def test_no_redo_another_handle():
    """AF216: success again, and it names something else."""
    history = tell(*SUCCESS, AGAIN, done(handle="B18"))
    assert judge(LAW, history) == ["AF216 claim: Done#1 Resumed#1 Done#2"]
    asked = (resumes("follow_up"), charged("B18"), restarts(3), done(handle="B18"))
    assert judge(LAW, tell(*SUCCESS, *asked)) == "HELD"


def test_no_redo_new_wishes():
    """What the user asks for later is free, and so is a restart in the middle of it."""
    wish = resumes("follow_up")
    assert judge(LAW, tell(*SUCCESS, wish, charged(), done())) == "NOT_EXERCISED"
    middle = (wish, charge("B18"), commit(), restarts(3), charged("B18"), done(handle="B18"))
    assert judge(LAW, tell(*SUCCESS, *middle)) == "HELD"
    reopened = (wish, charged(), restarts(3), charged(), done(handle="A17"))
    assert judge(LAW, tell(*SUCCESS, *reopened)) == "HELD"
    old = (wish, charge("B18"), restarts(3), charged(), done(handle="A17"))
    assert judge(LAW, tell(*SUCCESS, *old)) == [
        "AF216 charge: Committed#1 Done#1 Resumed#2 Called#3"
    ]


def test_no_redo_not_exercised():
    """Nothing began again after a success: not at all, within the first, or after a failure."""
    assert judge(LAW, tell(*SUCCESS)) == "NOT_EXERCISED"
    within = (charge(), resumes("duplicate", after="running"), charged(), done())
    assert judge(LAW, tell(*within, resumes("back", 1), ok(), done())) == "NOT_EXERCISED"
    failed = (charge(), timeout(), done("failed"), AGAIN, charged(), done())
    assert judge(LAW, tell(*failed)) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), restarts(), charged(), done())) == "NOT_EXERCISED"


# duplicate_trigger_ignored

ONCE = tell(charged(), done())
SECOND = happens(Struck, Slot("end", "", 1), "duplicate_trigger")


def test_input_dedup_held():
    """Two deliveries, one effect, whichever of them brought it about."""
    assert judge(duplicate_trigger_ignored(), tell(*SUCCESS, SECOND, AGAIN, done()), ONCE) == "HELD"
    middle = happens(Struck, Slot("process", "charge_card", 1), "duplicate_trigger/after")
    within = (resumes("duplicate", after="running"), done("blocked"), resumes("back", 1))
    history = tell(charge(), commit(), middle, *within, ok(), done())
    assert judge(duplicate_trigger_ignored(), history, ONCE) == "HELD"


def test_input_dedup_broken():
    """AF111: once for each delivery; or not at all, because each left it to the other."""
    twice = tell(*SUCCESS, SECOND, AGAIN, charged(), done())
    assert judge(duplicate_trigger_ignored(), twice, ONCE) == [
        "AF111 charge: Committed#1 Struck#1 Committed#2"
    ]
    assert (
        duplicate_trigger_ignored()(twice, ONCE).violations[0].title
        == "charge_card ran 2x, one trigger 1x"
    )
    more = tell(*SUCCESS, SECOND, AGAIN, ship(), commit(), ok(), done())
    assert judge(duplicate_trigger_ignored(), more, ONCE) == [
        "AF111 shipment: Struck#1 Committed#2"
    ]
    none = tell(SECOND, AGAIN, done("blocked"))
    assert judge(duplicate_trigger_ignored(), none, ONCE) == ["AF111 charge: Struck#1"]


@pytest.mark.parametrize(
    "faults",
    [
        (),
        (SECOND, struck("charge_card", 1, "once/timeout")),
        (happens(Struck, Slot("process", "charge_card", 1), "crash/after"),),
    ],
)
def test_input_dedup_not_exercised(faults):
    """No second delivery, or another fault beside it."""
    history = tell(*faults, charged(), AGAIN, charged(), done())
    assert judge(duplicate_trigger_ignored(), history, ONCE) == "NOT_EXERCISED"


def test_input_dedup_nothing_to_do():
    """NOT_EXERCISED without a fault-free run, and where neither run did anything."""
    assert judge(duplicate_trigger_ignored(), tell(SECOND, charged())) == "NOT_EXERCISED"
    quiet = tell(looked_up(), done())
    assert (
        judge(duplicate_trigger_ignored(), tell(SECOND, looked_up(), done()), quiet)
        == "NOT_EXERCISED"
    )
