"""The laws about the answer that a run ends with bite, hold, and say when there was none."""

import pytest

from agentfuzz.invariants import no_act_on_cut_reply, no_stale_answer

from .histories import (
    asks,
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    ok,
    raised,
    reply,
    returned,
    says,
    ship,
    tell,
    under,
)

PREAMBLE = "Payment done!"
WORK = (asks("tc_1", text=PREAMBLE), under("tc_1", charged()))
RECEIPT = "charge ch_1 of 42 EUR"


def own(status="success", handle=None, detail=""):
    """A Completion that the agent returned, as a history keeps it."""
    value = {"status": status, "reason": "", "handle": handle, "detail": detail}
    return (done(status, handle=handle), returned(value))


# no_stale_answer


@pytest.mark.parametrize(
    "ending",
    [
        (returned("I charged order A17."),),
        (returned("Answer: I charged order A17."),),
        (returned(f"{PREAMBLE}\nI charged order A17."),),
        own(detail="I charged order A17."),
        own(handle="I charged order A17."),
        (done(handle="I charged order A17."), returned({"output": 1})),
    ],
)
def test_last_word_held(ending):
    """The answer is, or holds, what the model said after the last reply."""
    assert judge(no_stale_answer(), tell(*WORK, says("I charged order A17."), *ending)) == "HELD"


def test_last_word_of_another_agent():
    """Any turn after the last reply will do: a checker may speak after the answer."""
    history = tell(*WORK, says("I charged A17."), says("Approved."), returned("I charged A17."))
    assert judge(no_stale_answer(), history) == "HELD"


@pytest.mark.parametrize("answer", [PREAMBLE, f"{PREAMBLE} Goodbye."])
@pytest.mark.parametrize("last", [(), (says(""),), (says("Sorry."),)])
def test_last_word_an_older_text(answer, last):
    """AF303: what the model said before the reply, because it said nothing, or something else."""
    for ending in ((returned(answer),), own(detail=answer), own(handle=answer)):
        history = tell(*WORK, *last, *ending)
        assert judge(no_stale_answer(), history) == ["AF303 answer: ModelTurn#1 Ended#1"]
        assert no_stale_answer()(history).violations[0].title == "the answer is an older text"


def test_last_word_a_short_text_proves_nothing():
    """Only a text that cannot stand there by chance is recognised inside another."""
    steps = (asks("tc_1", text="ok"), under("tc_1", charged()), says(""))
    assert judge(no_stale_answer(), tell(*steps, returned("it looks good"))) == "NOT_EXERCISED"
    found = judge(no_stale_answer(), tell(*steps, returned("ok")))
    assert found == ["AF303 answer: ModelTurn#1 Ended#1"]


def test_last_word_a_tools_output():
    """AF303: the reply of a tool as the answer; as a handle it belongs there."""
    work = (asks("tc_1"), under("tc_1", charge()), commit(), ok(RECEIPT), says(""))
    for ending in ((returned(RECEIPT),), own(detail=RECEIPT)):
        assert judge(no_stale_answer(), tell(*work, *ending)) == ["AF303 answer: Replied#1 Ended#1"]
    assert judge(no_stale_answer(), tell(*work, *own(handle=RECEIPT))) == "NOT_EXERCISED"
    structured = (asks("tc_1"), under("tc_1", charge()), commit(), ok({"id": 1}), says(""))
    found = judge(no_stale_answer(), tell(*structured, returned('{"id": 1}')))
    assert found == ["AF303 answer: Replied#1 Ended#1"]


def test_last_word_an_error_text():
    """AF303: the text of a tool's or the model's error as the answer."""
    failed = reply("unknown", "charge_card timed out", raised="TimeoutError")
    work = (asks("tc_1"), under("tc_1", charge()), failed)
    for text in ("charge_card timed out", "Error: charge_card timed out"):
        found = judge(no_stale_answer(), tell(*work, says(""), returned(text)))
        assert found == ["AF303 answer: Replied#1 Ended#1"]
    down = (*WORK, says("529 overloaded", "error"), returned("Error: 529 overloaded"))
    assert judge(no_stale_answer(), tell(*down)) == ["AF303 answer: ModelTurn#2 Ended#1"]
    long = "I could not charge the order, and here is why: charge_card timed out"
    assert judge(no_stale_answer(), tell(*work, says(""), returned(long))) == "NOT_EXERCISED"


def test_last_word_not_exercised():
    """An honest status, another way of ending, the done tool, no model, the loop's own words."""
    for history in (
        tell(*WORK, *own("failed", detail=PREAMBLE)),
        tell(*WORK, raised("ValueError")),
        tell(*WORK, cut_off("budget")),
        tell(*WORK, done(via="tool"), returned(PREAMBLE)),
        tell(charged(), returned("ok")),
        tell(*WORK, says("Charged."), returned("Order A17 is paid.")),
        tell(*WORK, says("Charged."), returned(None)),
        tell(*WORK, says("Charged."), returned({"order": "A17"})),
    ):
        assert judge(no_stale_answer(), history) == "NOT_EXERCISED"


# no_act_on_cut_reply

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
def test_no_act_on_cut_reply_held(ending):
    """A terminal stop reason and an answer, or a completion."""
    assert (
        judge(no_act_on_cut_reply(), tell(*WORK, says("I charged order A17."), *ending)) == "HELD"
    )


@pytest.mark.parametrize("stop", UNFINISHED)
def test_no_act_on_cut_reply_acted_on(stop):
    """AF208: a call of a reply that did not finish took effect."""
    history = tell(asks("tc_1", stop=stop), under("tc_1", charged()), says("..."), *own("failed"))
    assert judge(no_act_on_cut_reply(), history) == ["AF208 charge: ModelTurn#1 Committed#1"]
    title = "charge_card ran, reply unfinished"
    assert no_act_on_cut_reply()(history).violations[0].title == title


@pytest.mark.parametrize("stop", UNFINISHED)
def test_no_act_on_cut_reply_asked_again(stop):
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
def test_no_act_on_cut_reply_taken_for_an_answer(stop, ending):
    """AF208: the last turn did not finish, and the run passes for a success."""
    history = tell(*WORK, says("I char", stop), *ending)
    assert judge(no_act_on_cut_reply(), history) == ["AF208 answer: ModelTurn#2 Ended#1"]
    assert no_act_on_cut_reply()(history).violations[0].title == "unfinished reply as the answer"


def test_no_act_on_cut_reply_a_completion_of_the_loops_own():
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


def test_no_act_on_cut_reply_a_torn_done():
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
def test_no_act_on_cut_reply_blank(ending):
    """AF209: nothing says that the task is not done, and there is no answer."""
    history = tell(*WORK, says(""), *ending)
    assert judge(no_act_on_cut_reply(), history) == ["AF209 answer: ModelTurn#2 Ended#1"]


def test_no_act_on_cut_reply_an_honest_ending():
    """A status other than success, or an exception, needs no answer."""
    for ending in (own("failed"), [raised("ValueError")], [cut_off("budget")]):
        assert judge(no_act_on_cut_reply(), tell(*WORK, says("I", "length"), *ending)) == "HELD"


def test_no_act_on_cut_reply_not_exercised():
    """No model; or every turn finished and the run does not pass for a success."""
    for history in (
        tell(charged(), returned("")),
        tell(*WORK, says(""), *own("failed")),
        tell(*WORK, says(""), raised("ValueError")),
    ):
        assert judge(no_act_on_cut_reply(), history) == "NOT_EXERCISED"
