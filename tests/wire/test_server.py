"""The loopback server: other processes, frozen time, many connections, and a clean end."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from agentfuzz import run, scenario
from agentfuzz.core.codec import digest
from agentfuzz.core.errors import AgentfuzzError, CutOff, ScenarioError
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.providers.turns import made_id
from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.thread_pools.gate import Gate
from agentfuzz.runtime.virtual_time import virtual_time
from agentfuzz.wire import openai_client, serve
from agentfuzz.wire.router import WireReply
from agentfuzz.world.injector import FromPlan
from agentfuzz.world.world import inside

from .parts import CHAT, FakeWorld, says

USER = {"role": "user", "content": "Pay."}


def ask(url: str, body: Any = None, timeout: float = 10.0) -> Any:
    given = {"model": "m", "messages": [USER]} if body is None else body
    request = urllib.request.Request(
        url.removesuffix("/v1") + CHAT,
        data=json.dumps(given).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=timeout) as reply:
        return json.load(reply)


def test_nothing_is_left_when_the_block_ends(replies: list[WireReply]) -> None:
    """No thread, no listening socket, no connection: also with clients still connected, one of
    them waiting for a reply that never comes."""
    before = threading.enumerate()
    world = FakeWorld(says("Done."), TimeoutError())
    begun = Real.monotonic()
    with serve(world, hold=3600.0) as urls:
        port = int(urls.anthropic.rpartition(":")[2])
        assert ask(urls.openai)["choices"][0]["message"]["content"] == "Done."
        idle = socket.create_connection(("127.0.0.1", port))
        waiting = socket.create_connection(("127.0.0.1", port))
        body = json.dumps({"model": "m", "messages": [USER]}).encode()
        head = (
            f"POST {CHAT} HTTP/1.1\r\nhost: localhost:{port}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        waiting.sendall(head.encode() + body)
        while len(world.model.shown) < 2:
            Real.sleep(0.01)
    assert Real.monotonic() - begun < 600
    assert threading.enumerate() == before
    for open_ in (idle, waiting):
        open_.settimeout(60)
        with suppress(ConnectionResetError):
            assert open_.recv(1) == b""
        open_.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_it_works_while_time_stands_still(replies: list[WireReply]) -> None:
    """Frozen time, a virtual `time.sleep` and a patched event loop are nothing to it; what it
    stamps its replies with is virtual."""
    with virtual_time() as clock:
        clock.advance(3600)
        with serve(FakeWorld(says("Done."), says("Done."), clock=clock)) as urls:
            first = ask(urls.openai)
            time.sleep(60)
            assert ask(urls.openai)["created"] - first["created"] == 60
        assert clock.now == 3660


def test_a_request_at_a_time(replies: list[WireReply]) -> None:
    """Connections may be many: the model is never asked twice at once, and no id comes twice."""
    world = FakeWorld(*[says("Done.") for _ in range(40)])
    inside, most, turn = [0], [0], world.model.turn

    def watched(*args: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        found = turn(*args)
        inside[0] -= 1
        return found

    world.model.turn = watched  # type: ignore[method-assign]
    with serve(world) as urls, ThreadPoolExecutor(8) as pool:
        ids = [found["id"] for found in pool.map(lambda _: ask(urls.openai), range(40))]
    assert most == [1]
    assert len(set(ids)) == 40


def test_in_process_and_over_sockets_at_once(replies: list[WireReply]) -> None:
    """One world, one face: clients on both sides get ids of one sequence."""
    world = FakeWorld(says("a"), says("b"), says("c"))
    inside = openai_client(world)
    with serve(world) as urls:
        found = [inside.chat.completions.create(model="m", messages=[USER]).id]
        found.append(ask(urls.openai)["id"])
        found.append(inside.chat.completions.create(model="m", messages=[USER]).id)
    assert found == [made_id("chatcmpl-", number) for number in (1, 2, 3)]


def test_the_budget_ends_the_run_of_another_process(replies: list[WireReply]) -> None:
    """Past the budget every connection is dropped, and the block ends with the CutOff that the
    thread could not raise in the agent."""
    world = FakeWorld(CutOff("budget"), CutOff("budget"))
    served = ExitStack()
    urls = served.enter_context(serve(world))
    for _ in range(2):
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            ask(urls.openai)
    with pytest.raises(CutOff, match="budget"):
        served.close()


def test_a_mistake_of_the_scenario_is_raised_at_the_end(replies: list[WireReply]) -> None:
    """The client gets a 500 that it does not retry; whoever serves gets the exception."""
    world = FakeWorld(ScenarioError("no such tool"))
    served = ExitStack()
    urls = served.enter_context(serve(world))
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(urls.openai)
    assert caught.value.headers["x-should-retry"] == "false"
    assert b"no such tool" in caught.value.read()
    with pytest.raises(ScenarioError, match="no such tool"):
        served.close()


def test_clients_are_hurried_unless_they_are_not_to_be(replies: list[WireReply]) -> None:
    """`retry-after-ms: 1` beside the honest Retry-After; `hurry=False` leaves it as it is."""
    from .test_faults import limited

    for hurry, said in ((True, "1"), (False, "7000")):
        with serve(FakeWorld(limited()), hurry=hurry) as urls:
            with pytest.raises(urllib.error.HTTPError) as caught:
                ask(urls.openai)
        assert caught.value.headers["retry-after-ms"] == said
        assert caught.value.headers["retry-after"] == "7"


def test_without_uvicorn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server needs a package that agentfuzz does not: the error names it."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(AgentfuzzError, match="pip install uvicorn"):
        with serve(FakeWorld()):
            pass


def test_the_urls() -> None:
    """What each SDK wants as its base URL, on this machine only."""
    with serve(FakeWorld()) as urls:
        assert urls.anthropic.startswith("http://127.0.0.1:")
        assert urls.openai == f"{urls.anthropic}/v1"
        assert urls.mcp in (None, f"{urls.anthropic}/mcp")


PROCESS = """
import json, os, urllib.request
url, shown = os.environ["OPENAI_BASE_URL"], [{"role": "user", "content": "Pay."}]
for turn in range(9):
    tools = [{"type": "function", "function": {"name": "charge"}}]
    body = json.dumps({"model": "m", "messages": shown, "tools": tools}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url + "/chat/completions", body, headers)
    message = json.load(urllib.request.urlopen(request))["choices"][0]["message"]
    shown.append(message)
    for call in message.get("tool_calls", ()):
        shown.append({"role": "tool", "tool_call_id": call["id"], "content": "ok"})
    if not message.get("tool_calls"):
        print(message["content"])
        break
