"""The OpenAI Agents SDK in a world: its own defaults decide what a fault does."""

import json
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import Agent, Runner, StopAtTools
from agents.items import ToolCallOutputItem

from agentfuzz import Completion, World, adapters, run, scenario
from agentfuzz.runtime.clock import Real

from .shop import (
    Says,
    again,
    attempts,
    by_intent,
    charge_and_tell,
    charge_order,
    charge_slowly,
    charge_two,
    charged,
    findings,
    saying,
    with_budget,
)

oa = adapters.openai_agents


def build(world: World, key: Any = None, **options: Any) -> Any:
    tools = oa.tools(world, key=key)
    return Agent(name="billing", model=oa.model(world), tools=tools, **options)


def runner(key: Any = None, **options: Any) -> Any:
    async def agent(world: World) -> Any:
        result = await Runner.run(build(world, key, **options), world.task)
        return oa.outcome(result) or result.final_output

    return agent


async def streamed(world: World) -> Any:
    result = Runner.run_streamed(build(world), world.task)
    async for _ in result.stream_events():
        pass
    return result.final_output


def in_sync(world: World) -> Any:
    return Runner.run_sync(build(world), world.task).final_output


async def careful(world: World) -> Completion:
    """A survivor: the key is minted per intent, and the claim rests on a receipt."""
    result = await Runner.run(build(world, by_intent), world.task)
    for item in result.new_items:
        if isinstance(item, ToolCallOutputItem):
            try:
                return Completion.success(handle=json.loads(item.output)["charge_id"])
            except (ValueError, TypeError, KeyError):
                continue
    return Completion.blocked(reason="outcome_unknown")


@pytest.mark.parametrize("agent", [runner(), streamed, in_sync], ids=["run", "stream", "sync"])
def test_without_faults(agent: Any) -> None:
    """One commit, one structured completion, no violation."""
    result = run(charge_order, agent)
    assert attempts(result.history) == [("tc_1", "A17")]
    assert charged(result.history) == ["A17"]
    assert result.history.claim == "success"
    assert result.violations == ()


@pytest.mark.parametrize("agent", [runner(), streamed, in_sync], ids=["run", "stream", "sync"])
def test_parallel_calls_come_in_the_order_of_the_model(agent: Any) -> None:
    """The first call asked for is the first made."""
    history = run(charge_two, agent).history
    assert attempts(history) == [("tc_1", "A17"), ("tc_2", "B18")]


@pytest.mark.parametrize("agent", [runner(), streamed, in_sync], ids=["run", "stream", "sync"])
@pytest.mark.parametrize("fault", ["timeout", "error", "rate_limited", "truncated"])
def test_an_error_is_a_message_that_invites_a_repeat(agent: Any, fault: str) -> None:
    """By default the SDK tells the model to try again; it does, with a fresh id."""
    result = run(charge_order, agent, f"charge_card#1:once/{fault}")
    assert attempts(result.history) == [("tc_1", "A17"), ("tc_2", "A17")]
    assert charged(result.history) == ["A17", "A17"]
    assert [violation.code for violation in result.violations] == ["AF101"]


@pytest.mark.parametrize("fault", ["ambiguous", "malformed", "wrong", "hostile"])
def test_a_damaged_reply_is_a_message(fault: str) -> None:
    """A reply is a reply: what it makes the model do is the model's affair."""
    result = run(charge_order, runner(), f"charge_card#1:once/{fault}")
    assert charged(result.history) == ["A17"]


@pytest.mark.parametrize(("key", "times"), [(None, 2), ("call_id", 2), (by_intent, 1)])
def test_only_a_key_per_intent_helps(key: Any, times: int) -> None:
    """A retry of the model has a new call id: a key made of it is a new key."""
    plan = "charge_card#1:once/timeout"
    result = run(charge_order, runner(key), plan)
    assert charged(result.history) == ["A17"] * times
    assert len(attempts(result.history)) == 2


