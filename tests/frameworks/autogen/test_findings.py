"""What AutoGen's loop does by default, and how it is set up so that it does not."""

import pytest

pytest.importorskip("autogen_agentchat", reason="needs 'pytest-agentfuzz[autogen]'")

from dataclasses import replace

from agentfuzz import known_input, run
from agentfuzz.adapters.autogen import ADAPTER
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


@EACH
def test_one_id_twice_in_a_turn_runs_twice(entrypoint):
    """Two results of one call are shown as well, whatever key the tool has."""
    plan = "model#1:duplicate_ids"
    assert codes(played("alone", entrypoint, plan)) == {"AF101", "AF404", "AF407"}
    keyed = played("alone", entrypoint, plan, **VARIANTS["key"]())
    assert "AF101" not in codes(keyed)


@EACH
def test_an_empty_reply_is_the_answer(entrypoint):
    assert codes(played("alone", entrypoint, "model#1:empty")) == {"AF209"}


@EACH
def test_calls_of_a_reply_that_was_cut_off_are_made(entrypoint):
    found = played("siblings", entrypoint, "model#2:truncated")
    assert "AF208" in codes(found)


@EACH
def test_stop_during_a_call_never_ends(entrypoint):
    """Its token cancels the call, and whoever waits for the end of the calls is not told."""
    found = played("slow", entrypoint, "process:charge_card#1:cancel")
    assert {"AF203", "AF214"} <= codes(found)
    assert found.history.ended.error == "hung"


def test_its_client_asks_again_by_itself():
    """Each request of the SDK's own retry is a turn that the loop knows nothing of."""
    plan = "model#1:rate_limited"
    assert len(played("alone", "run", plan).history.of(ModelTurn)) == 3
    history = played("alone", "run", plan, **VARIANTS["no_retries"]()).history
    assert (history.ended.how, history.ended.error) == ("raised", "RateLimitError")


def test_it_speaks_to_the_model_in_words_of_its_own():
    """An agent without a system message has one."""
    chosen = situation(ADAPTER, "alone")
    told = replace(chosen.scenario, invariants=(known_input(),))
    [found] = run(told, agent(ADAPTER)).violations
    assert found.code == "AF416"
    assert "You are a helpful AI assistant" in str(found)
    assert run(told, agent(ADAPTER, system_message=None)).violations == ()


@EACH
@pytest.mark.parametrize("name", ["handed_over", "handed_over_beside"])
def test_who_is_handed_the_task_does_the_rest_of_it(name, entrypoint):
    """Also where the handoff stands beside a call: its result is handed over."""
    assert codes(played(name, entrypoint, "")) == set()


@pytest.mark.slow
def test_a_key_for_each_intent_holds():
    """Under all plans with one fault and many with two, nothing takes effect twice; what AutoGen
    does not let a loop keep is told in the findings above."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, **{**chosen.words, **VARIANTS["key"]()})
    with Simulation() as simulation:
        budget = Budget(max_runs=300, max_seconds=600, depth=2, deep_runs=0)
        campaign = Campaign(chosen.scenario, loop, simulation, budget=budget)
        campaign.search()
        result = campaign.result()
    assert {found.code for found in result.findings} <= {"AF209", "AF404", "AF407", "AF208"}
    assert result.runs > 100


@EACH
def test_a_typed_answer_is_what_the_run_returns(entrypoint):
    """By `output_content_type`; a reply that is cut is none, and raises."""
    assert codes(played("typed", entrypoint, "")) == set()
    cut = played("typed", entrypoint, "model#4:truncated").history
    assert cut.ended.how == "raised"
