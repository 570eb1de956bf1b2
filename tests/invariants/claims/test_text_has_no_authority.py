"""`text_has_no_authority`: other words with the same meaning lead to the same run."""

import pytest

from agentfuzz import run, text_has_no_authority
from agentfuzz.core.events import ModelTurn
from agentfuzz.core.faults import Slot
from agentfuzz.scenarios import resolve_ticket
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    ok,
    prefix,
    raised,
    strikes,
    tell,
)
from invariants.support import judged_by

LAW = text_has_no_authority()


def struck(fault="model#2:reword=3"):
    return strikes(fault)


def says(text="All done."):
    return lambda story: story.add(ModelTurn, Slot("model", "", 2), 1, text, (), "end")


PLAIN = tell(charged(), says(), done())


@pytest.mark.parametrize("fault", ["model#2:reword", "model#2:reword=3"])
def test_held(fault):
    """Other words, the same calls, effects, completion and ending."""
    assert judge(LAW, tell(charged(), struck(fault), says("all set"), done()), PLAIN) == "HELD"


def test_times_and_replies_do_not_matter():
    """What is compared is what the agent did."""
    history = tell(charge(), commit(), ok("other words"), struck(), says("all set"), done())
    assert judge(LAW, history, PLAIN) == "HELD"


@pytest.mark.parametrize(
    ("history", "expected", "now"),
    [
        (
            tell(charged(), struck(), says("all set"), charged(), done()),
            "AF304 charge_card: Struck#1 ModelTurn#1 Called#2",
            "a call of charge_card",
        ),
        (
            tell(charged(), struck(), says("all set"), looked_up(), done()),
            "AF304 lookup: Struck#1 ModelTurn#1 Called#2",
            "a call of lookup",
        ),
        (
            tell(charged(), struck(), says("all set"), done("partial")),
            "AF304 claim: Struck#1 ModelTurn#1 Done#1",
            "the completion partial (some_effects_missing)",
        ),
        (
            tell(charged(), struck(), says("all set"), done(handle="ch_2")),
            "AF304 claim: Struck#1 ModelTurn#1 Done#1",
            "the completion success (completed) with another handle",
        ),
        (
            tell(charged(), struck(), says("all set")),
            "AF304 claim: Struck#1 ModelTurn#1 Ended#1",
            "the end",
        ),
        (
            tell(charged(), struck(), says("all set"), raised("ValueError")),
            "AF304 claim: Struck#1 ModelTurn#1 Ended#1",
            "the end by ValueError",
        ),
        (
            tell(charged(), struck(), says("all set"), done(), raised("ValueError")),
            "AF304 ending: Struck#1 ModelTurn#1 Ended#1",
            "the end by ValueError",
        ),
    ],
)
def test_broken(history, expected, now):
    """AF304: another call, completion or ending, after nothing but other words."""
    assert judge(LAW, history, PLAIN) == [expected]
    violation = LAW(history, PLAIN).violations[0]
    assert violation.says == f"{now} after 'all set'"
    said = "The model said the same in other words, 'all set' instead of 'All done.', and "
    assert violation.sentence.startswith(f"{said}what followed was {now} instead of ")
    assert violation.title.startswith("reworded: ")


def test_the_title_says_what_the_words_made_of_it():
    partial = tell(charged(), struck(), says("all set"), done("partial"))
    assert LAW(partial, PLAIN).violations[0].title == "reworded: partial instead of success"


def test_another_key_or_argument():
    """The words choose the key, or what is asked for."""
    baseline = tell(says("go"), charged("A17", "run-1"), done())
    other_key = tell(struck(), says("yes"), charged("A17", "run-2"), done())
    other_order = tell(struck(), says("yes"), charged("B2", "run-1"), done())
    for history in (other_key, other_order):
        assert judge(LAW, history, baseline) == ["AF304 charge_card: Struck#1 ModelTurn#1 Called#1"]
    assert "key run-2" in LAW(other_key, baseline).violations[0].sentence
    assert "with other arguments" in LAW(other_order, baseline).violations[0].sentence


def test_the_effect_alone_differs():
    """The same call, and no effect of it."""
    history = tell(charge(), ok(), struck(), says("all set"), done())
    assert LAW(history, PLAIN).status == "VIOLATED"


def test_words_passed_on_whole_decide_nothing():
    """An answer posted as it is, or handed on as the handle, is payload; a key is not."""

    def run(text, *before, key=None):
        post = call("post", key, body=f"The agent says: {text}", tags=[text])
        return tell(charged(), *before, says(text + " "), post, done(handle=text))

    assert judge(LAW, run("all set", struck()), run("All done.")) == "HELD"
    keyed = run("all set", struck(), key="all set"), run("All done.", key="All done.")
    assert judge(LAW, *keyed) == ["AF304 post: Struck#1 ModelTurn#1 Called#2"]


def test_words_that_stand_elsewhere_too():
    """Equal arguments stay equal when the words of only one run occur in them."""
    post = call("post", body="status: all set")
    history = tell(struck(), says("all set"), post, done())
    assert judge(LAW, history, tell(says(), post, done())) == "HELD"


def test_a_prefix():
    """A history that has not ended has done less so far."""
    history = prefix(charged(), struck(), says("all set"))
    assert judge(LAW, history, PLAIN) == ["AF304 claim: Struck#1 ModelTurn#1 ModelTurn#1"]


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (struck("charge_card#1:once/timeout"),),
        (struck("model#2:no_done"),),
        (struck(), struck("charge_card#1:once/timeout")),
        (struck(), struck("model#2:repeat")),
    ],
)
def test_not_exercised(steps):
    """Nothing was reworded, or another fault struck too and may be the cause."""
    assert judge(LAW, tell(charged(), *steps, charged(), done()), PLAIN) == "NOT_EXERCISED"


def test_not_exercised_without_a_baseline():
    """There is nothing to compare with."""
    assert judge(LAW, tell(struck(), says(), done())) == "NOT_EXERCISED"


# on whole loops


STORY = resolve_ticket.resolve_ticket


def test_victim(found):
    """The orchestrator that reads prose runs the task again, for one reworded closing."""
    how = {"only": ("reword",), "depth": 2, "deep_runs": 200}
    assert found(LAW, STORY, resolve_ticket.reads_prose, **how) == [
        "AF304 read_ticket: model#3:reword"
    ]


def test_survivor(held):
    """The one that reads receipts."""
    how = {"only": ("reword",), "deep_runs": 200}
    assert held(LAW, STORY, resolve_ticket.reads_receipts, **how) > 0


def test_other_faults_do_not_exercise_it():
    """A lost reply changes what the agent does, and rightly so."""
    agent, plan = resolve_ticket.reads_receipts, "send_answer#1:once/timeout"
    verdicts = run(judged_by(LAW, STORY), agent, plan).verdicts
    (found,) = [v for v in verdicts if v.law == LAW.name]
    assert found.status == "NOT_EXERCISED"


def test_untested(untested):
    """Nothing is reworded."""
    agent = resolve_ticket.reads_prose
    assert untested(LAW, STORY, agent, only=("once/timeout",)) == [
        "AF802 text_has_no_authority was never exercised"
    ]
