"""`duplicate_trigger_ignored`: a second delivery of the trigger changes nothing."""

import pytest

from agentfuzz import duplicate_trigger_ignored
from agentfuzz.scenarios import webhook_twice
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    ok,
    resumes,
    ship,
    strikes,
    tell,
)
from invariants.loops.webhook import AT_THE_END, HOOK, ON_THE_WAY

SUCCESS = (charged(), done(handle="A17"))
AGAIN = resumes("duplicate")
ONCE = tell(charged(), done())
SECOND = strikes("end#1:duplicate_trigger")


def test_held():
    """Two deliveries, one effect, whichever of them brought it about."""
    assert judge(duplicate_trigger_ignored(), tell(*SUCCESS, SECOND, AGAIN, done()), ONCE) == "HELD"
    middle = strikes("process:charge_card#1:duplicate_trigger/after")
    within = (resumes("duplicate", after="running"), done("blocked"), resumes("back", 1))
    history = tell(charge(), commit(), middle, *within, ok(), done())
    assert judge(duplicate_trigger_ignored(), history, ONCE) == "HELD"


def test_broken():
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
        (SECOND, strikes("charge_card#1:once/timeout")),
        (strikes("process:charge_card#1:crash/after"),),
    ],
)
def test_not_exercised(faults):
    """No second delivery, or another fault beside it."""
    history = tell(*faults, charged(), AGAIN, charged(), done())
    assert judge(duplicate_trigger_ignored(), history, ONCE) == "NOT_EXERCISED"


def test_nothing_to_do():
    """NOT_EXERCISED without a fault-free run, and where neither run did anything."""
    assert judge(duplicate_trigger_ignored(), tell(SECOND, charged())) == "NOT_EXERCISED"
    quiet = tell(looked_up(), done())
    assert (
        judge(duplicate_trigger_ignored(), tell(SECOND, looked_up(), done()), quiet)
        == "NOT_EXERCISED"
    )


# on whole loops


LAW = duplicate_trigger_ignored()


@pytest.mark.parametrize(
    ("victim", "plan"),
    [
        (webhook_twice.takes_every_delivery, AT_THE_END),
        (webhook_twice.notes_it_at_the_end, ON_THE_WAY),
    ],
)
def test_victim(found, victim, plan):
    """After the end, or on the way to it."""
    assert found(LAW, HOOK, victim) == [f"AF111 mail: {plan}", f"AF111 shipment: {plan}"]


def test_survivor(held):
    """However often and whenever it comes."""
    assert held(LAW, HOOK, webhook_twice.claims_it_first) > 5


def test_untested(untested):
    """Each trigger comes once, and the other faults say nothing about it."""
    calm = {"exclude": ("duplicate_trigger",)}
    assert untested(LAW, HOOK, webhook_twice.takes_every_delivery, **calm) == [
        "AF802 duplicate_trigger_ignored was never exercised"
    ]
