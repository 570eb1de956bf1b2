"""What smolagents' default loop does, and a careful one."""

import pytest

pytest.importorskip("smolagents")

from agentfuzz.adapters.smolagents import ADAPTER
from agentfuzz.core.events import Called, ModelInput

from ..played import codes, findings, history
from .variants import by_intent


def test_a_failing_call_hides_its_siblings():
    """One of two calls times out: the result of the other is never shown, and it is asked for
    again."""
    found = codes(ADAPTER, "siblings", "run", "charge_card#1:once/timeout")
    assert {"AF101", "AF406", "AF412"} <= found
    assert not codes(ADAPTER, "siblings", "run")


@pytest.mark.parametrize("entrypoint", ["run", "stream"])
def test_a_final_answer_that_is_cut_is_the_answer(entrypoint):
    """The arguments of `final_answer` stop in the middle: what there is of them is the output."""
    assert codes(ADAPTER, "alone", entrypoint, "model#2:truncated") == {"AF208"}
    told = history(ADAPTER, "alone", entrypoint, "model#2:truncated")
    assert str(told.events[-1].value).startswith('{"answer": "')


def test_a_timeout_charges_twice_without_a_key():
    """The model is told to try again, and the backend does not know the second call."""
    assert "AF101" in codes(ADAPTER, "alone", "run", "ship#1:once/timeout")


@pytest.mark.slow
def test_one_key_for_each_intent_holds():
    """Under one and two faults of tools and of the API, bursts among them."""
    assert findings(ADAPTER, "alone", "run", key=by_intent) == {}


def test_an_error_is_read_as_the_result_of_the_call_that_it_names():
    """It stands in the prompt with a tool and its arguments, and without an id."""
    told = history(ADAPTER, "alone", "run", "ship#1:lost/timeout")
    [call, *_] = told.of(Called)
    second = told.of(ModelInput)[1].messages
    assert [one.answers for one in second if one.role == "tool"] == [call.asked]


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
def test_a_429_is_asked_again(entrypoint):
    """As the framework's models of APIs do, after a minute or more; what stays ends the run."""
    plain, told = (
        history(ADAPTER, "alone", entrypoint, plan) for plan in ("", "model#1:rate_limited")
    )
    assert told.ended.value == plain.ended.value
    assert told.ended.t > 60
    assert not codes(ADAPTER, "alone", entrypoint, "model#1:rate_limited")
    assert history(ADAPTER, "alone", entrypoint, "model#1+:rate_limited").ended.how == "raised"


def test_code_that_fails_keeps_what_it_has_printed():
    """A block of several calls, of which one times out: what came before it is shown, what stands
    after it is not done, and said to be so."""
    found = codes(ADAPTER, "siblings", "code", "ship#1:once/timeout")
    assert found == {"AF101"}  # the model is told to try again
    assert not codes(ADAPTER, "siblings", "code", "charge_card#1:lost/timeout")


def test_code_that_is_cut_does_not_run():
    """It does not parse, whatever is cut: a call, or the words of the final answer."""
    assert not codes(ADAPTER, "alone", "code", "model#2:truncated")
    assert not codes(ADAPTER, "siblings", "code", "model#2:truncated")


@pytest.mark.parametrize("plan", ["model#2:unknown_tool=2", "model#2:malformed_args=4"])
def test_broken_code_is_told_as_what_it_was(plan):
    """A name that is none, arguments that are none: the model is shown which call of its block was
    not made, and makes it."""
    assert not codes(ADAPTER, "siblings", "code", plan)
