"""The simulated backend: Stripe's rules for keys, the scope itself, and what is kept of failures.

Source of the rules: Stripe API v1, idempotent requests.
"""

import asyncio
from contextlib import suppress

import pytest

from agentfuzz import KeyConflict, KeyReused, scenario
from agentfuzz.core.events import Committed, Delivered, Refused, Replayed, Replied

from .stories import bodies, told

DAY = 24 * 3600


class Declined(Exception):
    pass


@scenario()
def bank(world):
    world.state["broken"] = []

    def body(order_id):
        world.state["runs"] = world.state.get("runs", 0) + 1
        if world.state["broken"]:
            raise world.state["broken"].pop()
        return {"receipt": f"r{world.state['runs']}", "order_id": order_id}

    @world.tool(effect="payment", scope=("order_id",), dedup="key")
    def by_key(order_id: str, amount: int = 1):
        return body(order_id)

    @world.tool(effect="payment", scope=("order_id",), dedup="scope")
    def by_scope(order_id: str, amount: int = 1):
        return body(order_id)

    @world.tool(effect="payment", scope=("order_id",))
    def plainly(order_id: str, amount: int = 1):
        return body(order_id)

    @world.tool(effect="payment", scope=("order_id",), dedup="key")
    async def slowly(order_id: str, amount: int = 1):
        await asyncio.sleep(10)
        return body(order_id)


def receipts(history):
    return [body["receipt"] for body in bodies(history)]


# keys


def test_a_key_replays_the_first_reply(play):
    """Same key, same parameters: the body does not run again, and nothing more happens."""

    def agent(world):
        for _ in range(3):
            world.tools.by_key(order_id="A17", idempotency_key="k")
        return world.state["runs"]

    history = play(bank, agent).history
    assert history.ended.value == 1
    assert receipts(history) == ["r1", "r1", "r1"]
    assert [reply.outcome for reply in history.of(Replied)] == ["applied", "replayed", "replayed"]
    assert told(history, Committed, Replayed) == [
        "0 committed payment-1 by call_1",
        "0 replayed payment-1 to call_2",
        "0 replayed payment-1 to call_3",
    ]


def test_another_key_is_another_request(play):
    """The backend knows keys, not intents; and no key at all is no promise."""

    def agent(world):
        for key in ("k1", "k2", None, None):
            world.tools.by_key(order_id="A17", idempotency_key=key)
        world.tools.by_key(order_id="A17")

    assert len(play(bank, agent).history.ledger) == 5


def test_a_key_belongs_to_a_tool(play):
    """Another endpoint's request with the same key is its own."""

    def agent(world):
        world.tools.by_key(order_id="A17", idempotency_key="k")
        return asyncio.run(one(world))

    async def one(world):
        return await world.tools.slowly(order_id="A17", idempotency_key="k")

    assert len(play(bank, agent).history.ledger) == 2


@pytest.mark.parametrize("other", [{"amount": 2}, {"order_id": "B2"}])
def test_a_key_with_other_parameters_is_an_error(play, other):
    """422, nothing happens, and the key still replays its own request."""

    def agent(world):
        first = {"order_id": "A17", "amount": 1}
        world.tools.by_key(**first, idempotency_key="k")
        with pytest.raises(KeyReused) as caught:
            world.tools.by_key(**{**first, **other}, idempotency_key="k")
        world.tools.by_key(**first, idempotency_key="k")
        return caught.value.status

    history = play(bank, agent).history
    assert history.ended.value == 422
    assert told(history, Committed, Refused, Replayed) == [
        "0 committed payment-1 by call_1",
        "0 refused key_reused",
        "0 replayed payment-1 to call_3",
    ]


def test_a_saved_error_is_replayed(play):
    """The first result of a key is kept, a failure too: the body is not asked again."""

    def agent(world):
        world.state["broken"].append(Declined("no funds"))
        for _ in range(2):
            with pytest.raises(Declined, match="no funds"):
                world.tools.by_key(order_id="A17", idempotency_key="k")
        return world.state["runs"]

    history = play(bank, agent).history
    assert history.ended.value == 1
    assert (history.ledger, history.of(Replayed)) == ([], [])
    assert [reply.outcome for reply in history.of(Replied)] == ["failed", "failed"]


def test_a_refused_request_keeps_nothing(play):
    """Wrong arguments never reached the point where a key is stored."""

    def agent(world):
        with pytest.raises(Exception, match="amount"):
            world.tools.by_key(order_id="A17", amount="much", idempotency_key="k")
        return world.tools.by_key(order_id="A17", amount=5, idempotency_key="k")

    history = play(bank, agent).history
    assert len(history.ledger) == 1
    assert history.ended.value["receipt"] == "r1"


