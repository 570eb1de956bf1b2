"""What is found in Pydantic AI's own loop, and a careful one that holds."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("pydantic_ai")

from pydantic_ai import Agent

from agentfuzz import World, adapters, at_most_once, known_input, run, scenario
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.pydantic_ai import ADAPTER
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.core.history import History
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign

from .variants import VARIANTS, by_intent


def codes(name: str, entrypoint: str, plan: str, variant: str = "") -> set[str]:
    """What a plan breaks in a situation."""
    return {violation.code for violation in played(name, entrypoint, plan, variant).violations}


def played(name: str, entrypoint: str, plan: str, variant: str = "") -> Any:
    chosen = situation(ADAPTER, name)
    options = VARIANTS[variant]() if variant else {}
    return run(chosen.scenario, agent(ADAPTER, entrypoint, **chosen.words, **options), plan)


def how(history: History) -> str:
    """How a run ended."""
    assert history.ended is not None
    return history.ended.how


@pytest.mark.parametrize(
    ("name", "entrypoint", "plan", "code", "cure"),
    [
        ("siblings", "chat", "model#2:truncated", "AF208", "whole_replies"),
        ("alone", "stream", "model#2:cut", "AF208", "finish_reason_required"),
        ("conversation", "chat", "ship#1:lost/error", "AF412", "soft_failures"),
        ("alone", "chat", "ship#1:once/truncated", "AF101", "key_by_intent"),
    ],
)
def test_a_default_and_its_cure(
    name: str, entrypoint: str, plan: str, code: str, cure: str
) -> None:
    """The law is broken under one fault, without any it holds, and so it does with the option."""
    assert code in codes(name, entrypoint, plan)
    assert codes(name, entrypoint, "") == set()
    assert code not in codes(name, entrypoint, plan, cure)


def test_the_first_text_is_the_output_of_a_stream() -> None:
    """run_stream ends with what was said beside a call; a run with a handler goes on."""
    assert codes("alone", "stream", "model#1:mixed_done") == {"AF303"}
    assert codes("alone", "events", "model#1:mixed_done") == set()


def test_the_client_asks_again_by_itself() -> None:
    """Each request that the client repeats after a 429 is a turn, unless it may not repeat it."""
    history = played("alone", "chat", "model#1:rate_limited").history
    assert (len(history.of(ModelTurn)), how(history)) == (3, "returned")
    history = played("alone", "chat", "model#1:rate_limited", "no_client_retries").history
    assert (len(history.of(ModelTurn)), how(history)) == (1, "raised")


def test_an_empty_reply_is_answered_in_nobodys_words() -> None:
    """The prompt to try again is the framework's, and a user message to the model."""
    chosen = situation(ADAPTER, "alone").scenario
    told = replace(chosen, invariants=(*chosen.invariants, known_input()))
    assert not run(told, agent(ADAPTER, "chat")).violations
    found = run(told, agent(ADAPTER, "chat"), "model#1:empty").violations
    assert [violation.code for violation in found] == ["AF416"]


def test_a_tool_that_fails_softly_is_asked_for_again_within_its_retries() -> None:
    """ModelRetry is shown to the model once by default, and then it ends the run."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, "chat", failures="soft")
    history = run(chosen.scenario, loop, "ship#1-2:lost/error").history
    assert (len(history.of(Called)), how(history)) == (2, "raised")
    more = agent(ADAPTER, "chat", failures="soft", **VARIANTS["retries"]())
    history = run(chosen.scenario, more, "ship#1-2:lost/error").history
    assert (len(history.of(Called)), how(history)) == (3, "returned")


@scenario(
    at_most_once("shipment"), task="Ship order A17.", script=[("ship", {"order_id": "A17"}), "Ok."]
)
def shipping(world: World) -> None:
    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str) -> str:
        return f"p_{order_id}"


def test_the_parts_are_for_an_agent_of_ones_own() -> None:
    """A user's own agent, with the world's model and tools."""

    async def own(world: World) -> Any:
        tools = adapters.pydantic_ai.tools(world, key=by_intent)
        mine = Agent(adapters.pydantic_ai.model(world, api="anthropic"), tools=tools)
        result = await mine.run(world.task)
        return adapters.pydantic_ai.outcome(result) or result.output

    assert not run(shipping, own, "ship#1:once/truncated").violations


@pytest.mark.slow
def test_a_careful_loop_holds() -> None:
    """With a key for each intent, and no reply acted on that is not whole, no plan of one fault,
    burst or outage breaks a law, and no pair of the first ones."""
    chosen = situation(ADAPTER, "alone")
    with Simulation() as simulation:
        loop = agent(ADAPTER, "chat", key=by_intent, **VARIANTS["whole_replies"]())
        budget = Budget(max_runs=220, max_seconds=600, depth=2, deep_runs=0)
        campaign = Campaign(chosen.scenario, loop, simulation, budget=budget)
        campaign.search()
        result = campaign.result()
    assert [(found.code, str(found.plan)) for found in result.findings] == []
    assert result.runs > 200
