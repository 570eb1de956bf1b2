"""What ADK's default loop does under faults, and how it is set up so that it does not."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("google.adk")

from agentfuzz import Run, known_input, run
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.google_adk import ADAPTER
from agentfuzz.adapters.testing import situation
from agentfuzz.core.events import Called, ModelTurn
from agentfuzz.engine.simulation import Simulation
from agentfuzz.search.budget import Budget
from agentfuzz.search.campaign import Campaign
from agentfuzz.search.space import Space

from .variants import VARIANTS

TOLD = 'You are an agent. Your internal name is "assistant".'


def played(name: str, entrypoint: str, plan: str = "", *laws: Any, variant: str = "") -> Run:
    chosen = situation(ADAPTER, name)
    story = replace(chosen.scenario, invariants=(*chosen.scenario.invariants, *laws))
    options = VARIANTS[variant]() if variant else {}
    return run(story, agent(ADAPTER, entrypoint, **{**chosen.words, **options}), plan)


def codes(found: Run) -> set[str]:
    return {violation.code for violation in found.violations}


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
def test_a_tool_that_raised_is_forgotten(entrypoint: str) -> None:
    """The run ends, and the next prompt knows nothing of the call: it is made again."""
    plan = "charge_card#1:once/timeout"
    assert codes(played("conversation", entrypoint, plan)) == {"AF101", "AF406"}
    assert codes(played("conversation", entrypoint, plan, variant="told")) == set()


@pytest.mark.parametrize(
    ("name", "entrypoint", "plan", "cure", "code"),
    [
        ("alone", "stream", "model#2:cut", "only_whole", "AF208"),
        ("siblings", "stream", "model#2:cut", "only_whole", "AF208"),
        ("siblings", "async", "model#2:truncated", "only_whole", "AF208"),
        ("alone", "async", "model#1:duplicate_ids", "once_each", "AF407"),
    ],
)
def test_a_reply_is_carried_out_as_it_comes(
    name: str, entrypoint: str, plan: str, cure: str, code: str
) -> None:
    """A stream that ends early is a whole reply, a reply that was cut off is carried out, a call
    that is there twice is made twice; a callback that looks at the reply mends it."""
    assert code in codes(played(name, entrypoint, plan))
    assert codes(played(name, entrypoint, plan, variant=cure)) == set()


def test_a_duplicate_call_in_a_stream_is_made_once() -> None:
    """The one that ADK puts together from a stream is looked at for it."""
    found = played("alone", "stream", "model#1:duplicate_ids")
    assert len(found.history.of(Called)) == 1
    assert codes(found) == set()


@pytest.mark.parametrize("plan", ["model#2:rate_limited", "model#2:error"])
def test_the_client_asks_once(plan: str) -> None:
    """Google's client asks again only if it is told to: the error ends the run."""
    found = played("alone", "async", plan)
    assert len(found.history.of(ModelTurn)) == 2
    assert found.history.ended is not None
    assert found.history.ended.how == "raised"


def test_what_nobody_declared() -> None:
    """An agent without an instruction is told its name; declared, it is known."""
    assert codes(played("one_by_one", "async", "", known_input())) == {"AF416"}
    assert codes(played("one_by_one", "async", "", known_input(TOLD))) == set()


@pytest.mark.slow
def test_a_careful_loop_holds() -> None:
    """The error is told to the model, and each intent has its key: no two faults of the tool's
    delivery, and no burst of them, make a second shipment."""
    chosen = situation(ADAPTER, "alone")
    loop = agent(ADAPTER, "async", **{**chosen.words, **VARIANTS["told"]()})
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


def test_what_was_done_before_a_transfer_is_neither_dropped_nor_hidden() -> None:
    """ADK quotes it to the next agent, behind a long preamble; and saves its session in between."""
    assert codes(played("handed_over_beside", "async")) == set()
