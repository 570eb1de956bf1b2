"""`retry_budget`: all layers together try one call only so often."""

import asyncio

import pytest

from agentfuzz import retry_budget, run, scenario
from agentfuzz.core.errors import ScenarioError
from agentfuzz.scenarios import retry_storm
from invariants.conversations import asks, under
from invariants.histories import (
    call,
    charge,
    charged,
    commit,
    done,
    judge,
    looked_up,
    lookup,
    ok,
    refuse,
    reply,
    restarts,
    resumes,
    ship,
    tell,
    timeout,
)
from invariants.support import judged_by

LAW = retry_budget()
TRY = (charge(), timeout())


LOST = [reply("unknown", raised="TimeoutError", of=n) for n in range(1, 11)]
GATHERED = (*[charge()] * 5, *LOST[:5])  # five at once, and each of them once more
GATHERED_AGAIN = (*[charge()] * 5, *LOST[5:])
FAN_OUT = asks(*(f"tc_{n}" for n in range(1, 8)))


def sent(*ids):
    """A call that fails under each id, one after the other."""
    return [step for name in ids for step in (under(name, charge()), timeout())]


TRIED = sent(*(f"tc_{n}" for n in range(1, 8)))


def test_broken():
    """AF217: three attempts in each of three layers are nine."""
    history = tell(*TRY * 9, done("blocked"))
    assert judge(LAW, history) == ["AF217 charge_card: Called#1 Called#2 Called#3 Called#4"]
    assert LAW(history).violations[0].title == "charge_card tried 9x, budget 3"
    assert judge(retry_budget(attempts=9), history) == "HELD"
    assert judge(retry_budget(attempts=1), tell(*TRY * 2)) == [
        "AF217 charge_card: Called#1 Called#2"
    ]


def test_another_key_is_no_other_call():
    """AF217: an attempt with a fresh key is an attempt; and a look-up has a budget, too."""

    def keyed(key):
        return call("charge_card", key, order_id="A17", idempotency_key=key)

    tries = [step for key in "abcd" for step in (keyed(key), timeout())]
    assert judge(LAW, tell(*tries)) == ["AF217 charge_card: Called#1 Called#2 Called#3 Called#4"]
    reads = (lookup(), timeout()) * 4
    assert judge(LAW, tell(*reads)) == ["AF217 lookup: Called#1 Called#2 Called#3 Called#4"]
    waits = (charge(), reply("in_flight", "accepted")) * 4
    assert judge(LAW, tell(*waits)) == ["AF217 charge_card: Called#1 Called#2 Called#3 Called#4"]


@pytest.mark.parametrize(
    "steps",
    [
        (*TRY * 2, charged()),
        (*TRY * 2, charged(), *TRY * 3),  # answered in between
        (*TRY * 3, restarts(), *TRY * 3),
        (*TRY * 3, resumes("follow_up"), *TRY * 3),
        (*TRY * 2, ship(), timeout(), charge("B18"), timeout(), *TRY),
        (*[looked_up()] * 9, *TRY),  # a poll that is answered each time
        (*[charge()] * 5, reply("unknown", raised="TimeoutError", of=1), charged()),
        (*GATHERED, *GATHERED_AGAIN),
        (FAN_OUT, *TRIED),
        (FAN_OUT, *TRIED, asks("tc_9"), under("tc_9", charge()), timeout()),
        (charge(), refuse("tool_raised")),
    ],
)
def test_held(steps):
    """Each success, each leg and each other call begins a count of its own; and calls side by
    side are not attempts at one another."""
    assert judge(LAW, tell(*steps, done("blocked"))) == "HELD"


def test_a_fan_out_that_is_tried_again():
    """AF217: each wave of calls side by side is one attempt, and so is each turn; four of them
    are four."""
    waves = [
        *(charge(), charge(), reply("unknown", raised="TimeoutError", of=1)),
        *(reply("unknown", raised="TimeoutError", of=2), *TRY * 3),
    ]
    assert judge(LAW, tell(*waves)) == ["AF217 charge_card: Called#2 Called#3 Called#4 Called#5"]
    turns = [(asks(*ids), *sent(*ids)) for ids in ("ab", "cd", "ef", "gh")]
    history = tell(*(step for turn in turns for step in turn))
    assert judge(LAW, history) == ["AF217 charge_card: Called#2 Called#4 Called#6 Called#7"]
    layers = (asks("a", "b"), *sent("a") * 4, *sent("b"))
    assert judge(LAW, tell(*layers)) == ["AF217 charge_card: Called#1 Called#2 Called#3 Called#4"]


def test_another_wording_is_no_other_call():
    """AF217: an attempt at one intent, in whatever words; other words of a look-up are another."""
    words = [s for n in range(4) for s in (call("charge_card", order_id="A17", note=n), timeout())]
    assert judge(LAW, tell(*words)) == ["AF217 charge_card: Called#1 Called#2 Called#3 Called#4"]
    looks = [step for n in range(4) for step in (call("lookup", page=n), timeout())]
    assert judge(LAW, tell(*looks)) == "HELD"


ASKED = asks("tc_1")
SENT = under("tc_1", charge())