def test_a_key_in_use_is_a_conflict(play):
    """409 while the first request runs; afterwards the same call is a replay."""

    async def agent(world):
        async def second():
            await asyncio.sleep(5)
            with pytest.raises(KeyConflict) as caught:
                await world.tools.slowly(order_id="A17", idempotency_key="k")
            return caught.value.status

        first = world.tools.slowly(order_id="A17", idempotency_key="k")
        _, status = await asyncio.gather(first, second())
        await world.tools.slowly(order_id="A17", idempotency_key="k")
        return status

    history = play(bank, agent).history
    assert history.ended.value == 409
    assert told(history, Committed, Refused, Replayed) == [
        "5 refused key_conflict",
        "10 committed payment-1 by call_1",
        "10 replayed payment-1 to call_3",
    ]


@pytest.mark.parametrize(("later", "effects"), [(DAY, 1), (DAY + 1, 2)])
def test_a_key_expires(play, later, effects):
    """After 24 virtual hours, and not before, the key is forgotten."""

    def agent(world):
        world.tools.by_key(order_id="A17", idempotency_key="k")
        world.clock.advance(later)
        world.tools.by_key(order_id="A17", idempotency_key="k")

    assert len(play(bank, agent).history.ledger) == effects


# scope


def test_a_scope_is_unique(play):
    """The business scope itself is recognised, whatever else the call says, without a date."""

    def agent(world):
        for amount in (1, 1, 2):
            world.tools.by_scope(order_id="A17", amount=amount)
        world.clock.advance(365 * DAY)
        world.tools.by_scope(order_id="A17")
        world.tools.by_scope(order_id="B2")

    history = play(bank, agent).history
    assert receipts(history) == ["r1", "r1", "r1", "r1", "r2"]
    assert [commit.call for commit in history.ledger] == ["call_1", "call_5"]


def test_a_failure_leaves_its_scope_free(play):
    """Nothing happened in that scope, so the next request is a first one."""

    def agent(world):
        world.state["broken"].append(Declined("no funds"))
        with pytest.raises(Declined):
            world.tools.by_scope(order_id="A17")
        world.tools.by_scope(order_id="A17")

    assert told(play(bank, agent).history, Committed, Refused) == [
        "0 refused tool_raised",
        "0 committed payment-1 by call_2",
    ]


# one request, delivered twice


@pytest.mark.parametrize(
    ("tool", "arguments", "second"),
    [
        ("plainly", {}, "0 committed payment-2 by call_1"),
        ("by_key", {}, "0 committed payment-2 by call_1"),
        ("by_key", {"idempotency_key": "k"}, "0 replayed payment-1 to call_1"),
        ("by_scope", {}, "0 replayed payment-1 to call_1"),
    ],
    ids=["none", "no key", "key", "scope"],
)
def test_delivered_twice(play, tool, arguments, second):
    """The second arrival takes effect unless the backend recognises it; the agent gets the
    first arrival's reply and sees nothing of the second."""

    def agent(world):
        return world.tools[tool](order_id="A17", **arguments)

    history = play(bank, agent, f"{tool}#1:twice").history
    assert told(history, Committed, Replayed) == ["0 committed payment-1 by call_1", second]
    assert history.ended.value["receipt"] == "r1"
    assert [reply.outcome for reply in history.of(Replied)] == ["applied"]


@pytest.mark.parametrize("tool", ["plainly", "slowly"])
def test_arrivals_are_numbered(play, tool):
    """The second arrival is told from the first, and so is its effect, awaited or not."""

    async def agent(world):
        await world.tools.aio[tool](order_id="A17")

    history = play(bank, agent, f"{tool}#1:twice").history
    for kind in (Delivered, Committed):
        assert [(event.call, event.nth) for event in history.of(kind)] == [
            ("call_1", 1),
            ("call_1", 2),
        ]


@pytest.mark.parametrize("tool", ["by_key", "by_scope"])
def test_a_retry_that_overtakes_its_first_attempt(play, tool):
    """The late request finds the retry's effect and is taken for the repeat that it is."""
    key = {"idempotency_key": "k"} if tool == "by_key" else {}

    def agent(world):
        for _ in range(2):
            with suppress(TimeoutError):
                world.tools[tool](order_id="A17", **key)

    history = play(bank, agent, f"{tool}#1:late/timeout").history
    assert told(history, Committed, Replayed) == [
        "30 committed payment-1 by call_2",
        "45 replayed payment-1 to call_1",
    ]


# effects


def test_effects_are_numbered_by_their_name(play):
    """`payment-2` is the second payment of the run; a tool that only reads commits nothing."""

    @scenario()
    def story(world):
        @world.tool(effect="payment")
        def pay(): ...

        @world.tool(effect="refund")
        def refund(): ...

        @world.tool
        def look(): ...

    def agent(world):
        for tool in ("pay", "look", "refund", "pay"):
            world.tools[tool]()

    found = [commit.effect_id for commit in play(story, agent).history.ledger]
    assert found == ["payment-1", "refund-1", "payment-2"]
