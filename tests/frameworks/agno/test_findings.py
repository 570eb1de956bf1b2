"""What Agno's default loop does under faults, and how it is set up so that it does not."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("agno")

from agentfuzz import Run, known_input, run
from agentfuzz.adapters.agno import ADAPTER
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space

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


def test_the_retries_of_a_run_begin_it_anew() -> None:
    """Without what it has done; those of the client do not."""
    plan = "model#2:rate_limited"
    assert codes(played("alone", "run", plan, **VARIANTS["run_retries"]())) == {"AF101", "AF412"}
    assert codes(played("alone", "run", plan, **VARIANTS["run_retries_keyed"]())) == {"AF412"}
    assert codes(played("alone", "run", plan, **VARIANTS["retries"]())) == set()


@pytest.mark.parametrize(
    ("name", "entrypoint", "plan", "code"),
    [
        ("alone", "run", "model#2:truncated", "AF208"),
        ("siblings", "run", "model#2:truncated", "AF208"),
        ("alone", "stream", "model#2:cut", "AF208"),
        ("siblings", "astream", "model#2:cut", "AF208"),
        ("alone", "run", "model#2:empty", "AF209"),
        ("alone", "run", "model#1:duplicate_ids", "AF407"),
    ],
)
def test_a_reply_is_carried_out_as_it_comes(
    name: str, entrypoint: str, plan: str, code: str
) -> None:
    """Cut off, empty, or with a call that is there twice."""
    assert code in codes(played(name, entrypoint, plan))


def test_the_client_s_retries_are_turns_of_the_model() -> None:
    """OpenAI's client asks again by itself, twice; Agno sees nothing of it."""

    def turns(**options: Any) -> int:
        found = played("alone", "arun", "model#1:rate_limited", **options)
        return len(found.history.of(ModelTurn))

    assert turns() == 3
    assert turns(max_retries=0) == 1


def test_nothing_is_hidden() -> None:
    """No word in the model's input that nobody has said."""
    assert codes(played("one_by_one", "run", "", known_input())) == set()


def test_a_limit_of_calls_does_not_end_the_run() -> None:
    """The calls beyond it are answered with an error, and the model goes on."""
    found = played("one_by_one", "run", tool_call_limit=1)
    assert [str(call.slot) for call in found.history.of(Called)] == ["find_order#1"]
    assert len(found.history.of(ModelTurn)) > 2
    assert found.history.ended is not None
    assert found.history.ended.how == "returned"


@pytest.mark.slow
def test_a_careful_loop_holds() -> None:
    """With a key for each intent no two faults of the tool's delivery, and no burst of them, make
    a second shipment."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, "run", **{**chosen.words, **VARIANTS["keyed"]()})
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
    assert [(found.code, str(found.plan)) for found in result.findings] == []
