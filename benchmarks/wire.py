"""What a turn through the wire face costs, against the same turn of the SDK alone.

    python benchmarks/wire.py

*stub* is the official client on a transport that answers with canned bytes: what the SDK itself
costs to build a request, and to read this very reply. *wire* is the same client on a world: the
same request is read and shown to the simulated model, which plans the same turn, and its reply is
written as the provider writes it. The turn is the second of a conversation, with one tool result
in it, and has two parallel calls; plain, and as a stream of events read to its end.

CPU time a turn; cases interleaved in one process, medians of the turns and of the ratios within
each turn. Goal: twice the stub.

The second table is of `world.serve()`: a run that serves its world and asks nothing, and runs that
ask so many times over one connection, with a bare HTTP client that costs next to nothing. CPU time
(of agent, server and client) and time by the wall, which shows whether anybody waits in vain.
Goal: 3 ms a turn.
"""

import http.client
import json
from collections.abc import Callable
from statistics import median
from typing import Any

from _measure import cpu, interleaved, ratio, table

from agentfuzz import World, scenario
from agentfuzz.engine.simulation import Simulation
from agentfuzz.runtime.clock import Clock, Real
from agentfuzz.wire import anthropic_client, openai_client
from agentfuzz.world.injector import FromPlan

TURNS = 40
REPETITIONS = 9
RUNS, ASKED = 10, 5
ORDER = {"order_id": "A17"}


@scenario(
    task="Charge A17, send the receipt.",
    script=[
        ("lookup_order", ORDER),
        [("charge_card", {**ORDER, "amount": 4200}), ("send_receipt", ORDER)],
        "Done.",
    ],
    max_crossings=10**9,
)
def billing(world: World) -> None:
    @world.tool
    def lookup_order(order_id: str) -> dict:
        """Look an order up."""
        return {}

    @world.tool(effect="charge", scope=("order_id",))
    def charge_card(order_id: str, amount: int) -> dict:
        """Charge the customer's card for an order, in cents."""
        return {}

    @world.tool(effect="receipt", scope=("order_id",))
    def send_receipt(order_id: str) -> dict:
        """Send the receipt of an order to its customer by e-mail."""
        return {}


class Stub:
    """A transport that answers every request with the same bytes."""

    def __init__(self, library: Any, headers: dict, content: bytes | list[bytes]) -> None:
        self._library, self._headers, self._content = library, headers, content

    def handle_request(self, request: Any) -> Any:
        request.read()
        content = self._content
        if isinstance(content, list):
            content = iter(content)
        return self._library.Response(200, headers=self._headers, content=content, request=request)

    def close(self) -> None:
        pass


FOUND = json.dumps({"order_id": "A17", "amount": 4200, "currency": "EUR", "status": "open"})


def chat(client: Any, world: World, stream: bool) -> Callable[[], object]:
    tools = [
        {
            "type": "function",
            "function": {"name": n, "description": t.description, "parameters": t.schema},
        }
        for n, t in world.tools.items()
    ]
    function = {"name": "lookup_order", "arguments": json.dumps(ORDER)}
    messages = [
        {"role": "system", "content": "You are a billing agent."},
        {"role": "user", "content": world.task},
        {
            "role": "assistant",
            "tool_calls": [{"id": "tc_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "tc_1", "content": FOUND},
    ]
    given: dict = {"model": "m", "messages": messages, "tools": tools}
    create = client.chat.completions.create
    if stream:
        return lambda: list(create(stream=True, **given))
    return lambda: create(**given)


def responses(client: Any, world: World, stream: bool) -> Callable[[], object]:
    tools = [
        {"type": "function", "name": n, "description": t.description, "parameters": t.schema}
        for n, t in world.tools.items()
    ]
    items = [
        {"role": "user", "content": world.task},
        {
            "type": "function_call",
            "call_id": "tc_1",
            "name": "lookup_order",
            "arguments": json.dumps(ORDER),
        },
        {"type": "function_call_output", "call_id": "tc_1", "output": FOUND},
    ]
    given: dict = {"model": "m", "input": items, "tools": tools}
    given["instructions"] = "You are a billing agent."
    create = client.responses.create
    if stream:
        return lambda: list(create(stream=True, **given))
    return lambda: create(**given)


def messages(client: Any, world: World, stream: bool) -> Callable[[], object]:
    tools = [
        {"name": n, "description": t.description, "input_schema": t.schema}
        for n, t in world.tools.items()
    ]
    use = {"type": "tool_use", "id": "tc_1", "name": "lookup_order", "input": ORDER}
    result = {"type": "tool_result", "tool_use_id": "tc_1", "content": FOUND}
    shown = [
        {"role": "user", "content": world.task},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [result]},
    ]
    given: dict = {"model": "m", "max_tokens": 99, "messages": shown, "tools": tools}
    given["system"] = "You are a billing agent."
    create = client.messages.create
    if stream:
        return lambda: list(create(stream=True, **given))
    return lambda: create(**given)


def fresh(make: Callable[[World], Any]) -> tuple[World, Any]:
    """A world whose model has made its first turn, and a client of it."""
    world = billing.world(FromPlan(), Clock())
    world.model([{"role": "user", "content": world.task}], None)
    return world, make(world)


def canned(make: Callable[[World], Any], turn: Any, stream: bool) -> Callable[[], object]:
    """The same turn on a stub transport, with the bytes that the face gives for it."""
    world, client = fresh(make)
    transport = client._client._transport
    library = transport._library
    kept: list[Any] = []
    ask = transport._ask
    transport._ask = lambda *a: kept.append(ask(*a)) or kept[-1]
    turn(client, world, stream)()
    reply = kept[0]
    content = list(reply.chunks) if stream else reply.body
    stub = Stub(library, dict(reply.headers), content)
    client = client.with_options(http_client=library.Client(transport=stub, trust_env=False))
    return turn(client, world, stream)


CHAT = ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "?"}]}, {})
_VERSION, _META = "2026-07-28", "io.modelcontextprotocol/"
_CALL = {
    "name": "lookup_order",
    "arguments": ORDER,
    "_meta": {f"{_META}protocolVersion": _VERSION, f"{_META}clientCapabilities": {}},
}
MCP = (
    "/mcp",
    {"jsonrpc": "2.0", "id": "1", "method": "tools/call", "params": _CALL},
    {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": _VERSION,
        "mcp-method": "tools/call",
        "mcp-name": "lookup_order",
    },
)


