"""The official Python client meets each end of a reply, over HTTP with its sessions and without."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp_types as types
from mcp import Client
from mcp.shared.exceptions import MCPError

from agentfuzz import World, exactly_once, scenario
from agentfuzz.core.events import Called, Struck
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.world.injector import FromPlan

from .raw import served

pytestmark = pytest.mark.slow
ERAS = ("auto", "legacy")  # 2026-07-28, and the handshake with its sessions
BROKEN = "the client did not survive it"


@scenario(exactly_once("charge"), task="Charge order A17.")
def shop(world: World) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> dict[str, str]:
        """Charge."""
        return {"charge_id": "ch_1"}

    @world.tool
    async def slow() -> str:
        """Take some real time."""
        await asyncio.sleep(0.2)
        return "done"


def talks(calls: Callable[[Any], Awaitable[Any]], era: str) -> Callable[[str], Any]:
    """A client that makes these calls; BROKEN, where its transport dies of one."""

    async def talk(url: str) -> Any:
        try:
            async with Client(url, mode=era, read_timeout_seconds=30) as client:
                return await calls(client)
        except* httpx2.TransportError:
            pass
        return BROKEN

    def run(url: str) -> Any:
        loop = asyncio.SelectorEventLoop()
        try:
            return loop.run_until_complete(talk(url))
        finally:
            loop.close()

    return run


def under(
    plan: str, calls: Callable[[Any], Awaitable[Any]], era: str, hold: float = 60.0
) -> tuple[Any, History]:
    """What the calls return under a plan, and the history."""
    return served(shop, plan, talks(calls, era), hold)


async def charge(client: Any, **more: Any) -> Any:
    """What a call gives, or the code of its error."""
    try:
        result = await client.call_tool("charge", {"order_id": "A17"}, **more)
    except MCPError as error:
        return error.code
    return result.structured_content


async def twice(client: Any) -> list[Any]:
    return [await charge(client), await charge(client)]


@pytest.mark.parametrize("era", ERAS)
def test_in_the_middle_of_a_stream_the_session_lives(era: str) -> None:
    """A call made again charges again."""
    found, history = under("charge#1:once/error=1", twice, era)
    assert found == [types.CONNECTION_CLOSED, {"charge_id": "ch_1"}]
    assert len(history.ledger) == 2


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("ending", ["once/error", "once/error=2", "once/timeout"])
def test_before_the_headers_the_client_dies(era: str, ending: str) -> None:
    """So it does in the middle of a JSON body: the SDK ends its transport, and a loop has to open
    another one. The effect has happened."""
    found, history = under(f"charge#1:{ending}", twice, era, hold=0.1)
    assert found == BROKEN
    assert len(history.ledger) == 1


@pytest.mark.parametrize("era", ERAS)
def test_a_timeout_is_ended_by_the_clients_patience(era: str) -> None:
    """As long as the server holds the connection longer."""

    async def calls(client: Any) -> list[Any]:
        return [await charge(client, read_timeout_seconds=0.1), await charge(client)]

    found, history = under("charge#1:once/timeout", calls, era)
    assert found == [types.REQUEST_TIMEOUT, {"charge_id": "ch_1"}]
    assert len(history.ledger) == 2


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("plan", "told"),
    [("", [0, 1, 2]), ("charge#1:once/error", [0]), ("charge#1:once/timeout", [0])],
)
def test_a_client_that_follows_the_progress_is_told(era: str, plan: str, told: list[int]) -> None:
    """What it has been told is the beginning of a reply, which then ends in the middle."""

    async def calls(client: Any) -> tuple[list[float], Any]:
        steps: list[float] = []

        async def follows(progress: float, total: float | None, message: str | None) -> None:
            assert total == 2
            steps.append(progress)

        said = await charge(client, progress_callback=follows)
        return steps, said

    found, _ = under(plan, calls, era, hold=0.1)
    assert found == (told, types.CONNECTION_CLOSED if plan else {"charge_id": "ch_1"})


def test_a_lost_session() -> None:
    """The client is told, and goes on being told."""
    found, history = under("mcp:call#1:session_lost", twice, "legacy")
    assert found == [types.INVALID_REQUEST] * 2
    assert not history.of(Called)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("kind", ["error", "timeout"])
def test_a_list_that_is_not_answered(era: str, kind: str) -> None:
    """A request like any other; another list is whole again."""

    async def calls(client: Any) -> Any:
        return [tool.name for tool in (await client.list_tools()).tools]

    found, history = under(f"mcp:list#1:{kind}", calls, era, hold=0.1)
    assert found == BROKEN
    assert [str(struck.slot) for struck in history.of(Struck)] == ["mcp:list#1"]
    assert under(f"mcp:list#2:{kind}", calls, era)[0] == ["charge", "slow"]


def test_a_list_can_be_given_up() -> None:
    """A client that has waited long enough goes on."""

    async def calls(client: Any) -> Any:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.list_tools(), 0.1)
        return await charge(client)

    found, _ = under("mcp:list#1:timeout", calls, "legacy")
    assert found == {"charge_id": "ch_1"}


def test_a_client_that_has_given_up_is_owed_nothing_and_the_next_one_is() -> None:
    """In virtual time a deadline comes when the server owes no reply, and not while it does."""

    async def agent(world: World) -> list[Any]:
        with world.serve() as urls:
            async with Client(urls.mcp, read_timeout_seconds=5) as client:
                given_up = [await charge(client) for _ in range(3)]
                return [*given_up, (await client.call_tool("slow", {})).content[0].text]

    plan = FaultPlan.parse("charge#1-3:once/timeout")
    with Simulation() as simulation:
        history = simulation.execute(shop, agent, FromPlan(plan))
    assert history.ended is not None
    assert history.ended.value == [types.REQUEST_TIMEOUT] * 3 + ["done"]
