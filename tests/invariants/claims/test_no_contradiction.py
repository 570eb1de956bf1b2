"""`no_contradiction`: a run does not take back what it has said, or done."""

import pytest

from agentfuzz import Completion, World, no_contradiction, run
from agentfuzz.core.events import Committed, Decided, Messaged
from agentfuzz.core.history import ToolFacts
from agentfuzz.scenarios import webhook_twice
from invariants.conversations import asks, under
from invariants.histories import (
    call,
    cancels,
    charge,
    charged,
    commit,
    done,
    happens,
    judge,
    looked_up,
    lookup,
    ok,
    raised,
    reply,
    restarts,
    resumes,
    returned,
    ship,
    tell,
    timeout,
)
from invariants.loops.order import LIVES, intent_key, talk
from invariants.loops.webhook import AT_THE_END, HOOK, same_keys_again
from invariants.support import judged_by

LAW = no_contradiction()
APPROVED = happens(Decided, "approval_1", "tc_2", True)
MESSAGE = happens(Messaged, "Cancel it.", "inbox")


def refund(order="A17", before="charge_card"):
    """A call that takes a charge back."""

    def step(story):
        story.tools["refund"] = ToolFacts("refund", "refund", ("order_id",), "none", before)
        call("refund", order_id=order)(story)

    return step


def refunded(order="A17"):
    return lambda story: [step(story) for step in (refund(order), commit(), ok())] and None


def said(status="success", handle="ch_1", **more):
    return done(status, handle=handle, **more)


TWICE = "AF306 completion: Done#1 Done#2"


@pytest.mark.parametrize("again", [said("failed"), said(handle="ch_2"), said("partial")])
@pytest.mark.parametrize("leg", [(), (restarts(),), (resumes("duplicate"),)])
def test_broken(again, leg):
    """AF306: a second pass, or a second delivery, says something else than the first."""
    history = tell(charged(), said(), *leg, again)
    assert judge(LAW, history) == [TWICE]
    assert LAW(history).violations[0].title == "two completions contradict"


def test_an_earlier_account_that_left_the_task_open():
    """AF306 only within one leg: another leg may know better than blocked or partial."""
    for early in (done("blocked"), done("partial")):
        assert judge(LAW, tell(early, said())) == [TWICE]
        for leg in (restarts(), resumes("duplicate")):
            assert judge(LAW, tell(early, leg, charged(), said())) == "HELD"
        nested = (resumes("duplicate", 2, "running"), early, resumes("back", 1))
        assert judge(LAW, tell(charge(), *nested, commit(), ok(), said())) == "HELD"
    assert judge(LAW, tell(done("failed"), restarts(), charged(), said())) == [TWICE]


@pytest.mark.parametrize(
    "later",
    [
        (said(),),
        (said(reason="already_done"),),
        (said(handle=None),),
        (done("cancelled", "superseded"),),
        (MESSAGE, done("cancelled")),
        (cancels(), done("cancelled")),
        (happens(Decided, "approval_1", "tc_1", False), done("failed")),
        (resumes("follow_up"), said(handle="ch_2")),
        (resumes("interrupt"), done("cancelled")),
        (resumes("decision"), done("failed", "rejected")),
        (resumes("follow_up"), said(handle="ch_2"), resumes("duplicate", 3), said()),
        (
            resumes("follow_up"),
            resumes("duplicate", 3, "running"),
            restarts(4),
            said(handle="ch_2"),
        ),
    ],
)
def test_held(later):
    """The same again, or a new word in between, or the earlier one named as superseded."""
    for leg in ((), (restarts(9),)):
        assert judge(LAW, tell(charged(), said(), *leg, *later)) == "HELD"


def test_in_one_breath():
    """A turn of the model that closes twice contradicts itself; AF306 where the loop does."""
    calls = [("tc_1", "done", {"status": status}) for status in ("success", "failed")]
    both = (said(via="tool"), said("failed", via="tool"))
    assert judge(LAW, tell(charged(), asks(*calls), *both)) == "HELD"
    turns = (asks(calls[0]), both[0], asks(calls[1]), both[1])
    assert judge(LAW, tell(charged(), *turns)) == [TWICE]
    assert judge(LAW, tell(charged(), asks(calls[0]), *both)) == [TWICE]


def test_a_handle_is_remembered():
    """AF306: a completion without a handle in between does not make another handle agree."""
    history = tell(said(), said(handle=None), said(handle="ch_2"))
    assert judge(LAW, history) == ["AF306 completion: Done#1 Done#3"]


UNDONE = "AF306 refund: Committed#1 Committed#2"


