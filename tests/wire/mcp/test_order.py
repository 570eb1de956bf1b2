"""The order of things over MCP: parallel calls, the model's slots, cuts, the same run twice."""

import asyncio
import time
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

from mcp import Client, ClientSession
from mcp.shared.exceptions import MCPError

from agentfuzz import Completion, World, call, run, scenario
from agentfuzz.core.codec import digest
from agentfuzz.core.events import Called, Done, Replied
from agentfuzz.runtime.clock import Clock
from agentfuzz.wire.mcp import memory_client, server, tool_list
from agentfuzz.world.injector import FromPlan

from .test_in_memory import A17, charge, insist, shop, under, words


def test_an_async_body_takes_virtual_time_and_its_cancellation_is_seen() -> None:
    """A client that gives up cancels a body that is still running: nothing is committed."""

    async def calls(client: Any) -> None:
        with pytest.raises(MCPError):
            await client.call_tool("ship", {"order_id": "A17"}, read_timeout_seconds=1)
        await client.call_tool("ship", {"order_id": "A17"})

    _, history = under("", calls)
    assert [(effect.t, effect.call) for effect in history.ledger] == [(3.0, "call_2")]
    assert [reply.outcome for reply in history.of(Replied)] == ["unknown", "applied"]


def test_parallel_calls_keep_the_clients_order() -> None:
    """Requests on their way together arrive in the order in which they were sent."""

    async def calls(client: Any) -> list[str]:
        orders = ("A17", "B9", "C3")
        jobs = [client.call_tool("ship", {"order_id": order}) for order in orders]
        return [words(result) for result in await asyncio.gather(*jobs)]

    shipped, history = under("", calls)
    assert shipped == ["shipped A17", "shipped B9", "shipped C3"]
    assert [called.args["order_id"] for called in history.of(Called)] == ["A17", "B9", "C3"]
    assert history.events[-1].t == 2.0


def test_the_same_plan_gives_the_same_history_and_no_second_passes() -> None:
    """In memory a run is deterministic, and its minutes are virtual."""
    plan = "charge_card#1:once/timeout + charge_card#2:late/timeout@100"

    async def calls(client: Any) -> None:
        with pytest.raises(MCPError):
            await insist(client)

    began = time.monotonic()
    histories = [under(plan, calls, patience=60)[1] for _ in range(2)]
    assert time.monotonic() - began < 60
    assert histories[0].events[-1].t == 160.0
    assert digest(histories[0]) == digest(histories[1])


def test_parallel_calls_have_each_their_own_fault() -> None:
    """Failures of one moment are not taken for one another."""

    async def calls(client: Any) -> list[str]:
        jobs = [charge(client) for _ in range(4)]
        found = await asyncio.gather(*jobs, return_exceptions=True)
        return [str(one) if isinstance(one, MCPError) else words(one) for one in found]

    plan = "charge_card#1:once/error + charge_card#2:lost/rate_limited + charge_card#3:lost/timeout"
    found, _ = under(plan, calls)
    assert found == [
        "charge_card: connection reset by peer",
        "charge_card: 429 too many requests, retry after 1 s",
        "Request 'tools/call' timed out",
        '{"charge_id": "ch_1", "amount": 42}',
    ]


def test_a_connection_closed_in_mid_call_gives_up_every_call_in_order() -> None:
    """What is under way when the client leaves is given up in the order in which it came."""

    async def calls(client: Any) -> None:
        for order in range(12):
            job = client.call_tool("ship", {"order_id": str(order)})
            jobs.append(asyncio.ensure_future(job))
        await asyncio.sleep(1)

    for _ in range(3):
        jobs: list[Any] = []
        _, history = under("", calls, patience=None)
        given_up = [reply.call for reply in history.of(Replied)]
        assert given_up == [f"call_{number}" for number in range(1, 13)]
        assert not history.ledger


def test_the_budget_cuts_off_a_client_that_never_stops() -> None:
    """A client that calls for ever is cut off like any agent."""

    async def calls(client: Any) -> None:
        while True:
            await client.call_tool("lookup", {"order_id": "A17"})

    _, history = under("", calls)
    assert history.ended is not None
    assert (history.ended.how, history.ended.error) == ("cut_off", "budget")
    assert len(history.of(Called)) == shop.max_crossings


def test_the_done_tool_is_there_when_it_is_offered() -> None:
    """A completion event over MCP; a bad one is an error result."""

    @scenario(script=[("charge_card", A17), Completion.success(handle="ch_1")])
    def closing(world: World) -> None:
        shop.build(world)

    async def calls(client: Any) -> list[bool]:
        assert (await client.list_tools()).tools[-1].name == "done"
        bad = await client.call_tool("done", {"status": "perfect"})
        good = await client.call_tool("done", {"status": "success", "handle": "ch_1"})
        return [bad.is_error, good.is_error]

    seen, history = under("", calls, story=closing)
    assert seen == [True, False]
    assert [bool(done.problem) for done in history.of(Done)] == [True, False]
    assert "done" not in [tool.name for tool in tool_list(shop.world(FromPlan(), Clock()))]


def test_a_call_that_the_model_asked_for_has_the_models_slot() -> None:
    """Slots follow the model's order of calls, whether or not the client passes its ids on."""

    @scenario(
        script=[
            [call("charge_card", order_id="A17", amount=1), call("charge_card", **A17)],
            "All charged.",
        ]
    )
    def two(world: World) -> None:
        shop.build(world)

    for told in (False, True):

        async def agent(world: World, told: bool = told) -> None:
            asked = world.model([{"role": "user", "content": world.task}])["tool_calls"]
            async with memory_client(world) as client:
                for one in (*reversed(asked), asked[0]):
                    meta = {"agentfuzz/call_id": one["id"]} if told else None
                    await client.call_tool(one["name"], one["arguments"], meta=meta)

        called = run(two, agent).history.of(Called)
        assert [event.slot.nth for event in called] == [2, 1, 3]
        assert [event.asked for event in called[:2]] == ["tc_2", "tc_1"]


def test_the_session_of_the_sdk_and_both_eras_work() -> None:
    """`.session` is the SDK's ClientSession, and a client of the handshake era is served too."""

    async def agent(world: World) -> None:
        async with memory_client(world) as client:
            assert isinstance(client.session, ClientSession)
            assert client.protocol_version == "2026-07-28"
        async with Client(server(world), mode="legacy") as client:
            assert client.protocol_version < "2026"
            assert words(await client.call_tool("lookup", {"order_id": "A17"})) == "paid"

    ended = run(shop, agent).history.ended
    assert ended is not None
    assert ended.how == "returned", ended.detail
