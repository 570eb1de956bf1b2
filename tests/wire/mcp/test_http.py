"""The world's tools over streamable HTTP: the official client, real sockets, frozen time."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
import uvicorn
from mcp import Client
from mcp.shared.exceptions import MCPError

from agentfuzz import Completion, Run, World, exactly_once, run, scenario
from agentfuzz.core.events import Called, Delivered, Refused, Replied
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Real
from agentfuzz.wire.mcp import mount
from agentfuzz.wire.server import serve
from agentfuzz.world.injector import FromPlan

pytestmark = pytest.mark.slow

A17 = {"order_id": "A17", "amount": 42}
ERAS = ("auto", "legacy")  # 2026-07-28, and the handshake with its sessions


@scenario(exactly_once("charge"), task="Charge order A17, 42.00 EUR.", max_crossings=20)
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int) -> dict[str, Any]:
        """Charge the customer's card."""
        if amount < 0:
            raise ValueError("the amount is negative")
        return {"charge_id": "ch_1", "amount": amount}

    @world.tool
    async def lookup(order_id: str) -> str:
        return "paid"


@contextmanager
def served(world: World) -> Iterator[str]:
    """The address of the world's MCP server, on a real loop in a thread of its own."""
    config = uvicorn.Config(mount(world), host="127.0.0.1", port=0, log_level="critical")
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)

    def work() -> None:
        loop = asyncio.SelectorEventLoop()
        loop.run_until_complete(server.serve())
        loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while not server.started:
        Real.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.should_exit = True
        thread.join(5)
        assert not thread.is_alive()


def under(plan: str, calls: Callable[[Any], Awaitable[Any]], era: str) -> tuple[Any, Run]:
    """What the calls return, and their run under a plan."""
    given: list[Any] = []

    async def talk(address: str) -> None:
        async with Client(address, mode=era, read_timeout_seconds=1.5) as client:
            given.append(await calls(client))

    def agent(world: World) -> Completion:
        loop = asyncio.SelectorEventLoop()
        with served(world) as address:
            loop.run_until_complete(talk(address))
        loop.close()
        return Completion.success()

    made = run(shop, agent, plan)
    return given[-1], made


@pytest.mark.parametrize("era", ERAS)
def test_everything_that_is_no_loss(era: str) -> None:
    """Listing, calls, refusals and protocol errors are what they are in memory."""

    async def calls(client: Any) -> list[Any]:
        [charge, lookup] = (await client.list_tools()).tools
        assert charge.annotations.destructive_hint
        assert lookup.annotations.read_only_hint
        found = []
        for arguments in (A17, {**A17, "amount": -1}, {"order_id": "A17"}):
            result = await client.call_tool("charge_card", arguments)
            found.append((result.is_error, result.content[0].text))
        with pytest.raises(MCPError) as caught:
            await client.call_tool("charge", A17)
        return [*found, caught.value.code]

    found, made = under("", calls, era)
    assert found == [
        (False, '{"charge_id": "ch_1", "amount": 42}'),
        (True, "the amount is negative"),
        (True, "charge_card: amount: Field required"),
        types.INVALID_PARAMS,
    ]
    kinds = [refused.kind for refused in made.history.of(Refused)]
    assert kinds == ["tool_raised", "invalid_arguments", "unknown_tool"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("reply", ["timeout", "error"])
def test_a_lost_reply_sent_again_commits_twice(era: str, reply: str) -> None:
    """The exchange of one request is lost, the session lives, and the repeat charges again."""

    async def calls(client: Any) -> int:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("charge_card", A17)
        result = await client.call_tool("charge_card", A17)
        assert not result.is_error
        return int(caught.value.code)

    code, made = under(f"charge_card#1:once/{reply}", calls, era)
    assert code == (types.REQUEST_TIMEOUT if reply == "timeout" else types.CONNECTION_CLOSED)
    assert [effect.call for effect in made.history.ledger] == ["call_1", "call_2"]
    assert [answer.outcome for answer in made.history.of(Replied)] == ["unknown", "applied"]
    assert "AF101" in {violation.code for violation in made.violations}


def test_a_request_delivered_twice_commits_twice_and_answers_once() -> None:
    """A duplicated request is one call with two arrivals."""

    async def calls(client: Any) -> Any:
        return await client.call_tool("charge_card", A17)

    result, made = under("charge_card#1:twice", calls, "auto")
    assert not result.is_error
    assert len(made.history.of(Called)) == 1
    assert [arrival.nth for arrival in made.history.of(Delivered)] == [1, 2]
    assert len(made.history.ledger) == 2


@pytest.mark.parametrize("era", ERAS)
def test_a_run_that_is_cut_off_breaks_every_exchange_and_not_the_server(era: str) -> None:
    """Past the budget nothing is answered any more, and the server still shuts down. (The client
    lists the tools once, by itself, and that is a crossing.)"""

    async def calls(client: Any) -> list[int]:
        codes = []
        for _ in range(shop.max_crossings + 2):
            try:
                await client.call_tool("lookup", {"order_id": "A17"})
            except MCPError as error:
                codes.append(error.code)
        return codes

    codes, made = under("", calls, era)
    assert codes == [types.CONNECTION_CLOSED] * 3
    assert len(made.history.of(Called)) == shop.max_crossings - 1


def test_the_server_of_a_world_has_it_at_slash_mcp() -> None:
    """`serve(world)` mounts the tools beside the model's faces, and ends them with the block."""
    before = set(threading.enumerate())

    async def talk(address: str) -> None:
        async with Client(address, read_timeout_seconds=1) as client:
            for reply in (types.REQUEST_TIMEOUT, types.CONNECTION_CLOSED):
                with pytest.raises(MCPError) as caught:
                    await client.call_tool("charge_card", A17)
                assert caught.value.code == reply

    def agent(world: World) -> None:
        loop = asyncio.SelectorEventLoop()
        with serve(world) as urls:
            assert urls.mcp is not None
            loop.run_until_complete(talk(urls.mcp))
        loop.close()

    with Simulation() as simulation:
        plan = FaultPlan.parse("charge_card#1:once/timeout + charge_card#2:lost/error=1")
        history = simulation.execute(shop, agent, FromPlan(plan))
    assert history.ended is not None
    assert history.ended.how == "returned", history.ended.detail
    assert [reply.outcome for reply in history.of(Replied)] == ["unknown", "unknown"]
    assert len(history.ledger) == 1
    assert set(threading.enumerate()) <= before
