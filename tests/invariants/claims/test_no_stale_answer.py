"""`no_stale_answer`: the answer is the last word of the model."""

import pytest

from agentfuzz import no_stale_answer
from invariants.conversations import asks, gets, says, shows, under, user, wants
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    ok,
    raised,
    reply,
    returned,
    tell,
    timeout,
)
from invariants.loops.field import Loop, OverTheLimit, plain, shop
from trust import models

PREAMBLE = "Payment done!"
WORK = (asks("tc_1", text=PREAMBLE), under("tc_1", charged()))
RECEIPT = "charge ch_1 of 42 EUR"


def own(status="success", handle=None, detail=""):
    """A Completion that the agent returned, as a history keeps it."""
    value = {"status": status, "reason": "", "handle": handle, "detail": detail}
    return (done(status, handle=handle), returned(value))


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
def test_held(ending):
    """The answer is, or holds, what the model said after the last reply."""
    assert judge(no_stale_answer(), tell(*WORK, says("I charged order A17."), *ending)) == "HELD"


def test_of_another_agent():
    """Any turn after the last reply will do: a checker may speak after the answer."""
    history = tell(*WORK, says("I charged A17."), says("Approved."), returned("I charged A17."))
    assert judge(no_stale_answer(), history) == "HELD"


@pytest.mark.parametrize(
    "own_call",
    [looked_up(), charged("B18"), (lambda story: [step(story) for step in (charge(), timeout())])],
    ids=["a look-up", "a write", "one that fails"],
)
def test_what_the_loop_calls_by_itself(own_call):
    """A log, a look-up or a notice after the model's last word makes it no older text."""
    history = tell(*WORK, says("I charged A17."), own_call, returned("I charged A17."))
    assert judge(no_stale_answer(), history) == "HELD"


def test_a_call_that_was_given_up():
    """What a call that nobody waits for any more is answered later makes no text older: the model
    was told of it before it spoke."""
    given_up = (
        asks("tc_1", text=PREAMBLE),
        under("tc_1", charge()),
        shows(user(), wants("tc_1", text=PREAMBLE), gets("tc_1", "Error: timed out")),
        says("I could not charge A17."),
        reply("unknown", raised="CancelledError"),
    )
    history = tell(*given_up, returned("I could not charge A17."))
    assert judge(no_stale_answer(), history) == "HELD"
    older = judge(no_stale_answer(), tell(*given_up, returned(PREAMBLE)))
    assert older == ["AF303 answer: ModelTurn#1 Ended#1"]


def test_what_the_model_asked_for_without_ids():
    """AF303: a loop that hands no ids on still acts on the turn before."""
    history = tell(asks("tc_1", text=PREAMBLE), charged(), says(""), returned(PREAMBLE))
    assert judge(no_stale_answer(), history) == ["AF303 answer: ModelTurn#1 Ended#1"]


@pytest.mark.parametrize("answer", [PREAMBLE, f"{PREAMBLE} Goodbye."])
@pytest.mark.parametrize("last", [(), (says(""),), (says("Sorry."),)])
def test_broken(answer, last):
    """AF303: what the model said before the reply, because it said nothing, or something else."""
    for ending in ((returned(answer),), own(detail=answer), own(handle=answer)):
        history = tell(*WORK, *last, *ending)
        assert judge(no_stale_answer(), history) == ["AF303 answer: ModelTurn#1 Ended#1"]
        assert no_stale_answer()(history).violations[0].title == "the answer is an older text"


def test_a_short_text_proves_nothing():
    """Only a text that cannot stand there by chance is recognised inside another."""
    steps = (asks("tc_1", text="ok"), under("tc_1", charged()), says(""))
    assert judge(no_stale_answer(), tell(*steps, returned("it looks good"))) == "NOT_EXERCISED"
    found = judge(no_stale_answer(), tell(*steps, returned("ok")))
    assert found == ["AF303 answer: ModelTurn#1 Ended#1"]


def test_a_tools_output():
    """AF303: the reply of a tool as the answer; as a handle it belongs there."""
    work = (asks("tc_1"), under("tc_1", charge()), commit(), ok(RECEIPT), says(""))
    for ending in ((returned(RECEIPT),), own(detail=RECEIPT)):
        assert judge(no_stale_answer(), tell(*work, *ending)) == ["AF303 answer: Replied#1 Ended#1"]
    assert judge(no_stale_answer(), tell(*work, *own(handle=RECEIPT))) == "NOT_EXERCISED"
    structured = (asks("tc_1"), under("tc_1", charge()), commit(), ok({"id": 1}), says(""))
    found = judge(no_stale_answer(), tell(*structured, returned('{"id": 1}')))
    assert found == ["AF303 answer: Replied#1 Ended#1"]


def test_an_error_text():
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


def test_not_exercised():
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


# on whole loops


class Hasty(Loop):
    """P4: the text beside the calls is the answer, whatever comes of them."""

    def run(self):
        turn = self.ask()
        while turn is not None and self.finished(turn) and turn["tool_calls"]:
            try:
                self.act(turn)
            except OverTheLimit:
                return self.out_of_budget()
            if turn["content"]:
                return turn["content"]
            turn = self.ask()
        return super().run() if turn is None else self.answer(turn)


class AnyText(Loop):
    """P4: where the model says nothing, the last message will do."""

    def answer(self, turn):
        return turn["content"] or self.messages[-1]["content"]


@pytest.mark.parametrize(
    ("victim", "expected"),
    [(Hasty, "AF303 answer: model#1:preamble"), (AnyText, "AF303 answer: model#2:empty")],
)
def test_victim(found, victim, expected):
    """The text beside the calls is the answer; or the last message, whosesoever it is."""
    assert found(no_stale_answer(), shop(), plain(victim)) == [expected]


def test_a_log_at_the_end(held):
    """Written by the loop, after the last turn."""
    story, agent = models.counter("All done."), models.with_model(models.logs_last)
    assert held(no_stale_answer(), story, agent, depth=1) > 10


def test_survivor(held):
    """What the model says last is the answer, and nothing is none."""
    assert held(no_stale_answer(), shop(), plain(Loop), depth=1) > 10
