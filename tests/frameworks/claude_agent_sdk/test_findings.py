"""What is found in the Claude Agent SDK's own loop. Each run starts its program: seconds."""

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("claude_agent_sdk")

from agentfuzz import known_input, run
from agentfuzz.adapters.claude_agent_sdk import ADAPTER
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.testing import situation

ALONE = situation(ADAPTER, "alone").scenario


def by_intent(tool: str, arguments: Any, call_id: str) -> str:
    return f"{tool}:{arguments['order_id']}"


@pytest.mark.slow
def test_a_reply_that_is_lost_ships_twice_without_a_key() -> None:
    """The model is told of the error and asks again; a key for each intent holds."""
    plan = "ship#1:once/timeout"
    found = run(ALONE, agent(ADAPTER), plan).violations
    assert [violation.code for violation in found] == ["AF101"]
    assert not run(ALONE, agent(ADAPTER, key=by_intent), plan).violations


@pytest.mark.slow
def test_the_model_is_shown_words_of_the_programs_own() -> None:
    """Besides the task there are a header and a description of the environment."""
    told = replace(ALONE, invariants=(*ALONE.invariants, known_input()))
    found = run(told, agent(ADAPTER)).violations
    assert {violation.code for violation in found} == {"AF416"}