"""


@scenario(task="Pay.", script=[("charge", {"order_id": "A17"}), "Paid."])
def paying(world: Any) -> None:
    @world.tool(effect="charge", scope=("order_id",))
    def charge(order_id: str) -> str:
        return "ok"


def test_an_agent_in_another_process() -> None:
    """A whole run in a simulation, with the agent in a process of its own."""

    def agent(world: Any) -> str:
        with serve(world) as urls:
            done = subprocess.run(
                [sys.executable, "-c", PROCESS],
                env={**os.environ, "OPENAI_BASE_URL": urls.openai},
                capture_output=True,
                text=True,
                check=True,
            )
        return done.stdout.strip()

    history = run(paying, agent).history
    assert history.ended is not None
    assert history.ended.value == "Paid."
    assert [type(event).__name__ for event in history.events].count("ModelTurn") == 2


def test_a_server_begins_without_a_wait_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate looks for what a thread of the run waits for in slices of real time: whoever serves
    waits for the server's own word."""
    waits: list[Any] = []
    until = Gate.until
    monkeypatch.setattr(Gate, "until", lambda *given: waits.append(given) or until(*given))

    def agent(world: Any) -> str:
        for _ in range(30):
            with serve(world):
                pass
        return "served"

    with Simulation() as simulation:
        history = simulation.execute(paying, agent, FromPlan())
    assert history.ended is not None
    assert history.ended.value == "served"
    assert not waits