def test_an_effect_that_is_taken_back():
    """AF306: confirmed, then cancelled, and nobody asked for that."""
    history = tell(charged(), refunded(), done())
    assert judge(LAW, history) == [UNDONE]
    assert LAW(history).violations[0].title == "refund undoes charge_card"
    assert judge(LAW, tell(charged(), looked_up(), refunded(), raised("ValueError"))) == [UNDONE]
    assert judge(LAW, history, tell(charged(), done())) == [UNDONE]
    other = (lookup(), timeout(), refunded(), returned("Done."))  # a look-up is no other write
    assert judge(LAW, tell(charged(), *other)) == [UNDONE]
    after = tell(charged(), ship(), commit(), ok(), refunded(), done())
    assert judge(LAW, after) == ["AF306 refund: Committed#1 Committed#3"]


@pytest.mark.parametrize(
    "steps",
    [
        (charged(), MESSAGE, refunded(), done()),
        (charged(), cancels(), refunded(), done()),
        (charged(), happens(Decided, "approval_1", "tc_9", False), refunded(), done()),
        (charged(), APPROVED, under("tc_2", refunded()), done()),
        (charged(), resumes("follow_up"), refunded(), done()),
        (charged(), resumes("interrupt"), refunded(), done()),
        (charged(), ship(), timeout(), refunded(), done()),  # a compensation
        (charged(), ship(), reply("failed", raised="ToolError"), refunded(), done()),
        (charge(), commit(), timeout(), refunded(), done()),  # to be on the safe side
        (charged(), charged(), refunded(), done()),  # it was there twice
        (charged(), refunded(), done("cancelled")),
        (charged(), refunded(), done("failed")),
        (charged(), refunded("B18"), done()),  # another order's
        (refunded(), charged(), done()),
        (charged(), refund(), reply("failed", raised="ToolError"), done()),
    ],
)
def test_taken_back_for_a_cause(steps):
    """A message, a cancellation, a decision, a failed step, or an answer that owns up to it."""
    assert judge(LAW, tell(*steps, returned())) == "HELD"


def test_a_decision_about_another_call_is_no_cause():
    """AF306: somebody approved of something else."""
    granted = happens(Decided, "approval_1", "tc_9", True)
    assert judge(LAW, tell(charged(), granted, under("tc_2", refunded()), done())) == [UNDONE]


def test_the_plan_takes_it_back():
    """What the run without faults does is no contradiction."""
    planned = tell(charged(), refunded(), done())
    assert judge(LAW, planned, planned) == "HELD"
    repeated = tell(charged(), looked_up(), refunded(), done())
    assert judge(LAW, repeated, planned) == "HELD"


def test_not_exercised():
    """One completion, and nothing that could be taken back."""
    assert judge(LAW, tell(charged(), done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), raised("ValueError"))) == "NOT_EXERCISED"
    assert judge(LAW, tell(charged(), done(problem="no"), done())) == "NOT_EXERCISED"


# on whole loops


def does_as_it_is_told(world: World) -> Completion:
    """Victim: the model confirms, and then takes it back."""
    return talk(world, intent_key)


def stands_by_it(world: World) -> Completion:
    """Survivor: what a receipt has come for is not given back because a model says so."""
    return talk(
        world, intent_key, lambda name, receipts: name != "refund" or "charge_card" not in receipts
    )


def refuses_the_second(world: World) -> Completion:
    """Victim: a second delivery is an error."""
    if not world.store.claim(world.trigger_id):
        return Completion.failed(reason="rejected", detail="already processed")
    return same_keys_again(world)


def test_victim(found, simulation):
    """Charged, confirmed, given back, and nobody had asked for that."""
    assert found(LAW, LIVES, does_as_it_is_told) == ["AF306 refund: model#2:contradict"]
    plan, story = "model#2:contradict", judged_by(LAW, LIVES)
    history = run(story, does_as_it_is_told, plan, simulation=simulation).history
    assert [commit.tool for commit in history.of(Committed)] == ["charge_card", "refund"]


@pytest.mark.slow
def test_survivor(held):
    """A mind that is changed neither by the model nor by the network."""
    assert held(LAW, LIVES, stands_by_it, alone=True) > 500


def test_two_accounts_by_two_deliveries(found):
    """Success, and on the second delivery a failure."""
    assert found(LAW, HOOK, refuses_the_second) == [f"AF306 completion: {AT_THE_END}"]


def test_one_account_by_two_deliveries(held):
    """What is under way is left open, what is done stays done."""
    assert held(LAW, HOOK, webhook_twice.claims_it_first) > 40


def test_untested(untested):
    """One completion, and nothing that could be taken back."""
    calm = {"exclude": ("duplicate_trigger",)}
    assert untested(LAW, HOOK, refuses_the_second, **calm) == [
        "AF802 no_contradiction was never exercised"
    ]
