"""The world's tools as an MCP server, over the official client in memory and in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
from mcp.shared.exceptions import MCPError

from agentfuzz import Completion, World, exactly_once, run, scenario
from agentfuzz.core.events import Called, Delivered, Refused, Replied
from agentfuzz.core.history import History
from agentfuzz.wire.mcp import annotations, hints, memory_client

A17 = {"order_id": "A17", "amount": 42}
Calls = Callable[[Any], Awaitable[Any]]


@scenario(exactly_once("charge"), task="Charge order A17, 42.00 EUR.")
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int) -> dict[str, Any]:
        """Charge the customer's card."""
        if amount < 0:
            raise ValueError("the amount is negative")
        return {"charge_id": "ch_1", "amount": amount}

    @world.tool(effect="ship", scope=("order_id",), dedup="scope")
    async def ship(order_id: str) -> str:
        await asyncio.sleep(2)
        return f"shipped {order_id}"

    @world.tool(effect="refund", scope=("order_id",), dedup="key")
    def refund(order_id: str) -> str:
        return "refunded"

    @world.tool
    def lookup(order_id: str) -> str:
        return "paid"


def under(
    plan: str, calls: Calls, *, patience: float | None = 5, story: Any = shop
) -> tuple[Any, History]:
    """What the calls return, and the history of their run under a plan."""
    given: list[Any] = []

    async def agent(world: World) -> None:
        async with memory_client(world, read_timeout_seconds=patience) as client:
            given.append(await calls(client))

    history = run(story, agent, plan).history
    return given[-1] if given else None, history


def charge(client: Any) -> Any:
    return client.call_tool("charge_card", A17)


def words(result: Any) -> str:
    [content] = result.content
    return str(content.text)


def test_the_tools_are_listed_with_schema_words_and_hints() -> None:
    """A client sees of a tool what its declaration says."""
    listed, _ = under("", lambda client: client.list_tools())
    tools = {tool.name: tool for tool in listed.tools}
    assert list(tools) == ["charge_card", "ship", "refund", "lookup"]
    assert tools["charge_card"].description == "Charge the customer's card."
    schema = tools["charge_card"].input_schema
    assert schema["properties"]["amount"]["type"] == "integer"
    assert schema["required"] == ["order_id", "amount"]
    seen = {
        name: (hint.read_only_hint, hint.destructive_hint, hint.idempotent_hint)
        for name, hint in ((name, tool.annotations) for name, tool in tools.items())
    }
    assert seen == {
        "charge_card": (False, True, False),
        "ship": (False, True, True),
        "refund": (False, True, True),
        "lookup": (True, None, None),
    }
    assert "idempotency_key" in tools["refund"].input_schema["properties"]


@pytest.mark.parametrize(
    ("said", "declared"),
    [
        (None, {"effect": "pay", "dedup": "none"}),
        ({}, {"effect": "pay", "dedup": "none"}),
        ({"readOnlyHint": True, "idempotentHint": True}, {"effect": None, "dedup": "none"}),
        ({"idempotentHint": True}, {"effect": "pay", "dedup": "scope"}),
        ({"destructiveHint": False}, {"effect": "pay", "dedup": "none"}),
        ({"readOnlyHint": "yes"}, {"effect": "pay", "dedup": "none"}),
        (types.ToolAnnotations(read_only_hint=True), {"effect": None, "dedup": "none"}),
        (types.ToolAnnotations(idempotent_hint=True), {"effect": "pay", "dedup": "scope"}),
    ],
)
def test_hints_become_a_declaration(said: Any, declared: dict[str, Any]) -> None:
    """What a hint does not say is what the protocol says: it writes, and repeats count."""
    assert hints(said, "pay") == declared


@pytest.mark.parametrize("effect", [None, "pay"])
@pytest.mark.parametrize("dedup", ["none", "scope"])
def test_hints_survive_the_way_there_and_back(effect: str | None, dedup: str) -> None:
    """A declaration read back from its own hints is the same declaration."""
    dedup = dedup if effect else "none"
    assert hints(annotations(effect, dedup), "pay") == {"effect": effect, "dedup": dedup}


def test_a_call_is_one_crossing() -> None:
    """A tools/call request is called, delivered, committed and replied once."""
    result, history = under("", charge)
    assert not result.is_error
    assert words(result) == '{"charge_id": "ch_1", "amount": 42}'
    kinds = [type(event).__name__ for event in history.events]
    assert kinds == ["Called", "Delivered", "Committed", "Replied", "Ended"]


