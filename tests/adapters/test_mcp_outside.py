"""MCP sessions with a server that lives in real time: over HTTP, on a loopback address."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("mcp_types", reason="needs the MCP SDK: pip install 'mcp>=2,<3'")

import mcp

from agentfuzz import Completion, adapters, exactly_once, run, scenario
from agentfuzz.core.codec import digest
from agentfuzz.runtime.clock import Real

ANSWERS = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "till", "version": "1"},
    },
    "tools/list": {"tools": [{"name": "charge", "inputSchema": {"type": "object"}}]},
    "tools/call": {"content": [{"type": "text", "text": "ch_1"}]},
}


class Till(BaseHTTPRequestHandler):
    """A server that takes its time."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        Real.sleep(0.1)
        if "id" not in asked:
            self.says(202, b"")
            return
        reply = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] in ANSWERS:
            reply["result"] = ANSWERS[asked["method"]]
        else:
            reply["error"] = {"code": -32601, "message": "no such method"}
        self.says(200, json.dumps(reply).encode())

    def do_GET(self) -> None:
        self.says(405, b"")

    def says(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Nothing is said."""


@pytest.fixture
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Till)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    thread.join()
    server.server_close()


@scenario(exactly_once("charge"), task="Charge order A17.")
def story(world):
    adapters.mcp.tap(world, charge={"effect": "charge", "scope": ("order_id",)})


@pytest.mark.parametrize(("plan", "seconds"), [("", 0.0), ("charge#1:lost/timeout", 30.0)])
def test_what_a_real_server_takes_is_no_virtual_time(url, plan, seconds):
    async def agent(world):
        async with mcp.Client(url, read_timeout_seconds=60) as client:
            try:
                await client.call_tool("charge", {"order_id": "A17"})
            except mcp.MCPError:
                await client.call_tool("charge", {"order_id": "A17"})
        return Completion.success(handle="ch_1")

    found = [run(story, agent, *([plan] if plan else [])) for _ in range(2)]
    for one in found:
        one.check()
        assert one.history.events[-1].t == seconds
    assert len({digest(one.history) for one in found}) == 1
