"""`no_act_on_cut_reply`: nothing is done on a reply of the model that did not finish."""

import pytest

from agentfuzz import no_act_on_cut_reply
from invariants.conversations import asks, says, under
from invariants.histories import charged, cut_off, done, judge, raised, reply, returned, ship, tell
from invariants.loops.field import Blank, Loop, NeverLooks, Streams, plain, shop

PREAMBLE = "Payment done!"
WORK = (asks("tc_1", text=PREAMBLE), under("tc_1", charged()))


def own(status="success", handle=None, detail=""):
    """A Completion that the agent returned, as a history keeps it."""
    value = {"status": status, "reason": "", "handle": handle, "detail": detail}
    return (done(status, handle=handle), returned(value))


UNFINISHED = ["length", "cut", "error"]


@pytest.mark.parametrize(
    "ending",
    [
        (returned("I charged order A17."),),
        own(),
        own(handle="ch_1"),
        (done(), returned(None)),
        (done(via="tool"), returned(None)),
        (returned({"output": ""}),),
    ],
)
def test_held(ending):
    """A terminal stop reason and an answer, or a completion."""
    assert (
        judge(no_act_on_cut_reply(), tell(*WORK, says("I charged order A17."), *ending)) == "HELD"
    )


@pytest.mark.parametrize("stop", UNFINISHED)
def test_broken(stop):
    """AF208: a call of a reply that did not finish took effect."""
    history = tell(asks("tc_1", stop=stop), under("tc_1", charged()), says("..."), *own("failed"))
    assert judge(no_act_on_cut_reply(), history) == ["AF208 charge: ModelTurn#1 Committed#1"]
    title = "charge_card ran, reply unfinished"
    assert no_act_on_cut_reply()(history).violations[0].title == title


@pytest.mark.parametrize("stop", UNFINISHED)
def test_asked_again(stop):
    """The torn reply was thrown away; the next one asked for the same id."""
    history = tell(asks("tc_1", stop=stop), *WORK, says("Charged."), returned("Charged."))
    assert judge(no_act_on_cut_reply(), history) == "HELD"
    refused = (under("tc_1", ship()), reply("failed", raised="InvalidArguments"))
    assert (
        judge(no_act_on_cut_reply(), tell(asks("tc_1", stop=stop), *refused, *own("failed")))
        == "HELD"
    )


@pytest.mark.parametrize("stop", UNFINISHED)
@pytest.mark.parametrize(
    "ending",
    [(returned("I char"),), (done(handle="I char"), returned("I char")), own(handle="I char")],
)
def test_taken_for_an_answer(stop, ending):
    """AF208: the last turn did not finish, and the run passes for a success."""
    history = tell(*WORK, says("I char", stop), *ending)
    assert judge(no_act_on_cut_reply(), history) == ["AF208 answer: ModelTurn#2 Ended#1"]
    assert no_act_on_cut_reply()(history).violations[0].title == "unfinished reply as the answer"


def test_a_completion_of_the_loops_own():
    """After an API error a loop may claim what it knows; a reply cut at its length it has read."""
    found = {
        stop: judge(no_act_on_cut_reply(), tell(*WORK, says("I", stop), *own()))
        for stop in UNFINISHED
    }
    assert found == {
        "length": ["AF208 answer: ModelTurn#2 Ended#1"],
        "cut": "HELD",
        "error": "HELD",
    }


def test_a_torn_done():
    """AF208: the success was asked for by a call of the done tool that did not finish."""
    torn = asks(("tc_2", "done", '{"status": "succ'), stop="length")
    history = tell(*WORK, torn, done(via="tool"))
    assert judge(no_act_on_cut_reply(), history) == ["AF208 answer: ModelTurn#2 Done#1"]
    assert judge(no_act_on_cut_reply(), tell(*WORK, torn, done("failed", via="tool"))) == "HELD"


@pytest.mark.parametrize(
    "ending",
    [
        (returned(""),),
        (returned(" \n"),),
        (returned(None),),
        (done(handle=""), returned({"output": ""})),
        own(handle=" "),
    ],
)
def test_blank(ending):
    """AF209: nothing says that the task is not done, and there is no answer."""
    history = tell(*WORK, says(""), *ending)
    assert judge(no_act_on_cut_reply(), history) == ["AF209 answer: ModelTurn#2 Ended#1"]


def test_an_honest_ending():
    """A status other than success, or an exception, needs no answer."""
    for ending in (own("failed"), [raised("ValueError")], [cut_off("budget")]):
        assert judge(no_act_on_cut_reply(), tell(*WORK, says("I", "length"), *ending)) == "HELD"


def test_not_exercised():
    """No model; or every turn finished and the run does not pass for a success."""
    for history in (
        tell(charged(), returned("")),
        tell(*WORK, says(""), *own("failed")),
        tell(*WORK, says(""), raised("ValueError")),
    ):
        assert judge(no_act_on_cut_reply(), history) == "NOT_EXERCISED"


# on whole loops


LAW = no_act_on_cut_reply()
WORDS = "AF208 answer: model#2:truncated"


@pytest.mark.parametrize(
    ("victim", "parallel", "expected"),
    [
        (NeverLooks, False, [WORDS]),
        (NeverLooks, True, ["AF208 charge: model#1:truncated", WORDS]),
        (Streams, False, ["AF208 answer: model#2:cut"]),
        (Blank, False, ["AF209 answer: model#1:empty"]),
    ],
    ids=["an answer", "an effect", "a stream", "blank"],
)
def test_victim(found, victim, parallel, expected):
    """Half a reply is taken for a whole one; an end that is none for the end; nothing for an
    answer."""
    assert found(LAW, shop(parallel=parallel), plain(victim)) == expected


def test_survivor(held):
    """Looks at the stop reason, and at the answer."""
    assert held(LAW, shop(), plain(Loop), depth=1) > 10
