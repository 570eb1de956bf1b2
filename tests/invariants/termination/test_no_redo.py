"""`no_redo`: what was done is not done again when the task is begun again."""

import pytest

from agentfuzz import Completion, World, no_redo
from agentfuzz.scenarios import resume_after_crash, webhook_twice
from invariants.histories import (
    charge,
    charged,
    commit,
    decides,
    done,
    judge,
    looked_up,
    ok,
    replay,
    restarts,
    resumes,
    tell,
    timeout,
)
from invariants.loops.webhook import AT_THE_END, HOOK, same_keys_again

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
def test_held(again, steps):
    """What was done is not asked for again."""
    assert judge(LAW, tell(*SUCCESS, again, *steps)) == "HELD"


@pytest.mark.parametrize("again", [AGAIN, restarts()])
def test_broken(again):
    """AF216: the second leg does it all again; that the backend remembers is no excuse."""
    witness = "Committed#1 Done#1 Resumed#1 Called#2"
    assert judge(LAW, tell(*SUCCESS, again, charged(), done(handle="A17"))) == [
        f"AF216 charge: {witness}"
    ]
    keyed = tell(*SUCCESS, again, charge(key="k"), replay(), ok(), done(), dedup="key")
    assert judge(LAW, keyed) == [f"AF216 charge: {witness}"]
    assert LAW(keyed).violations[0].title == "charge_card redone after success"


def test_a_decision_that_is_brought_again():
    """Free: the process is started again with the decision that had died with it."""
    again = (restarts(), decides("tc_1"), charged(), done(handle="A17"))
    assert judge(LAW, tell(*SUCCESS, *again)) == "NOT_EXERCISED"


def test_another_handle():
    """AF216: success again, and it names something else."""
    history = tell(*SUCCESS, AGAIN, done(handle="B18"))
    assert judge(LAW, history) == ["AF216 claim: Done#1 Resumed#1 Done#2"]
    asked = (resumes("follow_up"), charged("B18"), restarts(3), done(handle="B18"))
    assert judge(LAW, tell(*SUCCESS, *asked)) == "HELD"


def test_new_wishes():
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


def test_not_exercised():
    """Nothing began again after a success: not at all, within the first, or after a failure."""
    assert judge(LAW, tell(*SUCCESS)) == "NOT_EXERCISED"
    within = (charge(), resumes("duplicate", after="running"), charged(), done())
    assert judge(LAW, tell(*within, resumes("back", 1), ok(), done())) == "NOT_EXERCISED"
    failed = (charge(), timeout(), done("failed"), AGAIN, charged(), done())
    assert judge(LAW, tell(*failed)) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), restarts(), charged(), done())) == "NOT_EXERCISED"


# on whole loops


def a_number_for_each(world: World) -> Completion:
    """Victim: does it once, and answers each delivery with a number of its own."""
    if world.store.claim(world.trigger_id):
        same_keys_again(world)
    return Completion.success(handle=f"answer-{world.leg}")


@pytest.mark.parametrize("victim", [webhook_twice.takes_every_delivery, same_keys_again])
def test_victim(found, victim):
    """With keys of its own; or for nothing, as long as the keys are kept."""
    assert found(LAW, HOOK, victim) == [
        f"AF216 mail: {AT_THE_END}",
        f"AF216 shipment: {AT_THE_END}",
    ]


def test_another_answer_to_the_same_task(found):
    """Nothing is done again, and the caller has two handles."""
    assert found(LAW, HOOK, a_number_for_each) == [f"AF216 claim: {AT_THE_END}"]


@pytest.mark.parametrize(
    "survivor", [webhook_twice.claims_it_first, webhook_twice.notes_it_at_the_end]
)
def test_survivor(held, survivor):
    """To look whether it is done is enough for this law."""
    assert held(LAW, HOOK, survivor, one_in=1) > 40


@pytest.mark.slow
def test_a_restart_after_the_answer(held):
    """It had answered, and nobody had taken note: the payroll is not paid again."""
    survivor = resume_after_crash.saves_the_key_ahead
    assert (
        held(LAW, resume_after_crash.resume_after_crash, survivor, only=("crash",), one_in=1) > 25
    )


def test_untested(untested):
    """Each trigger comes once: nothing begins again."""
    agent, calm = webhook_twice.takes_every_delivery, {"exclude": ("duplicate_trigger",)}
    assert untested(LAW, HOOK, agent, **calm) == ["AF802 no_redo was never exercised"]
