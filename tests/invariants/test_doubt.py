"""What leaves doubt: the reply that an agent got is not the backend's own, whole and clear."""

import contextlib

import pytest

from agentfuzz import run, scenario
from agentfuzz.boundaries.tool import REPLIES
from agentfuzz.core.events import Called
from agentfuzz.invariants.queries.calls import doubtful
from invariants.histories import charge, commit, lookup, ok, refuse, reply, strikes, tell, timeout

DAMAGED = {"truncated", "ambiguous", "malformed", "wrong", "hostile"}


@scenario(task="Charge order A17.")
def story(world):
    @world.tool(effect="charge", scope=("order_id",), dedup="key")
    def charge_card(order_id: str, idempotency_key: str | None = None) -> dict:
        return {"charge_id": f"ch_{order_id}"}


@scenario(task="Charge order A17.")
def by_text(world):
    story.build(world)
    world.raise_as(timeout="text", error="text", rate_limited="text")


def twice(world):
    for _ in range(2):
        with contextlib.suppress(TimeoutError, ConnectionError, Exception):
            world.tools.charge_card(order_id="A17", idempotency_key="k")


def doubts(history):
    return [doubtful(history, call) for call in history.of(Called)]


@pytest.mark.parametrize("place", [story, by_text], ids=["raised", "as texts"])
@pytest.mark.parametrize("kind", REPLIES)
def test_which_replies_leave_doubt(kind, place, simulation):
    """Those that were damaged on their way; an error is none, nor is an honest answer, nor the one
    that a repeat is given."""
    plan = "" if kind == "intact" else f"charge_card#1:once/{kind}"
    found = run(place, twice, plan, simulation=simulation).history
    assert doubts(found) == [kind in DAMAGED, False]


def test_a_request_that_came_twice_was_answered(simulation):
    """How often it was delivered is no matter of the reply."""
    assert doubts(run(story, twice, "charge_card#1:twice", simulation=simulation).history) == [
        False,
        False,
    ]


def test_in_histories_told_by_hand():
    """Cut off, or in flight, without a fault that is known of; never what raised, or is open."""
    steps = (
        charge(),
        commit(),
        ok(),
        charge(),
        timeout(),
        lookup(),
        charge(),
        refuse("key_reused"),
    )
    assert doubts(tell(*steps)) == [False] * 4
    cut = (charge(), reply("applied", "ch", complete=False), charge(), reply("in_flight", "soon"))
    assert doubts(tell(*cut)) == [True, True]
    other = (strikes("lookup#1:once/wrong"), charge(), ok(), lookup(), ok())
    assert doubts(tell(*other)) == [False, True]