def test_the_bodys_exception_is_an_error_result_in_its_own_words() -> None:
    """A tool that raises answers with isError."""
    calls = {**A17, "amount": -1}
    result, history = under("", lambda client: client.call_tool("charge_card", calls))
    assert result.is_error
    assert words(result) == "the amount is negative"
    assert [refused.kind for refused in history.of(Refused)] == ["tool_raised"]


def test_wrong_arguments_are_an_error_result() -> None:
    """Arguments against the schema are answered with isError: a model can correct them."""
    result, history = under("", lambda client: client.call_tool("charge_card", {"order_id": 1}))
    assert result.is_error
    assert "amount: Field required" in words(result)
    assert [refused.kind for refused in history.of(Refused)] == ["invalid_arguments"]


def test_an_unknown_tool_is_a_protocol_error() -> None:
    """A tool that is not there is the protocol's own error, and a call in the history."""

    async def calls(client: Any) -> MCPError:
        with pytest.raises(MCPError, match="Unknown tool: no tool 'charge'") as caught:
            await client.call_tool("charge", A17)
        return caught.value

    error, history = under("", calls)
    assert error.code == types.INVALID_PARAMS
    assert "Did you mean 'charge_card'?" in str(error)
    assert [refused.kind for refused in history.of(Refused)] == ["unknown_tool"]


@pytest.mark.parametrize("delivery", ["once", "lost"])
def test_a_timeout_is_a_response_that_never_comes(delivery: str) -> None:
    """Only the client's own patience ends the wait, at its own time."""

    async def calls(client: Any) -> MCPError:
        with pytest.raises(MCPError) as caught:
            await charge(client)
        return caught.value

    for patience in (5, 100):
        error, history = under(f"charge_card#1:{delivery}/timeout", calls, patience=patience)
        assert error.code == types.REQUEST_TIMEOUT
        assert history.events[-1].t == patience
        assert [reply.outcome for reply in history.of(Replied)] == ["unknown"]
        assert len(history.ledger) == (delivery == "once")


def test_without_patience_a_lost_response_hangs_the_run() -> None:
    """The SDK's default waits for ever: the run is cut off, in no time."""
    _, history = under("charge_card#1:once/timeout", charge, patience=None)
    assert history.ended is not None
    assert (history.ended.how, history.ended.error) == ("cut_off", "hung")


async def insist(client: Any) -> Any:
    """A client that sends the request again when it has lost the response."""
    try:
        return await charge(client)
    except MCPError as error:
        if error.code not in (types.REQUEST_TIMEOUT, types.CONNECTION_CLOSED):
            raise
        return await charge(client)


@pytest.mark.parametrize("reply", ["timeout", "error"])
def test_a_lost_reply_sent_again_commits_twice(reply: str) -> None:
    """A response lost after the commit and a request sent again are two charges (AF101)."""

    async def agent(world: World) -> Completion:
        async with memory_client(world, read_timeout_seconds=5) as client:
            await insist(client)
        return Completion.success()

    made = run(shop, agent, f"charge_card#1:once/{reply}")
    assert [effect.call for effect in made.history.ledger] == ["call_1", "call_2"]
    assert "AF101" in {violation.code for violation in made.violations}


def test_a_request_delivered_twice_commits_twice_and_answers_once() -> None:
    """A duplicated request is one call with two arrivals."""
    result, history = under("charge_card#1:twice", charge)
    assert not result.is_error
    assert len(history.of(Called)) == len(history.of(Replied)) == 1
    assert [arrival.nth for arrival in history.of(Delivered)] == [1, 2]
    assert len(history.ledger) == 2


def test_a_429_says_how_long_to_wait() -> None:
    """Too many requests is an error result with the seconds in its words."""
    result, history = under("charge_card#1:lost/rate_limited", charge)
    assert result.is_error
    assert words(result) == "charge_card: 429 too many requests, retry after 1 s"
    assert not history.ledger


@pytest.mark.parametrize("reply", ["truncated", "ambiguous", "malformed", "wrong", "hostile"])
def test_a_damaged_reply_is_the_text_that_it_is(reply: str) -> None:
    """Damage is content like any other: no flag gives it away."""
    result, history = under(f"charge_card#1:once/{reply}", charge)
    assert not result.is_error
    assert words(result) != '{"charge_id": "ch_1", "amount": 42}'
    assert len(history.ledger) == 1


def test_the_scenarios_own_way_of_timing_out_is_kept() -> None:
    """raise_as(timeout="text") is an error text, which a response can carry."""

    @scenario()
    def patient(world: World) -> None:
        world.raise_as(timeout="text")
        shop.build(world)

    result, _ = under("charge_card#1:once/timeout", charge, patience=None, story=patient)
    assert words(result).startswith("Error: charge_card timed out")
