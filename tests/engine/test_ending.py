"""Every claim is written down once, by whichever door it came."""

from typing import Any

import pytest

from agentfuzz import (
    Completion,
    ScenarioError,
    exactly_once,
    scenario,
    structured_termination,
)
from agentfuzz.core.events import Done
from world.stories import told


def shop(world):
    @world.tool(effect="payment", scope=("order_id",))
    def pay(order_id: str):
        return {"receipt": "r1"}


SHOP = scenario(
    exactly_once("payment"), structured_termination(), task="Pay A17.", max_crossings=6
)(shop)
PAID = Completion.success(handle="r1")


def returns(value: Any):
    return lambda world: value


def asynchronous(agent):
    async def wrapped(world):
        return agent(world)

    return wrapped


# completions


def test_a_returned_completion_is_a_completion_event(play):
    """Written down once, before the run ends."""
    history = play(SHOP, returns(PAID)).history
    assert told(history) == ["0 done success completed", "0 ended returned"]
    assert history.of(Done)[0].via == "return"


def test_a_completion_by_the_done_tool_and_returned_is_one(play):
    """A loop that hands on what it told the done tool has not completed twice."""

    def agent(world):
        assert world.tools.done(status="success", handle="r1") == {"ok": True}
        return PAID

    assert told(play(SHOP, agent).history, Done) == ["0 done success completed"]


@pytest.mark.parametrize(
    "other", [Completion.failed(), Completion.success(handle="r2"), Completion.success()]
)
def test_another_completion_than_by_the_done_tool_is_a_second_one(play, other):
    """Status, reason and handle are what a caller routes on."""

    def agent(world):
        world.tools.done(status="success", handle="r1")
        return other

    result = play(SHOP, agent)
    assert len(result.history.of(Done)) == 2
    assert "AF206" in {violation.code for violation in result.violations}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "Input should be"),
        ({"status": "finished"}, "Input should be"),
        ({"status": ["success"]}, "Input should be"),
        ({"status": "success", "reason": "tool_failed"}, "does not go with status"),
        ({"status": "success", "handle": 7}, "valid string"),
        ({"status": "success", "mood": "good"}, "unknown arguments: mood"),
    ],
)
def test_a_malformed_completion(play, arguments, problem):
    """The done tool says so, the event says so, and a mended one is the only valid one."""

    def agent(world):
        reply = world.tools.done(**arguments)
        assert not reply["ok"]
        assert problem in reply["error"]
        return world.tools.done(status="success")

    first, second = play(SHOP, agent).history.of(Done)
    assert problem in first.problem
    assert (second.status, second.problem) == ("success", "")


def test_the_done_tool_for_async_agents(play):
    """Awaited, with the same reply."""

    async def agent(world):
        return await world.tools.aio.done(status="success", handle="r1")

    history = play(SHOP, agent).history
    assert history.ended.value == {"ok": True}
    assert history.claim == "success"


def by_prose(value):
    return Completion.success() if "done" in str(value).lower() else None


@pytest.mark.parametrize(
    ("value", "claim"),
    [("All done!", "success"), ("Hm.", None), (PAID, "success"), (None, None)],
)
def test_outcome_maps_an_answer(play, value, claim):
    """Any return value to a Completion, or to none; a Completion is one already."""
    mapped = scenario(outcome=by_prose)(shop)
    assert play(mapped, returns(value)).history.claim == claim


def test_outcome_is_not_asked_after_the_done_tool(play):
    """The agent has spoken for itself."""

    def agent(world):
        world.tools.done(status="failed")
        return "all done"

    assert play(scenario(outcome=by_prose)(shop), agent).history.claim == "failed"


def fails(value):
    return value["status"]


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        (fails, r"outcome= of scenario 'shop' failed on 'text': TypeError"),
        (lambda value: "success", r"returned 'success'; it must return a Completion or None"),
    ],
)
@pytest.mark.parametrize("kind", [lambda a: a, asynchronous], ids=["sync", "async"])
def test_an_outcome_that_fails(play, kind, outcome, message):
    """The scenario's mistake, not the agent's: the run has no verdict."""
    with pytest.raises(ScenarioError, match=message):
        play(scenario(outcome=outcome)(shop), kind(returns("text")))
