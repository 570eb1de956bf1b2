"""T1, text has no authority: on histories told by hand, and on a victim and a survivor."""

from dataclasses import replace

import pytest
from laws.histories import (
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
    tell,
)

from agentfuzz.core.events import ModelTurn, Struck
from agentfuzz.core.faults import Slot
from agentfuzz.engine.simulation import Simulation
from agentfuzz.engine.single import run
from agentfuzz.invariants import text_has_no_authority
from agentfuzz.scenarios import resolve_ticket
from agentfuzz.search.campaign import Budget, Campaign
from agentfuzz.search.space import Space

LAW = text_has_no_authority()


def struck(fault="reword=3", slot=None):
    return lambda story: story.add(Struck, slot or Slot("model", "", 2), fault)


def says(text="All done."):
    return lambda story: story.add(ModelTurn, Slot("model", "", 2), 1, text, (), "end")


PLAIN = tell(charged(), says(), done())


@pytest.mark.parametrize("fault", ["reword", "reword=3"])
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
def test_violated(history, expected, now):
    """AF304: another call, completion or ending, after nothing but other words."""
    assert judge(LAW, history, PLAIN) == [expected]
    violation = LAW(history, PLAIN).violations[0]
    assert violation.says == f"{now} after 'all set'"
    assert "('all set' instead of 'All done.')" in violation.sentence


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
        (struck("timeout", Slot("tool", "charge_card", 1)),),
        (struck("no_done"),),
        (struck(), struck("once/timeout", Slot("tool", "charge_card", 1))),
        (struck(), struck("repeat")),
    ],
)
def test_not_exercised(steps):
    """Nothing was reworded, or another fault struck too and may be the cause."""
    assert judge(LAW, tell(charged(), *steps, charged(), done()), PLAIN) == "NOT_EXERCISED"


def test_not_exercised_without_a_baseline():
    """There is nothing to compare with."""
    assert judge(LAW, tell(struck(), says(), done())) == "NOT_EXERCISED"


STORY = replace(resolve_ticket.resolve_ticket, invariants=(LAW,))


def campaign(agent, **words):
    """The result of a campaign of the ticket scenario under this law alone."""
    with Simulation() as simulation:
        found = Campaign(
            STORY, agent, simulation, space=Space(**words), budget=Budget(max_seconds=120)
        )
        found.search()
        return found.result()


def test_victim():
    """The orchestrator that reads prose runs the task again, for one reworded closing."""
    result = campaign(resolve_ticket.reads_prose, only=("reword",))
    assert [(f.code, str(f.plan)) for f in result.findings] == [("AF304", "model#3:reword")]
    assert result.findings[0].violation.subject == "read_ticket"


def test_survivor():
    """The one that reads receipts is exercised and holds."""
    result = campaign(resolve_ticket.reads_receipts, only=("reword",))
    assert result.findings == ()
    count = result.laws["text_has_no_authority"]
    assert count.held > 0 == count.violated


def test_other_faults_do_not_exercise_it():
    """A lost reply changes what the agent does, and rightly so."""
    agent, plan = resolve_ticket.reads_receipts, "send_answer#1:once/timeout"
    (found,) = [v for v in run(STORY, agent, plan).verdicts if v.law == LAW.name]
    assert found.status == "NOT_EXERCISED"
