"""MCP as bytes: requests of the handshake era without a client, for what no client would send."""

import http.client
import json
from collections.abc import Callable
from typing import Any

from agentfuzz import World
from agentfuzz.core.history import History
from agentfuzz.core.plan import FaultPlan
from agentfuzz.engine.simulation import Simulation
from agentfuzz.wire.server import serve
from agentfuzz.world.injector import FromPlan

VERSION = "2025-06-18"
HEADERS = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
}
HELLO = {
    "protocolVersion": VERSION,
    "capabilities": {},
    "clientInfo": {"name": "raw", "version": "1"},
}


class Raw:
    """A client that remembers its session, if it has opened one."""

    def __init__(self, url: str) -> None:
        self.port = int(url.split(":")[-1].split("/")[0])
        self.headers = dict(HEADERS)

    def ask(self, method: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        """One HTTP request, on a connection of its own; the response is not read yet."""
        given = {**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = body if isinstance(body, bytes | None) else json.dumps(body)
        connection.request(method, "/mcp", data, given)
        return connection.getresponse()

    def post(self, method: str, params: Any = None, id: Any = 1, **headers: str) -> Any:
        """A request of the protocol: its status and its answer."""
        body = {"jsonrpc": "2.0", "method": method}
        body |= {} if id is None else {"id": id}
        body |= {} if params is None else {"params": params}
        response = self.ask("POST", body, **headers)
        return response.status, answer(response)

    def opened(self, version: str = VERSION) -> str:
        """Open a session: the version that was agreed on."""
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize"}
        response = self.ask("POST", {**body, "params": {**HELLO, "protocolVersion": version}})
        agreed = answer(response)["result"]["protocolVersion"]
        self.headers["mcp-session-id"] = response.headers["mcp-session-id"]
        self.headers["mcp-protocol-version"] = agreed
        assert self.post("notifications/initialized", id=None)[0] == 202
        return str(agreed)


def answer(response: http.client.HTTPResponse) -> Any:
    """The last message of a reply, if there is one."""
    text = response.read().decode()
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        events = [line.removeprefix("data: ") for line in text.splitlines() if "data: {" in line]
        text = events[-1]
    return json.loads(text) if text else None


def served(
    story: Any, plan: str, talk: Callable[[str], Any], hold: float = 60.0
) -> tuple[Any, History]:
    """What `talk` returns of the address of a world's MCP server, and the history of the run."""
    given: list[Any] = []

    def agent(world: World) -> None:
        with serve(world, hold=hold) as urls:
            given.append(talk(str(urls.mcp)))

    with Simulation() as simulation:
        history = simulation.execute(story, agent, FromPlan(FaultPlan.parse(plan)))
    ended = history.ended
    assert ended is not None
    assert ended.how == "returned", ended.detail
    return given[0], history
