"""`no_stuck_repeats`: nobody makes one call again and again for the same reply."""

import asyncio
import time

import pytest

from agentfuzz import Completion, no_stuck_repeats, run, scenario
from invariants.conversations import asks, under
from invariants.histories import (
    charged,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    passes,
    reply,
    restarts,
    resumes,
    strikes,
    tell,
    timeout,
)
from invariants.loops.billing import FAULTS, billing, waits
from invariants.support import EVERY_SEED, judged_by

AT_ONCE = passes(-1)  # takes back the second of the next event


def polled(times, body="pending", between=AT_ONCE):
    """So many look-ups with the same answer, each right after the one before."""
    return [looked_up(body=body), *[between, looked_up(body=body)] * (times - 1)]


def test_held():
    """Repeats are fine while something changes: the arguments, the reply, or the tool."""
    assert judge(no_stuck_repeats(), tell(*[looked_up()] * 3, done())) == "HELD"
    assert judge(no_stuck_repeats(), tell(*(looked_up(body=n) for n in range(9)))) == "HELD"
    assert judge(no_stuck_repeats(), tell(*(looked_up(str(n)) for n in range(9)))) == "HELD"
    mixed = [looked_up(), looked_up(), charged()]
    assert judge(no_stuck_repeats(), tell(*mixed, *mixed, *mixed)) == "HELD"


def test_broken():
    """AF207: the same call and the same reply k times, and then the same call again."""
    history = tell(*polled(4), done())
    assert judge(no_stuck_repeats(), history) == [
        "AF207 lookup: Called#1 Called#2 Called#3 Called#4"
    ]
    assert judge(no_stuck_repeats(k=1), history) == ["AF207 lookup: Called#1 Called#2"]
    assert judge(no_stuck_repeats(k=4), history) == "HELD"
    charges = [charged(), *[AT_ONCE, charged()] * 3]
    assert no_stuck_repeats()(tell(*charges)).violations[0].title == (
        "charge_card 3x same call and reply"
    )


@pytest.mark.parametrize(
    "odd", [timeout(), reply("applied", "pend", complete=False)], ids=["raised", "cut off"]
)
def test_ignores_replies_that_are_none(odd):
    """A reply that raised or was cut off starts the count again: `bounded` judges retries."""
    polls = [looked_up(), looked_up(), lookup(), odd]
    assert judge(no_stuck_repeats(), tell(*polls, *polls, *polls)) == "HELD"


@pytest.mark.parametrize("wait", [0.1, 1, 3600])
def test_whoever_waits_is_not_stuck(wait):
    """A poller lets time pass between an answer and its next question; less than a
    twentieth of a second is none."""
    assert judge(no_stuck_repeats(), tell(*polled(9, between=passes(wait - 1)))) == "HELD"
    hasty = judge(no_stuck_repeats(), tell(*polled(4, between=passes(0.04 - 1))))
    assert hasty == ["AF207 lookup: Called#1 Called#2 Called#3 Called#4"]
    late = [lookup(), passes(60), ok("pending"), AT_ONCE]  # the tool took its time, not the loop
    assert judge(no_stuck_repeats(), tell(*late * 4)) == [
        "AF207 lookup: Called#1 Called#2 Called#3 Called#4"
    ]


@pytest.mark.parametrize("kind", ["truncated", "ambiguous", "malformed", "wrong", "hostile"])
def test_an_answer_that_leaves_doubt_may_be_asked_for_again(kind):
    """Not the backend's own answer: it starts the count again."""
    forged = [lookup(), strikes(f"lookup#3:once/{kind}"), ok("pending"), AT_ONCE]
    polls = [*polled(2), AT_ONCE, *forged, *polled(2)]
    assert judge(no_stuck_repeats(), tell(*polls)) == "HELD"


@pytest.mark.parametrize("leg", [restarts(), resumes("follow_up")])
def test_each_leg_counts_for_itself(leg):
    """Whoever begins anew may ask what was asked before, and at once: two and two are no four."""
    anew = (passes(-5), leg)
    assert judge(no_stuck_repeats(), tell(*polled(2), *anew, *polled(2))) == "HELD"
    assert judge(no_stuck_repeats(), tell(*polled(2), *anew, *polled(4))) == [
        "AF207 lookup: Called#3 Called#4 Called#5 Called#6"
    ]
    assert judge(no_stuck_repeats(), tell(looked_up(), *anew, looked_up())) == "NOT_EXERCISED"