def test_the_factor():
    """AF217: called more often than the factor allows for each time that the model asked."""
    history = tell(ASKED, SENT, timeout(), SENT, timeout(), SENT, commit(), ok(), done())
    assert judge(LAW, history) == "HELD"
    assert judge(retry_budget(factor=3), history) == "HELD"
    assert judge(retry_budget(factor=2), history) == [
        "AF217 charge_card factor: Called#1 Called#2 Called#3"
    ]
    found = retry_budget(factor=2)(history).violations[0]
    assert found.title == "charge_card 3x for 1, factor 2"
    again = tell(ASKED, SENT, timeout(), asks("tc_2"), under("tc_2", charge()), timeout())
    assert judge(retry_budget(factor=1), again) == "HELD"


def test_the_factor_over_legs():
    """AF217: what is spread over legs is one run's all the same."""
    tried = (SENT, timeout()) * 2
    history = tell(ASKED, *tried, restarts(), *tried)
    assert judge(retry_budget(factor=3), history) == [
        "AF217 charge_card factor: Called#1 Called#2 Called#3 Called#4"
    ]


def test_the_factor_counts_what_was_asked_for():
    """A loop's own look-ups, and calls that did not fail, are not held against it."""
    own = (lookup(), timeout()) * 3
    assert judge(retry_budget(factor=1), tell(ASKED, SENT, timeout(), *own)) == "HELD"
    twice = (ASKED, under("tc_1", charged()), under("tc_1", charged()), *own)
    assert judge(retry_budget(factor=1), tell(*twice)) == "HELD"


def test_not_exercised():
    """No call failed."""
    assert judge(LAW, tell(done())) == "NOT_EXERCISED"
    assert judge(LAW, tell(*[charged()] * 5, done())) == "NOT_EXERCISED"


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"factor": 0.5}])
def test_a_budget_that_nobody_could_keep(wrong):
    """The first attempt counts."""
    with pytest.raises(ScenarioError, match="the first attempt counts"):
        retry_budget(**wrong)


# on whole loops


STORM = retry_storm.retry_storm
ONE_LOSS = "get_quote#1:once/error"


FOR_GOOD = {
    retry_storm.client_times_model: "book_freight#1-3:once/timeout",
    retry_storm.model_times_supervisor: "get_quote#1-2:once/ambiguous",
}


@pytest.mark.parametrize("victim", list(retry_storm.VICTIMS))
def test_victim(found, simulation, victim):
    """One lost reply is enough for nine attempts; several are, where one is made good."""
    law = retry_budget(attempts=3)
    assert found(law, STORM, victim) == [
        f"AF217 get_quote: {ONE_LOSS}",
        f"AF217 book_freight: {FOR_GOOD[victim]}",
    ]
    verdicts = run(judged_by(law, STORM), victim, ONE_LOSS, simulation=simulation).verdicts
    assert verdicts[-1].violations[0].title == "get_quote tried 9x, budget 3"


def test_a_client_that_multiplies_what_is_asked(found):
    """Three calls for each that the model asks for; or one for each, however often it is asked."""
    law = retry_budget(attempts=200, factor=2)
    assert found(law, STORM, retry_storm.client_times_model) == [
        f"AF217 get_quote factor: {ONE_LOSS}",
        "AF217 book_freight factor: book_freight#1-2:once/timeout",
    ]
    assert found(law, STORM, retry_storm.model_times_supervisor) == []


@pytest.mark.slow
def test_survivor(held):
    """One budget for all layers: whoever asks, and however often."""
    assert held(retry_budget(attempts=3), STORM, retry_storm.one_budget, one_in=1) > 1000


def one_by_one(world):
    """A plain loop: what the model asks for is executed, call after call, and its errors told."""
    messages = [{"role": "user", "content": world.task}]
    for _ in range(6):
        turn = world.model(messages)
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        for one in turn["tool_calls"]:
            try:
                text = str(world.call(one["name"], one["arguments"], asked=one["id"]))
            except (TimeoutError, ConnectionError) as error:
                text = f"error: {error}"
            messages.append({"role": "tool", "tool_call_id": one["id"], "content": text})
    return None


async def side_by_side(world):
    """The same, with the calls of a turn at once."""

    async def result(one):
        try:
            text = str(await world.acall(one["name"], one["arguments"], asked=one["id"]))
        except (TimeoutError, ConnectionError) as error:
            text = f"error: {error}"
        return {"role": "tool", "tool_call_id": one["id"], "content": text}

    messages = [{"role": "user", "content": world.task}]
    for _ in range(6):
        turn = await world.model.aio(messages)
        messages.append(turn)
        if not turn["tool_calls"]:
            return turn["content"]
        messages += await asyncio.gather(*map(result, turn["tool_calls"]))
    return None


@pytest.mark.parametrize("loop", [one_by_one, side_by_side])
def test_fan_outs_of_a_model(loop, simulation):
    """Fifty calls asked for at once, of which several in a row fail: none is a retry."""

    @scenario(LAW, task="Charge A17.", script=[("charge", {"order": "A17"}), "Charged."])
    def story(world):
        @world.tool(effect="charge", scope=("order",))
        def charge(order: str) -> str:
            return "ch_1"

    for first in (1, 44, 47):
        lost = " + ".join(f"charge#{nth}:once/error" for nth in range(first, first + 4))
        found = run(story, loop, f"model#1:fan_out + {lost}", simulation=simulation)
        assert [v.title for v in found.violations if v.code == "AF217"] == []


def test_untested(untested):
    """Nothing fails: a model that closes badly costs no attempt."""
    agent, only = retry_storm.client_times_model, ("no_done", "bad_done", "double_done")
    assert untested(retry_budget(attempts=3), STORM, agent, only=only) == [
        "AF802 retry_budget(attempts=3) was never exercised"
    ]
