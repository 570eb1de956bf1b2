"""What a plain loop over MCP does by default, and how it is set up so that it does not."""

import pytest

pytest.importorskip("mcp", reason="needs the MCP SDK: pip install 'mcp>=1.10,<3'")

from agentfuzz import run
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.mcp import ADAPTER
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import Called
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

from .variants import VARIANTS


def played(name: str, entrypoint: str, plan: str, **options: object):
    chosen = situation(ADAPTER, name)
    loop = agent(ADAPTER, entrypoint, **{**chosen.words, **options})
    return run(chosen.scenario, loop, plan)


def codes(found) -> list[str]:
    return [violation.code for violation in found.violations]


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
def test_a_failure_after_the_effect_is_repeated(entrypoint):
    """A call of the protocol says nothing of what it is for: asked for again, it is another one."""
    plan = "charge_card#1:once/timeout"
    assert codes(played("one_by_one", entrypoint, plan)) == ["AF101"]
    assert codes(played("one_by_one", entrypoint, plan, **VARIANTS["key"]())) == []


def test_a_line_that_breaks_takes_the_answers_of_others_with_it():
    """One call breaks the connection, and the model is not shown what the other one did (AF406),
    which no client can help; with a key for each intent nothing happens twice."""

    def found(entrypoint: str, **options: object) -> set[tuple[str, str]]:
        played_one = played("siblings", entrypoint, "charge_card#1:once/error", **options)
        return {(violation.code, violation.subject) for violation in played_one.violations}

    assert found("memory") == {("AF101", "charge")}
    twice = {("AF101", "charge"), ("AF101", "shipment")}
    assert found("remote") == {*twice, ("AF406", "ship")}
    assert found("remote", **VARIANTS["key"]()) == {("AF406", "ship")}


def test_a_request_that_is_made_again_is_one_more_call():
    """Under another id of the protocol, and in another session if the first one is over."""
    found = played("one_by_one", "remote", "ship#1:once/timeout", **VARIANTS["retries"]())
    shipped = [call.asked for call in found.history.of(Called) if call.slot.name == "ship"]
    assert len(shipped) == 2
    assert len(set(shipped)) == 1
    assert "AF101" in codes(found)


@pytest.mark.parametrize("variant", ["patient", "reconnects"])
@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
def test_who_loses_patience_takes_the_call_back(entrypoint, variant):
    """Version 2 tells the server, which cancels the tool before it has any effect."""
    found = played("slow", entrypoint, "", **VARIANTS[variant]())
    assert codes(found) == []
    charges = [call for call in found.history.of(Called) if call.slot.name == "charge_card"]
    assert {found.history.replies[call.call].raised for call in charges} == {"CancelledError"}


def test_a_tool_that_is_cancelled_by_itself():
    """In process its client is cancelled with it; over streams the model is told."""
    history = played("alone", "in_process", "ship#1:once/error", failures="cancelled").history
    assert (history.ended.how, history.ended.error) == ("died", "CancelledError")
    history = played("alone", "memory", "ship#1:once/error", failures="cancelled").history
    assert history.ended.how == "returned"


@pytest.mark.slow
def test_a_key_for_each_intent_holds():
    """Under every plan with one fault, and with two: nothing is charged or shipped twice."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, "remote", **{**chosen.words, **VARIANTS["key"]()})
    with Simulation() as simulation:
        budget = Budget(max_runs=200, max_seconds=600, depth=2, deep_runs=0)
        campaign = Campaign(chosen.scenario, loop, simulation, budget=budget)
        campaign.search()
        found = campaign.result()
    assert [(one.code, str(one.plan)) for one in found.findings] == []
    assert found.runs > 100
