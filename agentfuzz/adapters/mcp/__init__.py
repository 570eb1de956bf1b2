"""MCP: a world behind a server of the SDK, and an application's sessions.

Law: client, server and protocol are the SDK's; the loop is a plain one, which calls what the server
lists and shows its model what comes back. Works with versions 1 (from 1.10 on) and 2. A server of
the SDK with the tools of a world, for whatever client:

    server = MCPServer("shop", tools=adapters.mcp.tools(world))

An application's own sessions, with whatever server (see `world.taps.sessions`):

    adapters.mcp.tap(world, charge={"effect": "charge", "scope": ("order_id",)})

The plain loop, `contract.agent(adapters.mcp.ADAPTER, "remote", retries=1)`, has its own words:
`turns`, the `patience` of the client with each request, how often it `retries` a request that
failed on its way, whether it `cancels` those that it gives up, and whether it `reconnects` then.

adapter     MCP: the plain loop, its tools, its endings
lines       a client, a server, and what lies between;  ways: the streams of a line
sdk         what the SDK calls things, in both of its versions
"""

from agentfuzz.adapters.mcp.adapter import MCP
from agentfuzz.world.taps.sessions import Sessions, tap

__all__ = ["ADAPTER", "MCP", "Sessions", "model", "outcome", "tap", "tools"]

ADAPTER = MCP()
model, tools, outcome = ADAPTER.model, ADAPTER.tools, ADAPTER.outcome
