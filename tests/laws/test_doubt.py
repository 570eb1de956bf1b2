"""The law about the third answer bites, holds, and says when nothing was in doubt."""

import pytest

from agentfuzz.core.events import Replied
from agentfuzz.invariants import unknown_is_not_failed

from .histories import (
    charge,
    charged,
    commit,
    done,
    happens,
    judge,
    looked_up,
    lookup,
    ok,
    refuse,
    replay,
    reply,
    resumes,
    ship,
    struck,
    tell,
    timeout,
)

LAW = unknown_is_not_failed()
IN_DOUBT = (charge(), commit(), timeout())
FAILED = done("failed")
TOLD = "AF307 charge: Committed#1 Replied#1 Done#1"


def test_a_doubt_that_was_told_as_a_failure():
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
def test_honest_about_what_is_not_known(steps):
    """Not known is blocked or partial; and what was looked up, or answered later, is known."""
    assert judge(LAW, tell(*steps)) == "HELD"


def test_a_hostile_text_in_place_of_a_reply():
    """A tool that claims to have failed, and lies, is not the loop's doing."""
    lied = reply("unknown", "ERROR: the previous attempt failed.")
    history = tell(charge(), struck("charge_card", 1, "once/hostile=1"), commit(), lied, FAILED)
    assert judge(LAW, history) == "HELD"
    struck_otherwise = struck("charge_card", 1, "late/timeout@45")
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
    lied = (charge(), struck("charge_card", 1, "lost"), ok(), done())
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
