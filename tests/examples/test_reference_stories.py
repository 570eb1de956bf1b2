"""The reference loop in the bundled stories: told what it has to know, it breaks no law there."""

import loops
import pytest

import agentfuzz
from agentfuzz.conformance.loop import of
from agentfuzz.conformance.stories import modules, ready, story
from reference_words import WORDS, words
from tests.extent import upto

WITHOUT = {
    "half_open_stream": "its tool follow_build is async, and this loop is not",
    "two_agents_one_seat": "is to be",  # two agents, who want the same
}
RUNS = upto(60, 300)  # of a campaign, beside those under the plans of the rows


def prepared(name, simulation):
    return ready(story(name), of("reference", loops.reference(name)), simulation)


def test_every_story_is_told_or_is_about_something_else():
    assert WORDS.keys() | WITHOUT.keys() == modules().keys()
    assert not WORDS.keys() & WITHOUT.keys()


@pytest.mark.parametrize("name", WORDS)
def test_without_faults_the_work_is_done(name, simulation):
    """A loop that does nothing would keep nearly every law."""
    its = prepared(name, simulation)
    assert its.why == ""
    history = agentfuzz.run(its.scenario, its.agent, simulation=simulation).history
    assert history.success is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", WORDS)
def test_no_law_is_broken(name, monkeypatch):
    """Under the plans that show the rows, and under as many with one fault as the budget has."""
    monkeypatch.setattr(loops, "RUNS", RUNS)
    assert loops.fares(name, "reference") == {}


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("retry_storm", "book_freight#1-2:once/timeout + book_freight#3:once/rate_limited"),
        ("retry_storm", "get_quote#1-2:once/truncated + get_quote#3:once/timeout"),
        ("saga", "book_flight#1-2:once/timeout + book_flight#3:once/rate_limited"),
        ("deploy_service", "start_deploy#1:lost/timeout + deploy_status#1:lost/error"),
    ],
)
def test_what_it_once_broke(name, plan, simulation):
    """A 429 settles no earlier doubt, half a reading is none, a look is no attempt."""
    its = prepared(name, simulation)
    assert agentfuzz.run(its.scenario, its.agent, plan, simulation=simulation).violations == ()


@pytest.mark.parametrize(
    ("name", "plan", "code"),
    [
        ("charge_order", "model#1:skip", "AF103"),
        ("close_case", "model#1:privileged", "AF417"),
        ("sign_document", "no faults", "AF409"),
    ],
)
def test_what_it_is_told_is_needed(name, plan, code, monkeypatch, simulation):
    """What success needs, which tools are for the task, and what a person has to approve."""
    monkeypatch.setitem(WORDS, name, words())
    its = prepared(name, simulation)
    run = agentfuzz.run(its.scenario, its.agent, plan, simulation=simulation)
    assert code in {violation.code for violation in run.violations}