def test_one_run_reaches_no_other_ones_world() -> None:
    """What a run leaves behind, a connection and a request that nobody has answered, ends with its
    block; its address is nobody's while the next run is served, which is the run that it would
    have been alone."""
    left: list[socket.socket] = []
    lost = FromPlan(FaultPlan.parse("model#1:timeout"))

    def leaves(world: Any) -> str:
        with serve(world, hold=3600.0) as urls:
            port = int(urls.anthropic.rpartition(":")[2])
            left.extend(socket.create_connection(("127.0.0.1", port)) for _ in range(2))
            body = json.dumps({"model": "m", "messages": [USER]}).encode()
            head = (
                f"POST {CHAT} HTTP/1.1\r\nhost: localhost:{port}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            left[-1].sendall(head.encode() + body)
            while len(inside(world).log) < 2:
                Real.sleep(0.001)
        return str(port)

    def asks(world: Any) -> int:
        with serve(world) as urls:
            for each in left:
                each.settimeout(60)
                with suppress(ConnectionError):
                    each.sendall(b"POST ")
                    assert each.recv(1) == b""
            for port in ports:
                if f":{port}" not in urls.anthropic:
                    with pytest.raises(ConnectionRefusedError):
                        socket.create_connection(("127.0.0.1", port))
            return len(ask(urls.openai)["choices"])

    ports: list[int] = []
    with Simulation() as simulation:
        alone = simulation.execute(paying, asks, FromPlan())
        first = simulation.execute(paying, leaves, lost)
        assert first.ended is not None
        ports.append(int(str(first.ended.value)))
        after = simulation.execute(paying, asks, FromPlan())
    assert digest(alone) == digest(after)
    assert after.ended is not None
    assert after.ended.value == 1
    for each in left:
        each.close()


async def _asks(world: Any, urls: Any, **given: Any) -> Any:
    """A loop of a few lines, over a socket."""
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=urls.openai, api_key="x", **given) as client:
        messages: list[Any] = [USER]
        tools: Any = [{"type": "function", "function": {"name": "charge"}}]
        while True:
            made = await client.chat.completions.create(model="m", messages=messages, tools=tools)
            message = made.choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls:
                text = world.call(call.function.name, json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": text})


def test_an_async_agent_in_the_same_process() -> None:
    """Waiting for the server takes no virtual time, however long it needs: the same history every
    time. A sleep beside it is virtual."""

    async def agent(world: Any) -> Any:
        with serve(world) as urls:
            said = await _asks(world, urls)
            await asyncio.sleep(3600)
            return said

    begun = Real.monotonic()
    with Simulation() as simulation:
        first, second = (simulation.execute(paying, agent, FromPlan()) for _ in range(2))
    assert first.ended is not None
    assert (first.ended.value, first.ended.t) == ("Paid.", 3600.0)
    assert {event.t for event in first.events[:-1]} == {0.0}
    assert digest(first) == digest(second)
    assert Real.monotonic() - begun < 600


def test_a_deadline_of_an_async_agent_beside_the_server() -> None:
    """It comes at its own virtual time when the model never answers, and at no other one."""

    async def agent(world: Any) -> Any:
        with serve(world, hold=600.0) as urls:
            try:
                async with asyncio.timeout(30):
                    return await _asks(world, urls, max_retries=0)
            except TimeoutError:
                return [world.clock.now]

    begun = Real.monotonic()
    with Simulation() as simulation:
        late = simulation.execute(paying, agent, FromPlan(FaultPlan.parse("model#1:timeout")))
        well = simulation.execute(paying, agent, FromPlan())
    assert late.ended is not None
    assert well.ended is not None
    assert late.ended.value == [pytest.approx(30.0, abs=1e-3)]
    assert (well.ended.value, well.ended.t) == ("Paid.", 0.0)
    assert Real.monotonic() - begun < 300


def test_an_async_agent_with_a_process_of_its_own() -> None:
    """The other process lives in real time: a deadline around it does not come early."""

    async def agent(world: Any) -> Any:
        with serve(world) as urls:
            async with asyncio.timeout(600):
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-c",
                    PROCESS,
                    env={**os.environ, "OPENAI_BASE_URL": urls.openai},
                    stdout=subprocess.PIPE,
                )
                said, _ = await process.communicate()
        return [said.decode().strip(), world.clock.now]

    history = run(paying, agent).history
    assert history.ended is not None
    assert history.ended.value == ["Paid.", 0.0]