def asking(times: int, what: Any) -> Callable[[World], str]:
    """An agent that serves its world and asks for one thing so many times."""
    path, body, headers = what
    headers = {"content-type": "application/json", **headers}

    def agent(world: World) -> str:
        with world.serve() as urls:
            client = http.client.HTTPConnection("127.0.0.1", int(urls.anthropic.split(":")[-1]))
            for _ in range(times):
                client.request("POST", path, json.dumps(body), headers)
                answer = client.getresponse()
                said = answer.read()
                assert answer.status == 200, said
            client.close()
        return "asked"

    return agent


def served() -> None:
    """What it costs to serve, and to be asked over a socket."""
    agents = {
        "not served": (0, lambda world: "asked"),
        "served": (0, asking(0, CHAT)),
        "a model turn": (ASKED, asking(ASKED, CHAT)),
        "an MCP call": (ASKED, asking(ASKED, MCP)),
    }
    walls: dict[str, list[float]] = {name: [] for name in agents}
    with Simulation(run_timeout=60.0) as simulation:

        def run(name: str) -> float:
            def runs() -> None:
                for _ in range(RUNS):
                    begun = Real.monotonic()
                    history = simulation.execute(billing, agents[name][1], FromPlan())
                    walls[name].append(Real.monotonic() - begun)
                    assert history.ended is not None
                    assert history.ended.value == "asked", history.ended

            return cpu(runs) / RUNS

        found = interleaved({name: lambda name=name: run(name) for name in agents}, REPETITIONS)
    base = median(found["served"]), median(walls["served"])
    rows = []
    for name, (asked, _) in agents.items():
        both = median(found[name]), median(walls[name])
        each = [(b - at) / asked for b, at in zip(both, base, strict=True)] if asked else []
        rows.append(
            (name, *(f"{one * 1e3:.2f}" for one in (*both, *each))) + ("",) * (2 - len(each))
        )
    header = ("", "ms a run, CPU", "wall", "ms a turn, CPU", "wall")
    table(f"serving on loopback, {ASKED} turns a run, goal 3 ms a turn", header, rows)


def main() -> None:
    faces()
    served()


def faces() -> None:
    """What the faces cost in process."""
    rows = []
    for name, make, turn in (
        ("chat", openai_client, chat),
        ("responses", openai_client, responses),
        ("messages", anthropic_client, messages),
    ):
        for stream in (False, True):
            stub = canned(make, turn, stream)

            def on_stub(stub: Callable[[], object] = stub) -> float:
                return cpu(lambda: [stub() for _ in range(TURNS)]) / TURNS

            def on_wire(make: Any = make, turn: Any = turn, stream: bool = stream) -> float:
                world, client = fresh(make)  # a history as long as a run's, not a benchmark's
                ask = turn(client, world, stream)
                ask()
                return cpu(lambda: [ask() for _ in range(TURNS)]) / TURNS

            found = interleaved({"stub": on_stub, "wire": on_wire}, REPETITIONS)
            rows.append(
                (
                    f"{name}{', streamed' if stream else ''}",
                    f"{median(found['stub']) * 1e6:.0f}",
                    f"{median(found['wire']) * 1e6:.0f}",
                    f"{ratio(found, 'wire', 'stub'):.2f}",
                )
            )
    header = ("", "us a turn, stub", "us a turn, wire", "x stub")
    table("a turn of the official client, goal 2.0 x stub", header, rows)


if __name__ == "__main__":
    main()
