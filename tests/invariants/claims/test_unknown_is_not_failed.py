"""`unknown_is_not_failed`: what nobody knows is not reported as failed."""

import pytest

from agentfuzz import Completion, World, unknown_is_not_failed
from agentfuzz.core.events import Replied
from agentfuzz.scenarios import saga
from invariants.conversations import asks, says
from invariants.histories import (
    charge,
    charged,
    commit,
    done,
    happens,
    has_undos,
    judge,
    looked_up,
    lookup,
    ok,
    refund,
    refuse,
    replay,
    reply,
    resumes,
    ship,
    strikes,
    tell,
    timeout,
)
from invariants.loops.order import DONE, FAULTS, LIVES, UNKNOWN, charge_once

LAW = unknown_is_not_failed()
IN_DOUBT = (charge(), commit(), timeout())
FAILED = done("failed")
TOLD = "AF307 charge: Committed#1 Replied#1 Done#1"


def test_broken():
    """AF307: the deadline expired, the charge happened, and the completion says failed."""
    history = tell(*IN_DOUBT, FAILED)
    assert judge(LAW, history) == [TOLD]
    assert LAW(history).violations[0].title == "charge happened, told failed"
    late = tell(charge(), timeout(), FAILED, commit())
    assert judge(LAW, late) == ["AF307 charge: Replied#1 Done#1 Committed#1"]
    for unsure in (reply("in_flight", "accepted"), reply("unknown", '{"st', complete=False)):
        assert judge(LAW, tell(charge(), commit(), unsure, FAILED)) == [TOLD]


def test_a_failed_repeat_does_not_settle_the_doubt():
    """AF307: whatever the second attempt said, the first one was never looked up."""
    assert judge(LAW, tell(*IN_DOUBT, charge(), refuse("key_reused"), FAILED)) == [TOLD]
    limited = reply("failed", raised="RateLimited")
    assert judge(LAW, tell(*IN_DOUBT, charge(), limited, FAILED)) == [TOLD]
    early = (lookup(), *IN_DOUBT, FAILED)  # asked, and not answered, before the doubt arose
    assert judge(LAW, tell(*early)) == ["AF307 charge: Committed#1 Replied#1 Done#1"]
    other = tell(*IN_DOUBT, looked_up("B18"), FAILED)
    assert judge(LAW, other) == [TOLD]


@pytest.mark.parametrize(
    "steps",
    [
        (*IN_DOUBT, done("blocked")),
        (*IN_DOUBT, done("partial", "unverified")),
        (charge(), timeout(), FAILED),  # it did not happen
        (*IN_DOUBT, looked_up(), FAILED),  # judged by what the look-up said
        (charge("A17", "k"), commit(), timeout(), charge("A17", "k"), replay(), ok(), FAILED),
        (*IN_DOUBT, charge(), commit(), ok(), FAILED),
        (*IN_DOUBT, done("failed", problem="no")),
        (*IN_DOUBT, done("blocked"), resumes("follow_up"), lookup(), timeout(), FAILED),
        (charged(), charge(), timeout(), FAILED),  # what is in doubt did not happen
        (charged(), ship(), timeout(), FAILED),
        (*IN_DOUBT,),
    ],
)
def test_held(steps):
    """Not known is blocked or partial; and what was looked up, or answered later, is known."""
    assert judge(LAW, tell(*steps)) == "HELD"


def test_an_undo_in_doubt():
    """AF307 unless the answer names what the undo was to take back: then failed is the truth."""
    doubt = (has_undos(), charged(), refund(), commit(), timeout())
    assert judge(LAW, tell(*doubt, FAILED)) == ["AF307 refund: Committed#2 Replied#2 Done#1"]
    assert judge(LAW, tell(*doubt, done("failed", handle="A17"))) == "HELD"
    assert judge(LAW, tell(*IN_DOUBT, done("failed", handle="A17"))) == [TOLD]


def test_the_models_own_words():
    """What the model calls failed by the done tool is its guess; what the loop makes of it is the
    loop's (AF307)."""
    closes = asks(("tc_2", "done", {"status": "failed", "reason": "tool_failed"}))
    said = done("failed", via="tool")
    blocks = asks(("tc_2", "done", {"status": "blocked", "reason": "outcome_unknown"}))
    assert judge(LAW, tell(*IN_DOUBT, closes, said)) == "HELD"
    assert judge(LAW, tell(*IN_DOUBT, blocks, said)) == [TOLD]
    assert judge(LAW, tell(*IN_DOUBT, says("It failed."), FAILED)) == [TOLD]


