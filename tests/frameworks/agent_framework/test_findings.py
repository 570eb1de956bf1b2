"""What the Agent Framework's loop does by default, and how it is set up so that it does not."""

import pytest

pytest.importorskip("agent_framework", reason="needs 'pytest-agentfuzz[agent-framework]'")

from dataclasses import replace

from agentfuzz import known_input, run
from agentfuzz.adapters.agent_framework import ADAPTER
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign

from .variants import VARIANTS

EACH = pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)


def played(name: str, entrypoint: str, plan: str, **options: object):
    chosen = situation(ADAPTER, name)
    loop = agent(ADAPTER, entrypoint, **{**chosen.words, **options})
    return run(chosen.scenario, loop, plan)


def codes(found) -> set[str]:
    return {violation.code for violation in found.violations}


@EACH
def test_a_failure_after_the_effect_is_repeated(entrypoint):
    plan = "ship#1:once/timeout"
    assert codes(played("alone", entrypoint, plan)) == {"AF101"}
    assert codes(played("alone", entrypoint, plan, **VARIANTS["key"]())) == set()


@pytest.mark.parametrize("entrypoint", ["run", "chat", "chat_stream"])
def test_one_id_twice_in_a_turn_runs_twice(entrypoint):
    """Two results of one call are shown as well, whatever key the tool has."""
    plan = "model#1:duplicate_ids"
    assert codes(played("alone", entrypoint, plan)) == {"AF101", "AF404", "AF407"}
    keyed = played("alone", entrypoint, plan, **VARIANTS["key"]())
    assert "AF101" not in codes(keyed)


def test_one_id_twice_in_a_stream_of_responses_runs_once():
    """Where the other ways into the same loop run it twice."""
    assert codes(played("alone", "stream", "model#1:duplicate_ids")) == set()


@EACH
def test_an_empty_reply_is_the_answer(entrypoint):
    assert codes(played("alone", entrypoint, "model#1:empty")) == {"AF209"}


@EACH
def test_calls_of_a_reply_that_was_cut_off_are_made(entrypoint):
    found = played("siblings", entrypoint, "model#2:truncated")
    assert "AF208" in codes(found)


@EACH
def test_stop_during_a_call_ends(entrypoint):
    found = played("slow", entrypoint, "process:charge_card#1:cancel")
    assert codes(found) == set()
    assert found.history.ended.how == "cancelled"


def test_its_client_asks_again_by_itself():
    """Each request of the SDK's own retry is a turn that the loop knows nothing of."""
    plan = "model#1:rate_limited"
    assert len(played("alone", "run", plan).history.of(ModelTurn)) == 3
    history = played("alone", "run", plan, **VARIANTS["no_retries"]()).history
    assert (history.ended.how, history.ended.error) == ("raised", "ChatClientException")


def test_it_has_no_words_of_its_own():
    chosen = situation(ADAPTER, "alone")
    told = replace(chosen.scenario, invariants=(known_input(),))
    assert run(told, agent(ADAPTER)).violations == ()


@pytest.mark.slow
def test_a_key_for_each_intent_holds():
    """Under all plans with one fault and many with two, nothing takes effect twice; what the
    framework does not let a loop keep is told in the findings above."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, **{**chosen.words, **VARIANTS["key"]()})
    with Simulation() as simulation:
        budget = Budget(max_runs=300, max_seconds=600, depth=2, deep_runs=0)
        campaign = Campaign(chosen.scenario, loop, simulation, budget=budget)
        campaign.search()
        result = campaign.result()
    assert {found.code for found in result.findings} <= {"AF209", "AF404", "AF407", "AF208"}
    assert result.runs > 100
