"""What is found in the tool runner's own loop, and a careful one that holds."""

from typing import Any

import pytest

pytest.importorskip("anthropic")

from agentfuzz import World, adapters, at_most_once, run, scenario
from agentfuzz.adapters.anthropic_runner import ADAPTER
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import ModelTurn
from agentfuzz.core.history import History
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.campaign import Budget, Campaign

from .variants import VARIANTS, by_intent


def played(name: str, entrypoint: str, plan: str, variant: str = "") -> Any:
    chosen = situation(ADAPTER, name)
    options = VARIANTS[variant]() if variant else {}
    return run(chosen.scenario, agent(ADAPTER, entrypoint, **chosen.words, **options), plan)


def codes(name: str, entrypoint: str, plan: str, variant: str = "") -> set[str]:
    """What a plan breaks in a situation."""
    return {violation.code for violation in played(name, entrypoint, plan, variant).violations}


def how(history: History) -> str:
    """How a run ended."""
    assert history.ended is not None
    return history.ended.how


@pytest.mark.parametrize("variant", ["", "whole_history"])
@pytest.mark.parametrize(
    ("entrypoint", "plan", "expected"),
    [
        ("sync", "model#1:duplicate_ids", {"AF101", "AF404", "AF407"}),
        ("async", "model#1:duplicate_ids", {"AF101", "AF404", "AF407"}),
        ("stream", "model#2:cut", {"AF208"}),
        ("stream_async", "model#2:cut", {"AF208"}),
        ("sync", "ship#1:once/timeout", {"AF101"}),
        ("sync", "model#2:empty", {"AF209"}),
    ],
)
def test_a_default(entrypoint: str, plan: str, expected: set[str], variant: str) -> None:
    """The laws are broken under one fault, over a thread and with the whole history, and without
    any they hold."""
    assert codes("alone", entrypoint, plan, variant) == expected
    assert codes("alone", entrypoint, "", variant) == set()


def test_a_call_is_run_before_its_reply_is_whole() -> None:
    """Eagerly, as the SDK says; not otherwise."""
    if "eager" not in ADAPTER.entrypoints:
        pytest.skip("this release has no run_tools_eagerly")
    assert codes("siblings", "eager", "model#2:cut/reset") == {"AF208"}
    assert codes("siblings", "stream", "model#2:cut/reset") == set()


def test_nothing_stops_a_loop_but_max_iterations() -> None:
    """There is no limit by default; one that was reached is no success."""
    assert "AF201" in codes("alone", "sync", "model#1:loop")
    limited = played("alone", "sync", "model#1:loop", "max_iterations")
    assert "AF201" not in {violation.code for violation in limited.violations}
    assert limited.history.claim == "failed"


def test_the_client_asks_again_by_itself() -> None:
    """Each request that the client repeats after a 429 is a turn, unless it may not repeat it."""
    history = played("alone", "sync", "model#1:rate_limited").history
    assert (len(history.of(ModelTurn)), how(history)) == (3, "returned")
    history = played("alone", "sync", "model#1:rate_limited", "no_client_retries").history
    assert (len(history.of(ModelTurn)), how(history)) == (1, "raised")


@scenario(
    at_most_once("shipment"), task="Ship order A17.", script=[("ship", {"order_id": "A17"}), "Ok."]
)
def shipping(world: World) -> None:
    @world.tool(effect="shipment", scope=("order_id",), dedup="key")
    def ship(order_id: str) -> str:
        return f"p_{order_id}"


def test_the_parts_are_for_a_runner_of_ones_own() -> None:
    """A user's own runner, with the world's client and tools, sync and async."""
    parts = adapters.anthropic_runner

    def asked(client: Any, tools: Any, world: World) -> Any:
        words = {"model": "claude-sonnet-4-6", "max_tokens": 100, "tools": tools}
        said = [{"role": "user", "content": world.task}]
        return client.beta.messages.tool_runner(messages=said, **words)

    def own(world: World) -> Any:
        tools = parts.tools(world, key=by_intent)
        message = asked(parts.model(world), tools, world).until_done()
        return parts.outcome(message) or message.content[0].text

    async def own_async(world: World) -> Any:
        tools = parts.async_tools(world, key=by_intent)
        message = await asked(parts.async_model(world), tools, world).until_done()
        return parts.outcome(message) or message.content[0].text

    for loop in (own, own_async):
        assert not run(shipping, loop, "ship#1:once/timeout").violations


@pytest.mark.slow
def test_a_careful_loop_holds_but_for_what_the_runner_does_not_let_it() -> None:
    """With a key for each intent and a limit, plans of one fault, burst or outage, and the first
    pairs, break no law but those that the runner itself breaks: a call that stands twice in a reply
    is answered twice, and an empty reply is the answer."""
    chosen = situation(ADAPTER, "alone")
    with Simulation() as simulation:
        loop = agent(ADAPTER, "sync", key=by_intent, **VARIANTS["max_iterations"]())
        budget = Budget(max_runs=220, max_seconds=600, depth=2, deep_runs=0)
        campaign = Campaign(chosen.scenario, loop, simulation, budget=budget)
        campaign.search()
        result = campaign.result()
    assert {found.code for found in result.findings} == {"AF404", "AF209"}
    assert result.runs > 150
