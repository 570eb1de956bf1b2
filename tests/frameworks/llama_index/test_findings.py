"""What LlamaIndex's agents do under faults, and how they are set up so that they do not."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like")

from llama_index.core.agent.workflow import FunctionAgent

from agentfuzz import Run, World, known_input, run
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.llama_index import ADAPTER, model, outcome, tools
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import ModelTurn, Resumed
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space
from agentfuzz.world.injector import FromPlan

from .variants import VARIANTS


def played(name: str, entrypoint: str, plan: str = "", *laws: Any, **options: Any) -> Run:
    chosen = situation(ADAPTER, name)
    story = replace(chosen.scenario, invariants=(*chosen.scenario.invariants, *laws))
    return run(story, agent(ADAPTER, entrypoint, **{**chosen.words, **options}), plan)


def codes(found: Run) -> set[str]:
    return {violation.code for violation in found.violations}


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
def test_a_failure_after_the_effect_is_repeated(entrypoint: str) -> None:
    """The model is told of the error alone; a key for each intent makes it harmless."""
    plan = "ship#1:once/timeout"
    assert codes(played("alone", entrypoint, plan)) == {"AF101"}
    assert codes(played("alone", entrypoint, plan, **VARIANTS["keyed"]())) == set()


@pytest.mark.parametrize(
    ("name", "entrypoint", "plan", "code"),
    [
        ("alone", "plain", "model#2:truncated", "AF208"),
        ("siblings", "plain", "model#2:truncated", "AF208"),
        ("alone", "function", "model#2:cut", "AF208"),
        ("siblings", "function", "model#2:cut", "AF208"),
        ("alone", "function", "model#2:empty", "AF209"),
        ("alone", "function", "model#1:duplicate_ids", "AF407"),
    ],
)
def test_a_reply_is_carried_out_as_it_comes(
    name: str, entrypoint: str, plan: str, code: str
) -> None:
    """Cut off, empty, or with a call that is there twice."""
    assert code in codes(played(name, entrypoint, plan))


def test_what_stands_beside_a_direct_answer_is_gone() -> None:
    """The next request shows a call without its result, which OpenAI's API refuses."""
    found = played("discussed", "function", **VARIANTS["direct"]())
    assert {"AF412", "AF419"} <= codes(found)
    assert codes(played("discussed", "function")) == set()


def test_a_step_is_tried_so_often() -> None:
    """As its retry policy says, a second apart."""
    found = played("alone", "step", "model#1+:rate_limited", **VARIANTS["three_attempts"]())
    assert len(found.history.of(ModelTurn)) == 3
    assert found.history.ended is not None
    assert (found.history.ended.how, found.history.ended.t) == ("raised", 2.0)


def test_the_client_s_retries_are_turns_of_the_model() -> None:
    """OpenAI's client asks again by itself, and LlamaIndex around it; told not to, neither does."""

    def turns(**options: Any) -> int:
        found = played("alone", "plain", "model#1+:rate_limited", **options)
        return len(found.history.of(ModelTurn))

    assert turns() > 3
    assert turns(max_retries=0) == 1


def test_nothing_is_hidden() -> None:
    """No word in the model's input that nobody has said."""
    assert codes(played("one_by_one", "function", "", known_input())) == set()


@pytest.mark.slow
def test_a_careful_loop_holds() -> None:
    """With a key for each intent no two faults of the tool's delivery, and no burst of them, make
    a second shipment. That a run is the same when it comes again (AF904) LlamaIndex does not keep:
    it waits for a random time before it asks the model again."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, "function", **{**chosen.words, **VARIANTS["keyed"]()})
    with Simulation() as simulation:
        search = Campaign(
            chosen.scenario,
            loop,
            simulation,
            space=Space(only=("timeout", "error", "twice", "late", "lost")),
            budget=Budget(depth=2, deep_runs=0, max_seconds=600),
        )
        search.search()
        result = search.result()
    assert {found.code for found in result.findings} <= {"AF904"}


def test_react_asks_again_for_what_is_empty() -> None:
    """A reply without a word is told to be none; one that was cut is the answer all the same."""
    assert codes(played("alone", "react", "model#2:empty")) == set()
    assert codes(played("alone", "react", "model#2:truncated")) == {"AF208"}


@pytest.mark.parametrize(
    "plan", ["", "model#1:malformed_args", "model#2:unknown_tool=2", "charge_card#1:lost/timeout"]
)
def test_react_is_told_what_it_did(plan: str) -> None:
    """In its text, and in the one text that its memory makes of it for the next request."""
    assert codes(played("discussed", "react", plan)) == set()


def test_runs_need_no_names() -> None:
    """What one run leaves behind, and what holds on to it, is nothing to the next one."""

    async def loop(world: World) -> Any:
        agent = FunctionAgent(llm=model(world), tools=tools(world))
        held.append(agent.run(user_msg=world.task))
        return outcome(await held[-1])

    held: list[Any] = []
    chosen = situation(ADAPTER, "structured").scenario
    with Simulation() as simulation:
        for _ in range(2):
            told = simulation.execute(chosen, loop, FromPlan(FaultPlan.parse("")))
            assert told.ended is not None
            assert told.ended.how == "returned", told.ended.detail


def test_a_run_within_a_run_takes_nothing_from_it() -> None:
    """A trigger that comes again, while a tool is called: both runs end as they do alone."""
    chosen = situation(ADAPTER, "alone")
    story = replace(chosen.scenario, faults=("duplicate_trigger",))
    told = run(story, agent(ADAPTER), "process:ship#1:duplicate_trigger").history
    assert [one.why for one in told.of(Resumed)] == ["duplicate", "back"]
    assert (told.ended.how, told.ended.value) == ("returned", "Shipped.")
