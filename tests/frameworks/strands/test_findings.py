"""What Strands' default loop does, and a careful one."""

import pytest

pytest.importorskip("strands")

from agentfuzz.adapters.strands import ADAPTER
from agentfuzz.core.events import ModelInput

from ..played import codes, findings, history, turns
from .variants import VARIANTS, by_intent


@pytest.mark.parametrize("entrypoint", ["invoke", "call", "stream", "anthropic"])
def test_a_call_that_stands_twice_is_made_twice(entrypoint):
    """One id twice in a reply: two executions, and two results of one call."""
    found = codes(ADAPTER, "alone", entrypoint, "model#1:duplicate_ids")
    assert found == {"AF101", "AF404", "AF407"}


def test_an_empty_reply_is_the_end():
    """A reply without content is `end_turn`; a hook has it asked for again."""
    assert codes(ADAPTER, "one_by_one", "invoke", "model#1:empty") == {"AF209"}
    careful = VARIANTS["asks_again"]()
    assert not codes(ADAPTER, "one_by_one", "invoke", "model#1:empty", **careful)


@pytest.mark.parametrize("entrypoint", ["invoke", "anthropic"])
def test_a_stream_that_is_cut_is_the_answer(entrypoint):
    """The connection is closed in the middle of the last reply."""
    assert codes(ADAPTER, "alone", entrypoint, "model#2:cut") == {"AF208"}


def test_a_cancelled_tool_leaves_its_call_open():
    """A tool that raises CancelledError: the next request has a call without a result, and the
    provider refuses it."""
    assert "AF404" in codes(ADAPTER, "alone", "invoke", "ship#1:once/error", failures="cancelled")


def test_the_client_asks_again_by_itself():
    """An error of the model's API is no turn for the framework, and two for the model."""
    assert turns(ADAPTER, "alone", "invoke", "model#1:error") == 3


@pytest.mark.slow
def test_one_key_for_each_intent_holds():
    """Under one and two faults of tools and of the API, bursts among them."""
    assert findings(ADAPTER, "alone", "invoke", key=by_intent) == {}


@pytest.mark.parametrize("entrypoint", ADAPTER.entrypoints)
@pytest.mark.parametrize(
    ("plan", "kinds"),
    [
        ("", ["HandoffSent", "HandoffReceived", "HandoffAccepted"]),
        (
            "handoff:billing#1:lost",  # the tool says so, and the model hands over again
            ["HandoffSent", "HandoffSent", "HandoffReceived", "HandoffAccepted"],
        ),
    ],
)
def test_a_handoff_of_a_swarm_crosses_the_world(entrypoint, plan, kinds):
    """With the framework's own tool, by every way to ask a swarm."""
    told = history(ADAPTER, "delegated", entrypoint, plan)
    seen = [type(one).__name__ for one in told.events]
    assert [name for name in seen if name.startswith("Handoff")] == kinds
    assert not codes(ADAPTER, "delegated", entrypoint, plan)


def test_a_handoff_arrives_with_another_message():
    """What the next agent reads is what the fault made of it."""
    told = history(ADAPTER, "delegated", "invoke", "handoff:billing#1:once/poisoned")
    shown = [str(one.messages) for one in told.of(ModelInput)]
    assert not any("Handoff Message: It is theirs." in one for one in shown)
    told = history(ADAPTER, "delegated", "invoke")
    shown = [str(one.messages) for one in told.of(ModelInput)]
    assert any("Handoff Message: It is theirs." in one for one in shown)


def test_a_swarm_begins_each_request_anew():
    """With a session, too: nobody in it knows what was done for the request before."""
    assert codes(ADAPTER, "handed_over", "invoke") == {"AF101", "AF412"}
    assert codes(ADAPTER, "handed_over", "invoke", **VARIANTS["keys"]()) == {"AF412"}


def test_a_swarm_that_cannot_go_on_says_so():
    """What an agent of it raises ends the swarm as failed, and is not raised."""
    told = history(ADAPTER, "delegated", "invoke", "model#1+:error")
    assert (told.ended.how, told.claim) == ("returned", "failed")
