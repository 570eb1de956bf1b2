"""MCP clients: an application's own sessions under faults, against a real server."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp
from mcp.server.mcpserver import Image, MCPServer

from agentfuzz import Completion, adapters, exactly_once, run, scenario
from agentfuzz.core.events import Called, Delivered, Refused

PAID: list[str] = []
CHARGE = {"effect": "charge", "scope": ("order_id",)}


def server() -> MCPServer:
    """A server with state of its own."""
    found = MCPServer("till")

    @found.tool()
    def charge(order_id: str, cents: int = 42) -> dict[str, Any]:
        if order_id == "gone":
            raise LookupError("no such order")
        PAID.append(order_id)
        return {"charge_id": f"ch_{len(PAID)}", "cents": cents}

    @found.tool()
    def find(order_id: str) -> str:
        return f"order {order_id}"

    return found


@scenario(exactly_once("charge"), task="Charge order A17.")
def till(world):
    PAID.clear()
    adapters.mcp.tap(world, charge=CHARGE)


async def charges(world, order="A17", tries=2, patience=5.0):
    """A client with a retry of its own."""
    async with mcp.Client(server(), read_timeout_seconds=patience) as client:
        await client.call_tool("find", {"order_id": order})
        for _ in range(tries):
            try:
                done = await client.call_tool("charge", {"order_id": order})
            except mcp.MCPError as error:
                world.state["error"] = (error.code, str(error))
                continue
            if not done.is_error:
                return Completion.success(handle=str(done.structured_content))
            return Completion.blocked(reason="other")
    return Completion.blocked(reason="outcome_unknown")


def events(found, kind):
    return [event for event in found.history.events if type(event) is kind]


def test_the_calls_of_a_session_are_the_worlds():
    found = run(till, charges)
    found.check()
    assert [(one.slot.name, one.args) for one in events(found, Called)] == [
        ("find", {"order_id": "A17"}),
        ("charge", {"order_id": "A17"}),
    ]
    assert PAID == ["A17"]


def test_a_lost_reply_comes_as_the_sdks_own_timeout():
    """And the client's own retry charges twice."""
    errors = []

    async def agent(world):
        try:
            return await charges(world)
        finally:
            errors.append(world.state.get("error"))

    found = run(till, agent, "charge#1:once/timeout")
    assert errors[-1][0] == 408
    assert next(one.code for one in found.violations) == "AF101"
    assert PAID[-2:] == ["A17", "A17"]


def test_a_session_without_a_timeout_waits_for_ever():
    """The protocol has none of its own."""
    found = run(till, lambda world: charges(world, patience=None), "charge#1:once/timeout")
    assert [one.code for one in found.violations] == ["AF203"]
    assert PAID == ["A17"]


def test_a_closed_connection_is_one():
    codes = []

    async def agent(world):
        with suppress(mcp.MCPError):
            return await charges(world, tries=1)
        codes.append(world.state["error"][0])
        return Completion.blocked(reason="outcome_unknown")

    run(till, lambda world: agent(world), "charge#1:once/error").check()


def test_a_call_that_comes_twice_is_carried_out_twice():
    found = run(till, charges, "charge#1:twice")
    assert len(events(found, Delivered)) == 3
    assert next(one.code for one in found.violations) == "AF102"


def test_an_error_of_the_server_is_no_effect():
    async def agent(world):
        return await charges(world, order="gone")

    @scenario()
    def story(world):
        adapters.mcp.tap(world, charge=CHARGE)

    found = run(story, agent)
    assert [one.kind for one in events(found, Refused)] == ["answered_no"]
    assert not found.history.effects


def test_a_damaged_reply_is_a_result_of_the_protocol():
    seen = []

    async def agent(world):
        async with mcp.Client(server()) as client:
            done = await client.call_tool("find", {"order_id": "A17"})
            seen.append(done)
        return Completion.blocked(reason="other")

    @scenario()
    def story(world):
        adapters.mcp.tap(world)

    run(story, agent, "find#1:once/ambiguous")
    assert seen[0].content[0].text == "order A17"
    assert seen[1].content[0].text == "accepted"
    assert not seen[1].is_error


def test_a_run_leaves_the_sdk_as_it_was():
    before = mcp.ClientSession.call_tool.__code__
    run(till, charges)
    assert mcp.ClientSession.call_tool.__code__ is before

    async def alone():
        async with mcp.Client(server()) as client:
            return await client.call_tool("find", {"order_id": "B1"})

    assert asyncio.run(alone()).content[0].text == "order B1"


def named(word: str) -> MCPServer:
    """One of several servers whose tools have the same name."""
    found = MCPServer(word)

    @found.tool()
    def find(order_id: str) -> str:
        return word

    @found.tool()
    def photo(nth: int) -> Image:
        return Image(data=bytes([nth]), format="png")

    return found


@scenario()
def reading(world):
    adapters.mcp.tap(world)


def test_results_that_say_nothing_are_not_mistaken_for_each_other():
    seen = []

    async def agent(world):
        async with mcp.Client(named("one")) as client:
            found = [await client.call_tool("photo", {"nth": nth}) for nth in (1, 2, 1)]
        seen.extend(one.content[0].data for one in found)
        return Completion.blocked(reason="other")

    run(reading, agent)
    assert seen[0] == seen[2] != seen[1]


async def both(world):
    """The same question, to two servers at once."""
    async with mcp.Client(named("one")) as one, mcp.Client(named("two")) as two:
        found = await asyncio.gather(
            one.call_tool("find", {"order_id": "A"}), two.call_tool("find", {"order_id": "A"})
        )
        await asyncio.sleep(60)
    world.state["found"] = [answer.content[0].text for answer in found]
    return Completion.blocked(reason="other")


@pytest.mark.parametrize("plan", ["", "schedule:find#1:preempted", "find#1:twice"])
def test_equal_calls_of_two_sessions_are_two_calls(plan):
    seen = []

    async def agent(world):
        said = await both(world)
        seen.append(world.state["found"])
        return said

    run(reading, agent, *([plan] if plan else []))
    assert set(map(tuple, seen)) == {("one", "two")}


def test_a_late_call_arrives_at_the_server_of_its_session():
    """Though the same call of another session is under way when it does."""
    arrived = []

    def counting(word: str) -> MCPServer:
        found = MCPServer(word)

        @found.tool()
        async def charge(order_id: str) -> str:
            arrived.append(word)
            await asyncio.sleep(60)
            return word

        return found

    async def agent(world):
        async with mcp.Client(counting("one")) as one, mcp.Client(counting("two")) as two:
            with suppress(mcp.MCPError):
                await one.call_tool("charge", {"order_id": "A17"})
            await two.call_tool("charge", {"order_id": "A17"})
            await asyncio.sleep(120)
        return Completion.blocked(reason="outcome_unknown")

    @scenario()
    def story(world):
        adapters.mcp.tap(world, charge=CHARGE)

    run(story, agent, "charge#1:late/timeout")
    assert sorted(arrived[-2:]) == ["one", "two"]