def test_a_hostile_text_in_place_of_a_reply():
    """A tool that claims to have failed, and lies, is not the loop's doing."""
    lied = reply("unknown", "ERROR: the previous attempt failed.")
    history = tell(charge(), strikes("charge_card#1:once/hostile=1"), commit(), lied, FAILED)
    assert judge(LAW, history) == "HELD"
    struck_otherwise = strikes("charge_card#1:late/timeout@45")
    assert judge(LAW, tell(charge(), struck_otherwise, commit(), timeout(), FAILED)) == [TOLD]


def test_the_vocabulary_of_outcomes():
    """AF307: a word that is no outcome, or one that nothing stands behind."""
    odd = tell(charge(), commit(), reply("maybe"), done("blocked"))
    assert judge(LAW, odd) == ["AF307 charge_card: Called#1 Replied#1"]
    assert LAW(odd).violations[0].title == "charge_card: outcome without ground"
    for word in ("applied", "replayed"):
        phantom = tell(charge(), reply(word, "ok"), done())
        assert judge(LAW, phantom) == ["AF307 charge_card: Called#1 Replied#1"]
    late = tell(charge(), ok(), commit(), done())
    assert judge(LAW, late) == ["AF307 charge_card: Called#1 Replied#1"]


def test_a_lying_tool_is_the_plans_doing():
    """A phantom success that a fault forged is judged elsewhere."""
    lied = (charge(), strikes("charge_card#1:lost"), ok(), done())
    assert judge(LAW, tell(*lied)) == "NOT_EXERCISED"


def test_not_exercised():
    """No write was left in doubt: none at all, answered, refused, or only a look-up failed."""
    for steps in (
        (done(),),
        (charged(), done()),
        (charge(), refuse("tool_raised"), FAILED),
        (lookup(), timeout(), FAILED),
        (lookup(), reply("maybe"), FAILED),
        (charge(), commit(), reply("failed", raised="RateLimited"), FAILED),
    ):
        assert judge(LAW, tell(*steps)) == "NOT_EXERCISED"


def test_a_reply_of_a_read_may_say_anything():
    """The vocabulary is that of writes."""
    history = tell(lookup(), happens(Replied, "c1", "odd", True, None, None), *IN_DOUBT)
    assert judge(LAW, history) == "HELD"


# on whole loops
NOT_DONE = Completion.failed(reason="tool_failed")
KEY = "trigger_1:charge_card:A17"


def two_valued(world: World) -> Completion:
    """Victim: what is no success is a failure."""
    return DONE if charge_once(world, KEY) else NOT_DONE


def three_valued(world: World) -> Completion:
    """Survivor: what is not known is said to be not known."""
    done = charge_once(world, KEY)
    return UNKNOWN if done is None else DONE if done else NOT_DONE


def looks_it_up(world: World) -> Completion:
    """Survivor: asks before it answers."""
    done = charge_once(world, KEY)
    if done is None:
        try:
            reply = world.tools.find_charge(order_id="A17")
        except FAULTS:
            return UNKNOWN
        done = reply.get("paid") if isinstance(reply, dict) else None
    return DONE if done is True else NOT_DONE if done is False else UNKNOWN


def gives_it_back(world: World) -> Completion:
    """Survivor: what may have happened is undone, and once that is certain it is a failure."""
    if charge_once(world, KEY):
        return DONE
    for _ in range(3):
        try:
            reply = world.tools.refund(order_id="A17", idempotency_key="trigger_1:refund:A17")
        except FAULTS:
            continue
        if isinstance(reply, dict) and isinstance(reply.get("refund_id"), str):
            return NOT_DONE
    return UNKNOWN


def test_victim(found):
    """The reply was late, the charge was not."""
    assert found(LAW, LIVES, two_valued) == ["AF307 charge: charge_card#1:once/timeout"]


def test_a_compensation_is_no_exception(found):
    """A cancellation that nobody has confirmed is in doubt, too."""
    assert found(LAW, saga.saga, saga.fire_and_forget, depth=2) == [
        "AF307 cancellation: book_flight#1:once/timeout + cancel_flight#1:once/timeout"
    ]


@pytest.mark.parametrize("survivor", [three_valued, looks_it_up, gives_it_back])
def test_survivor(held, survivor):
    """Said, looked up, or made a certainty."""
    assert held(LAW, LIVES, survivor) > 20


def test_untested(untested):
    """A 429 says that nothing was done."""
    assert untested(LAW, LIVES, two_valued, only=("rate_limited",)) == [
        "AF802 unknown_is_not_failed was never exercised"
    ]
