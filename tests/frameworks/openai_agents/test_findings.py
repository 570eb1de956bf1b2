"""What the SDK's default loop does under faults, and how it is set up so that it does not."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("agents")

from agentfuzz import Run, known_input, run
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.openai_agents import ADAPTER
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import Called, ModelInput, ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

from .variants import VARIANTS


def played(name: str, entrypoint: str, plan: str = "", *laws: Any, **options: Any) -> Run:
    chosen = situation(ADAPTER, name)
    story = replace(chosen.scenario, invariants=(*chosen.scenario.invariants, *laws))
    return run(story, agent(ADAPTER, entrypoint, **{**chosen.words, **options}), plan)


def codes(found: Run) -> list[str]:
    return [violation.code for violation in found.violations]


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
def test_a_failure_after_the_effect_is_repeated(entrypoint: str) -> None:
    """The default text of a failed tool asks for another try; a key for each intent makes it
    harmless."""
    plan = "charge_card#1:once/timeout"
    assert codes(played("one_by_one", entrypoint, plan)) == ["AF101"]
    assert codes(played("one_by_one", entrypoint, plan, **VARIANTS["keyed"]())) == []


def test_a_tool_that_ends_the_run() -> None:
    """With `failure_error_function=None` nothing is repeated: its user is told."""
    found = played("one_by_one", "run", "charge_card#1:once/timeout", **VARIANTS["fatal"]())
    assert codes(found) == []
    assert found.history.ended is not None
    assert (found.history.ended.how, found.history.ended.error) == ("raised", "UserError")


def test_a_blank_reply_is_an_answer() -> None:
    """A turn without a word and without a call ends the run, unless a guardrail looks at it."""
    assert codes(played("alone", "run", "model#1:empty")) == ["AF209"]
    assert codes(played("alone", "run", "model#1:empty", **VARIANTS["guarded"]())) == []


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
def test_a_reply_that_was_cut_off_at_the_token_limit(entrypoint: str) -> None:
    """Over Chat Completions it is the answer; all else raises."""
    found = played("alone", entrypoint, "model#2:truncated")
    if entrypoint.startswith("chat"):
        assert codes(found) == ["AF208"]
    else:
        assert codes(found) == []
        assert found.history.ended is not None
        assert found.history.ended.error == "ModelBehaviorError"


def test_a_stream_that_ends_early() -> None:
    """Of OpenAI's own server a finish reason is asked for, of others not."""
    assert codes(played("alone", "chat_stream", "model#2:cut")) == []
    found = played("alone", "chat_stream", "model#2:cut", **VARIANTS["compatible"]())
    assert codes(found) == ["AF208"]


@pytest.mark.parametrize("entrypoint", ["chat", "responses", "responses_stream"])
def test_the_client_s_retries_are_turns_of_the_model(entrypoint: str) -> None:
    """OpenAI's client asks again by itself, twice; the SDK's model sees nothing of it."""

    def turns(**options: Any) -> list[str]:
        history = played("alone", entrypoint, "model#1:rate_limited", **options).history
        return [turn.stop for turn in history.of(ModelTurn)]

    assert turns() == ["error", "tool_calls", "end"]
    assert turns(max_retries=0) == ["error"]


def test_nothing_is_added_to_what_was_said() -> None:
    """What a model is shown was said, or answered, or declared, also behind a handoff."""
    assert codes(played("handed_over", "run", "", known_input())) == []


def test_an_error_is_told_without_its_cause() -> None:
    """The text of a failed tool says that there was an error, and no more."""
    found = played("alone", "run", "ship#1:lost/error")
    assert codes(found) == []
    [_, told, *_] = found.history.of(ModelInput)
    assert told.messages[-1].text == "An error occurred while running the tool. Please try again."


@pytest.mark.slow
def test_a_key_for_each_intent_holds() -> None:
    """Under every plan with one fault, with two, and with a burst: nothing is broken."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, "run", **{**chosen.words, **VARIANTS["careful"]()})
    with Simulation() as simulation:
        budget = Budget(max_runs=250, depth=2, deep_runs=0)
        campaign = Campaign(chosen.scenario, loop, simulation, budget=budget)
        campaign.search()
        result = campaign.result()
    assert {found.code: str(found.plan) for found in result.findings} == {}


def test_a_call_is_made_under_its_id() -> None:
    """What was approved is made once, under the id that was approved."""
    history = played("approved", "stream").history
    asked = [call.asked for call in history.of(Called)]
    assert len(asked) == len(set(asked)) == 3


def test_a_request_after_one_that_failed_while_it_was_resumed() -> None:
    """It is a new one: what waited is decided, and is not resumed again."""
    plan = "ship#1:lost/error"
    history = played("approved_recalled", "run", plan, **VARIANTS["fatal"]()).history
    asked = [given.messages[-1].text for given in history.of(ModelInput)]
    assert "And what did you do for order A17?" in asked
    made = [call.asked for call in history.of(Called)]
    assert len(made) == len(set(made))
