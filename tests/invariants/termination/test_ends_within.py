"""`ends_within`: a run that gets nowhere for so many seconds, or turns, is over."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from agentfuzz import Completion, World, ends_within, scenario
from agentfuzz.core.errors import ScenarioError
from invariants.conversations import turn
from invariants.histories import (
    charge,
    charged,
    commit,
    cut_off,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    passes,
    prefix,
    raised,
    restarts,
    resumes,
    returned,
    strikes,
    tell,
    timeout,
    waits,
)
from invariants.loops.shopping import DONE, FAULTS, UNKNOWN, has_a_deadline, order, shop, talk

IN_TIME = ends_within(seconds=60)
IN_TURNS = ends_within(turns=2)
WITHIN = (
    resumes("duplicate", 2, "running"),
    *(passes(50), charged()) * 2,
    done(),
    resumes("back", 1),
)
JUMP = strikes("process:charge_card#1:clock_jump")


def test_broken():
    """AF215: nothing happens for longer than the time declared."""
    history = tell(charged(), passes(90), lookup(), timeout(), done("blocked"))
    assert judge(IN_TIME, history) == ["AF215 seconds: Replied#1 Called#2"]
    assert IN_TIME(history).violations[0].title == "no ending within 60 s"
    slow = tell(passes(61), charged(), done())
    assert judge(IN_TIME, slow) == ["AF215 seconds: Called#1 Called#1"]
    before_done = tell(charged(), passes(61), done())
    assert judge(IN_TIME, before_done) == ["AF215 seconds: Replied#1 Done#1"]
    before_the_end = tell(charged(), passes(61), returned("Charged."))
    assert judge(IN_TIME, before_the_end) == ["AF215 seconds: Replied#1 Ended#1"]
    nobody = tell(waits("tc_1"), strikes("approval:pay#1:never"), passes(61), cut_off("budget"))
    assert judge(IN_TIME, nobody) == ["AF215 seconds: Interrupted#1 Ended#1"]
    slow_tool = tell(charge(), passes(61), commit(), ok(), done())
    assert judge(IN_TIME, slow_tool) == ["AF215 seconds: Called#1 Delivered#1"]


def test_asking_for_ever():
    """AF215: the model is asked again and again, and nothing comes of it; the same answer to the
    same question is no progress."""
    assert judge(IN_TURNS, tell(turn(), turn(), turn(), done())) == [
        "AF215 turns: ModelTurn#1 ModelTurn#3"
    ]
    assert IN_TURNS(tell(*[turn()] * 3)).violations[0].title == "no ending within 2 turns"
    poll = (turn(), looked_up(body="running"))
    assert judge(IN_TURNS, tell(*poll * 5, done("blocked"))) == [
        "AF215 turns: Replied#1 ModelTurn#4"
    ]


@pytest.mark.parametrize("seconds", [60, 10_000])
def test_a_run_that_hangs(seconds):
    """AF215: there is no ending at all, whatever the time."""
    history = tell(charge(), cut_off("hung"))
    assert judge(ends_within(seconds=seconds), history) == ["AF215 run: Ended#1"]
    assert judge(IN_TURNS, history) == ["AF215 run: Ended#1"]
    assert IN_TURNS(history).violations[0].title == "waits for ever"


@pytest.mark.parametrize(
    "steps",
    [
        (passes(50), charged(), passes(50), looked_up(), passes(50), done()),
        (charged(), done(), passes(500), lookup(), timeout()),
        (charge(), timeout(), done("blocked"), passes(500), commit(of=1)),  # arrives late
        (charge(), timeout(), passes(500), commit(of=1), returned()),
        (charged(), restarts(), passes(50), charged(), passes(50), done()),
        (charged(), done("blocked"), passes(500), resumes("decision"), charged(), done()),
        (JUMP, passes(90_000), charged(), done()),
        (charge(), passes(90_000), JUMP, commit(), ok(), done()),
        (charge(), JUMP, commit(), passes(90_000), ok(), done()),
        (lookup(), *WITHIN, passes(40), ok(), done()),
        (charged(), raised("ValueError")),
        (turn(), turn(), charged(), turn(), turn(), done()),
        (turn(), turn(), looked_up(), turn(), looked_up(body="another"), turn(), turn(), done()),
    ],
)
def test_held(steps):
    """Progress begins the time anew, and so does a leg; what a fault skipped, what another leg
    took, and what arrives after the answer does not count."""
    assert judge(ends_within(seconds=60, turns=2), tell(*steps)) == "HELD"


def test_a_leg_of_its_own():
    """AF215: each leg has its time, whatever the others did."""
    history = tell(charged(), done("blocked"), resumes("follow_up"), passes(61), charged(), done())
    assert judge(IN_TIME, history) == ["AF215 seconds: Resumed#1 Called#2"]


def test_not_exercised():
    """Nothing has ended, and no time is up; or the budget came first."""
    assert judge(IN_TIME, prefix(charged())) == "NOT_EXERCISED"
    assert judge(IN_TIME, tell(charged(), cut_off("budget"))) == "NOT_EXERCISED"
    assert judge(IN_TIME, tell(charged(), cut_off("spinning"))) == "NOT_EXERCISED"
    over = prefix(passes(61), charged())
    assert judge(IN_TIME, over) == ["AF215 seconds: Called#1 Called#1"]
    assert judge(IN_TURNS, prefix()) == "NOT_EXERCISED"


@pytest.mark.parametrize("wrong", [{}, {"seconds": 0.0}, {"seconds": 5.0, "turns": 0}])
def test_needs_a_time(wrong):
    """A time that nobody declared, or that nobody could keep, is a mistake."""
    with pytest.raises(ScenarioError, match=r"declares no time .* ends_within\(seconds=60\)"):
        ends_within(**wrong)


# on whole loops


@scenario(task="Charge order A17.")
def hanging_order(world: World) -> None:
    """An order is charged, and a lost reply is never missed by itself."""
    shop.build(world)
    world.raise_as(timeout="hang")


async def waits_an_hour(world: World) -> Completion:
    """Victim: a failure is tried again when the other side has had time to recover."""
    for _ in range(3):
        try:
            await world.tools.aio.charge_card(order_id="A17")
            return DONE
        except FAULTS:
            await asyncio.sleep(3600)
    return UNKNOWN


async def waits_for_ever(world: World) -> Completion:
    """Victim: no deadline."""
    await world.tools.aio.charge_card(order_id="A17")
    return DONE


def asks_on(world: World) -> Completion:
    """Victim: a limit, and nothing that notices that nothing comes of it."""
    return talk(world, turns=12)


def asks_four_times(world: World) -> Completion:
    """Survivor."""
    return talk(world, turns=4)


HOUR = ends_within(seconds=600)
IN_FOUR = ends_within(turns=4)
SLOW = "charge_card#1:once/timeout"


def test_victim(found):
    """An hour is too long, and for ever as well; and so is turn after turn with nothing new."""
    assert found(HOUR, order, waits_an_hour) == [f"AF215 seconds: {SLOW}"]
    assert found(HOUR, hanging_order, waits_for_ever) == [
        f"AF203 run: {SLOW}",
        f"AF215 run: {SLOW}",
    ]
    assert found(IN_FOUR, shop, asks_on) == ["AF215 turns: model#1:loop"]


@pytest.mark.parametrize("story", [order, hanging_order])
def test_survivor(held, story):
    """Whether a lost reply is reported or not."""
    assert held(HOUR, story, has_a_deadline) > 10


@pytest.mark.slow
def test_a_model_that_is_not_asked_for_ever(held):
    """Nothing new in four turns is the end."""
    assert held(IN_FOUR, shop, asks_four_times) > 50


def test_untested(untested):
    """A run that its budget stops before its time is up has not been judged."""

    def never_ends(world: World) -> None:
        while True:
            with suppress(*FAULTS):
                world.tools.charge_card(order_id="A17")

    short = replace(order, max_crossings=20)
    assert untested(HOUR, short, never_ends, alone=True, exclude=("timeout",)) == [
        "AF802 ends_within(seconds=600) was never exercised"
    ]