def test_a_fan_out_repeats_nothing():
    """Calls side by side, and calls of one turn under an id each, were asked for before the
    answers came; one call a turn is a question again."""
    look = ("lookup", {"order_id": "A17"})
    ids = [f"tc_{n}" for n in range(1, 6)]
    turn = [asks(*((name, *look) for name in ids)), *(under(name, looked_up()) for name in ids)]
    assert judge(no_stuck_repeats(), tell(*hurried(turn))) == "HELD"
    beside = [*[lookup()] * 5, *(reply("applied", "ok", of=n) for n in range(1, 6))]
    assert judge(no_stuck_repeats(), tell(*hurried(beside))) == "HELD"
    turns = [step for name in ids for step in (asks((name, *look)), under(name, looked_up()))]
    assert judge(no_stuck_repeats(), tell(*hurried(turns))) == [
        "AF207 lookup: Called#1 Called#2 Called#3 Called#4"
    ]


def hurried(steps):
    """The same, in no time at all."""
    return [step for one in steps for step in (passes(-1.01), one)]


def test_leaves_retries_and_open_calls_alone():
    """Four timeouts alike, or four calls that were never answered, are no four replies alike."""
    for polls in ([lookup(), timeout()], [lookup()]):
        assert judge(no_stuck_repeats(), tell(*polls * 4, looked_up(), looked_up())) == "HELD"


def test_not_exercised():
    """No tool was called twice in a row."""
    assert judge(no_stuck_repeats(), tell(looked_up(), charged(), looked_up())) == "NOT_EXERCISED"


# on whole loops


def test_victim(found):
    """Looks six times for what was lost."""
    assert found(no_stuck_repeats(), billing(), waits(6), **EVERY_SEED) == [
        "AF207 find: charge#1:lost/timeout"
    ]


@scenario(task="Wait until the job is over.")
def job(world):
    """A job that takes a hundred seconds."""

    @world.tool
    def status(job: str) -> dict:
        return {"job": job, "state": "finished" if world.clock.now > 100 else "running"}


OVER = {"job": "j", "state": "finished"}


def polls(pause):
    """Asks, and pauses: `pause(nth)` seconds."""

    def agent(world):
        for nth in range(30):
            try:
                if world.tools.status(job="j") == OVER:
                    return Completion.success(handle="j")
            except FAULTS:
                pass
            time.sleep(pause(nth))
        return Completion.blocked(reason="outcome_unknown", handle="j")

    return agent


async def polls_beside_others(world):
    """Asks while other tasks sleep."""

    async def ticks():
        while True:
            await asyncio.sleep(1.1)

    other = asyncio.ensure_future(ticks())
    try:
        async with asyncio.timeout(300):
            while True:
                try:
                    if await world.tools.aio.status(job="j") == OVER:
                        return Completion.success(handle="j")
                except FAULTS:
                    pass
                await asyncio.sleep(5)
    except TimeoutError:
        return Completion.blocked(reason="outcome_unknown", handle="j")
    finally:
        other.cancel()


HONEST = [polls(lambda nth: 20), polls(lambda nth: 2**nth / 4), polls_beside_others]


def test_survivor(held):
    """Looks three times."""
    assert held(no_stuck_repeats(), billing(), waits(3), **EVERY_SEED) > 0


@pytest.mark.parametrize("poller", HONEST, ids=["steadily", "backing off", "beside others"])
def test_pollers_that_wait(held, poller):
    """Twenty seconds, twice as long each time, five seconds beside a task that ticks."""
    assert held(no_stuck_repeats(), job, poller, depth=1) > 0


def test_a_poller_that_does_not_wait(simulation):
    """Victim: time stands still for it."""
    judged = judged_by(no_stuck_repeats(), job)
    found = run(judged, polls(lambda nth: 0), simulation=simulation).violations
    assert [violation.code for violation in found] == ["AF207"]
