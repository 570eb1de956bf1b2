"""What a tool asks its client in the middle of a call, and what a client asks to be told."""

import asyncio
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
from mcp import Client
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from agentfuzz import Completion, World, at_most_once, run, scenario
from agentfuzz.core.events import Replied
from agentfuzz.wire import mcp
from agentfuzz.wire.server import serve

SURE = {"type": "object", "properties": {"sure": {"type": "boolean"}}}
SLOW = 20.0  # virtual seconds until a person answers


@scenario(at_most_once("charge"), max_crossings=40)
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",), effect_if=lambda reply: reply == "charged")
    async def charge(order_id: str) -> str:
        """Asks before it charges."""
        ctx = mcp.context(world)
        said = await ctx.session.elicit_form("Sure?", SURE, related_request_id=ctx.request_id)
        return "charged" if said.action == "accept" else said.action

    @world.tool
    def lookup(order_id: str) -> str:
        return "paid"


async def answer(context: Any, params: Any) -> Any:
    """A person who takes a while."""
    assert params.message == "Sure?"
    await asyncio.sleep(SLOW)
    return types.ElicitResult(action="accept", content={"sure": True})


def asked(plan: str = "", *, http: bool = False, patience: float = 60, asks: Any = answer) -> Any:
    """What a call of `charge` is answered, and the run."""
    given: list[Any] = []

    async def talk(place: Any) -> None:
        client = Client(
            place, mode="legacy", elicitation_callback=asks, read_timeout_seconds=patience
        )
        async with client:
            try:
                result = await client.call_tool("charge", {"order_id": "A17"})
                given.append((result.is_error, result.content[0].text))
            except MCPError as error:
                given.append(error.code)

    async def agent(world: World) -> Completion:
        if http:
            with serve(world) as urls:
                await talk(urls.mcp)
        else:
            await talk(mcp.server(world))
        return Completion.success()

    made = run(shop, agent, plan)
    return given[-1], made


@pytest.mark.parametrize("http", [False, True], ids=["memory", "http"])
def test_a_tool_asks_its_client(http: bool) -> None:
    """The person's seconds are virtual ones, also where the server has a thread of its own."""
    found, made = asked(http=http)
    assert found == (False, "charged")
    assert len(made.history.ledger) == 1
    assert made.history.ended is not None
    assert made.history.ended.t == SLOW


@pytest.mark.parametrize("http", [False, True], ids=["memory", "http"])
def test_a_client_that_loses_its_patience_with_its_own_person(http: bool) -> None:
    """The call is given up before anything was charged."""
    found, made = asked(http=http, patience=5)
    assert found == types.REQUEST_TIMEOUT
    assert not made.history.ledger


def test_who_says_no_has_charged_nothing() -> None:
    """A refusal is an answer."""

    async def no(context: Any, params: Any) -> Any:
        return types.ElicitResult(action="decline")

    found, made = asked(asks=no)
    assert found == (False, "decline")
    assert not made.history.ledger


def test_a_client_that_cannot_be_asked() -> None:
    """The tool fails with the client's own words."""
    (is_error, words), made = asked(asks=None)
    assert is_error
    assert "not supported" in words
    assert not made.history.ledger


def test_a_call_that_arrives_twice_asks_twice() -> None:
    """A person who accepts both is charged twice."""
    found, made = asked("charge#1:twice")
    assert found == (False, "charged")
    assert len(made.history.ledger) == 2


@pytest.mark.parametrize("late", ["late/timeout", "late/error"])
def test_nobody_is_asked_by_what_arrives_late(late: str) -> None:
    """The tool is told that nobody waits, and charges nothing."""
    code, made = asked(f"charge#1:{late}")
    assert code in (types.REQUEST_TIMEOUT, types.CONNECTION_CLOSED)
    assert not made.history.ledger


def test_a_call_that_came_by_another_way_has_no_client() -> None:
    """The agent sees the failure of the tool."""

    async def agent(world: World) -> str:
        try:
            return str(await world.tools.charge(order_id="A17"))
        except MCPError as error:
            return error.message

    history = run(shop, agent).history
    [replied] = history.of(Replied)
    assert "no client of MCP waits for this call" in str(replied.body)


def test_a_tool_that_asks_for_ever_is_cut_off() -> None:
    """Each question counts as a crossing."""

    @scenario(max_crossings=10)
    def nagging(world: World) -> None:
        @world.tool
        async def nag() -> str:
            while True:
                mcp.context(world)

    async def agent(world: World) -> None:
        async with mcp.memory_client(world) as client:
            await client.call_tool("nag", {})

    ended = run(nagging, agent).history.ended
    assert ended is not None
    assert (ended.how, ended.error) == ("cut_off", "budget")


@pytest.mark.parametrize("plan", ["", "charge#1:twice", "charge#1:once/error=1"])
def test_two_runs_over_http_are_one_history(plan: str) -> None:
    """A question in the middle of a call does not make the threads race."""
    first, second = (asked(plan, http=True)[1].history.events for _ in range(2))
    assert first == second


@pytest.mark.parametrize("level", ["debug", "info", "warning"])
@pytest.mark.parametrize("http", [False, True], ids=["memory", "http"])
def test_a_client_that_sets_a_level_follows_its_calls(level: Any, http: bool) -> None:
    """The steps are told at `info`, before the reply; who wants warnings is told nothing."""
    told: list[Any] = []

    async def hear(params: Any) -> None:
        told.append((params.level, params.logger, params.data))

    async def talk(place: Any) -> None:
        async with Client(place, mode="legacy", logging_callback=hear) as client:
            await client.call_tool("lookup", {"order_id": "A17"})
            assert not told
            with pytest.warns(MCPDeprecationWarning):
                await client.set_logging_level(level)
            await client.call_tool("lookup", {"order_id": "A17"})
            said = [data for _, _, data in told]
            steps = ["has come in", "is answered by the backend", "has its reply under way"]
            assert said == [f"lookup {step}" for step in steps if level != "warning"]

    async def agent(world: World) -> None:
        if http:
            with serve(world) as urls:
                await talk(urls.mcp)
        else:
            await talk(mcp.server(world))

    ended = run(shop, agent).history.ended
    assert ended is not None
    assert ended.how == "returned", ended.detail