def test_the_model_is_not_shown_a_key_that_the_loop_mints() -> None:
    """The schema loses idempotency_key exactly when `key` is given."""
    shown = {}

    def agent(world: World) -> None:
        for key in (None, by_intent):
            schema: Any = oa.tools(world, key=key)[0]
            shown[key] = set(schema.params_json_schema["properties"])

    run(charge_order, agent)
    assert shown[None] - shown[by_intent] == {"idempotency_key"}


def test_the_default_agent_breaks() -> None:
    """What a campaign of one fault finds in an Agent with default settings."""
    found = findings(charge_order, runner())
    assert found["AF101"] == "charge_card#1:once/timeout"
    assert found["AF102"] == "charge_card#1:twice"
    assert found["AF103"] == "charge_card#1:lost/ambiguous"
    assert found["AF204"] == "model#2:no_done"


def test_the_call_id_as_key_stops_a_double_delivery_only() -> None:
    """AF102 is gone, AF101 is not."""
    found = findings(charge_order, runner("call_id"))
    assert "AF102" not in found
    assert "AF101" in found


def test_a_careful_agent_survives() -> None:
    """A key per intent and a claim that rests on a receipt: no plan with one fault breaks it."""
    assert findings(charge_and_tell, careful) == {}


def test_a_model_that_lies_about_its_work_is_believed() -> None:
    """An agent that stops at the done tool, key and all, takes the model's word for it."""
    stops = runner(by_intent, tool_use_behavior=StopAtTools(stop_at_tool_names=["done"]))
    found = findings(charge_order, stops)
    assert found["AF103"] == "model#1:skip"
    assert found["AF204"] == "model#2:no_done"
    assert "AF101" not in found


@pytest.mark.parametrize("agent", [runner(), streamed], ids=["run", "stream"])
def test_the_same_plan_gives_the_same_history(agent: Any) -> None:
    """Nothing in a history depends on addresses or the time of day."""
    plan = "charge_card#1:once/timeout + charge_card#2:once/error"
    first, *others = again(charge_two, agent, plan, 5)
    assert all(other.events == first.events for other in others)


def test_no_real_time_passes() -> None:
    """Thirty virtual seconds until a timeout, and hardly any real ones."""
    started = Real.monotonic()
    plan = "charge_card#1:once/timeout"
    ended = run(charge_order, runner(), plan).history.ended
    assert ended is not None
    assert ended.t >= 30
    assert Real.monotonic() - started < 30


def test_an_unknown_tool_ends_the_run() -> None:
    """The SDK's default: the model misbehaved, and nobody tells it."""
    agent = saying(Says([("c1", "refund", {})]), runner())
    ended = run(charge_order, agent).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("raised", "ModelBehaviorError")


@pytest.mark.parametrize(
    "arguments", ['{"order_id": "A17"', "[1]", {"order_id": "A17", "amount": "many"}]
)
def test_malformed_arguments_are_a_message(arguments: Any) -> None:
    """No JSON, no object, or what does not fit: the model is told to try again."""
    model = Says([("c1", "charge_card", arguments)], "Sorry.")
    history = run(charge_order, saying(model, runner())).history
    assert charged(history) == []
    shown = model.shown[1][-1]
    assert shown["tool_call_id"] == "c1"
    assert "error occurred" in shown["content"]
    assert "is_error" not in shown


def test_an_async_tool() -> None:
    """A tool whose own function is async is awaited."""
    assert charged(run(charge_slowly, runner()).history) == ["A17"]


@pytest.mark.parametrize("budget", [1, 2], ids=["at a tool", "at the model"])
@pytest.mark.parametrize("agent", [runner(), streamed, in_sync], ids=["run", "stream", "sync"])
def test_the_end_of_the_budget_ends_the_run(agent: Any, budget: int) -> None:
    """It passes through a runner as it is."""
    ended = run(with_budget(budget), agent).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("cut_off", "budget")


def test_a_typed_output_is_the_outcome() -> None:
    """A Completion as final output counts; prose does not."""

    @scenario(task="Nothing.", script=['{"status": "success", "reason": "nothing_to_do"}'])
    def nothing(world: World) -> None:
        pass

    typed = runner(output_type=Completion)
    assert run(nothing, typed).history.claim == "success"
    assert run(nothing, runner()).history.claim is None
    assert oa.outcome("All done!") is None
