"""What CrewAI's default loops do, and a careful one."""

import re

import pytest

pytest.importorskip("crewai")

from agentfuzz import known_input, run
from agentfuzz.adapters.contract import agent
from agentfuzz.adapters.crewai import ADAPTER
from agentfuzz.adapters.testing import situation

from ..played import codes, findings, history, turns
from .variants import VARIANTS, by_intent


@pytest.fixture(autouse=True, scope="module")
def _warm():
    ADAPTER.warm()


@pytest.mark.parametrize("entrypoint", ["kickoff", "akickoff", "react"])
def test_an_empty_answer_begins_the_task_again(entrypoint):
    """With an empty transcript: the tool takes effect twice; without retries of the task it does
    not."""
    found = codes(ADAPTER, "alone", entrypoint, "model#2:empty")
    assert found == {"AF101", "AF412"}
    careful = VARIANTS["no_task_retry"]()
    assert not codes(ADAPTER, "alone", entrypoint, "model#2:empty", **careful)


def test_a_failing_tool_is_called_again_unasked():
    """Where actions are text: the model has one turn for two calls."""
    assert codes(ADAPTER, "alone", "react", "ship#1:once/timeout") == {"AF101"}
    assert turns(ADAPTER, "alone", "react", "ship#1:once/timeout") == 2
    assert turns(ADAPTER, "alone", "kickoff", "ship#1:once/timeout") == 3


def test_a_call_that_stands_twice_is_made_twice():
    """One id twice in a reply: two executions, and two results of one call."""
    found = codes(ADAPTER, "alone", "kickoff", "model#1:duplicate_ids")
    assert found == {"AF101", "AF404", "AF407"}


@pytest.mark.parametrize("entrypoint", ["kickoff", "react"])
def test_an_answer_that_is_cut_is_the_output(entrypoint):
    """It was cut off at its length limit, and the output does not say so."""
    assert codes(ADAPTER, "alone", entrypoint, "model#2:truncated") == {"AF208"}


def test_warming_up_says_nothing(caplog):
    """It is no run, whose words are told with it: what it logs would stand on the terminal."""
    ADAPTER.warm()
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


def test_the_client_asks_again_by_itself():
    """One error of the model's API is no trouble for the task; one that stays begins it again."""
    assert turns(ADAPTER, "alone", "kickoff", "model#2:error") == 3
    assert "AF101" in codes(ADAPTER, "alone", "kickoff", "model#2-4:error")


def test_the_framework_says_what_nobody_declared():
    """The prompt of the framework stands around the task, and in its own words after a result."""
    chosen = situation(ADAPTER, "alone").scenario
    told = run(chosen, agent(ADAPTER, "react")).history
    verdict = known_input(re.compile(r"(?s)^(You are clerk|\nCurrent Task).*"))(told)
    assert [violation.code for violation in verdict.violations] == ["AF416"]
    assert "Analyze the tool result" in verdict.violations[0].sentence


@pytest.mark.slow
def test_one_key_for_each_intent_holds():
    """Under one and two faults of tools and of the API, bursts among them, if the task itself is
    not tried again."""
    careful = {"key": by_intent, **VARIANTS["no_task_retry"]()}
    assert findings(ADAPTER, "alone", "react", **careful) == {}


@pytest.mark.parametrize("entrypoint", ["kickoff", "akickoff", "react"])
@pytest.mark.parametrize("name", ["delegated", "handed_over"])
def test_who_is_delegated_to_does_it_once(name, entrypoint):
    """By the framework's own tool; whoever delegates is told what came of it."""
    assert not codes(ADAPTER, name, entrypoint)


def test_a_coworker_s_task_is_tried_again_with_what_it_did():
    """An empty answer of the coworker begins its part anew, and the tool takes effect twice."""
    assert "AF101" in codes(ADAPTER, "delegated", "kickoff", "model#3:empty")


@pytest.mark.parametrize("entrypoint", ["kickoff", "akickoff", "react"])
def test_a_typed_task_returns_its_type(entrypoint):
    """`output_pydantic`, by a tool whose result is the answer."""
    told = history(ADAPTER, "typed", entrypoint)
    assert told.claim == "success"
    assert not codes(ADAPTER, "typed", entrypoint)
