"""MCP clients: an application's own sessions, with whatever server.

Law: see `world.taps.sessions`, which this is. Called by scenario authors:

    adapters.mcp.tap(world, charge={"effect": "charge", "scope": ("order_id",)})
"""

from agentfuzz.world.taps.sessions import Sessions, tap

__all__ = ["Sessions", "tap"]
