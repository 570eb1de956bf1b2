"""A world's tools as tools of Agno.

Law: a tool is its bridge, and is told of its call. Called by the agno adapter.
"""

from typing import Any

from agno.tools.function import Function

from agentfuzz.adapters.contract import Bridge


def tool_of(bridge: Bridge) -> Function:
    """A function as a tool."""

    def call(fc: Any, **arguments: Any) -> str:
        return bridge.call(arguments, fc.call_id)

    async def acall(fc: Any, **arguments: Any) -> str:
        return await bridge.acall(arguments, fc.call_id)

    return Function(
        name=bridge.name,
        description=bridge.description,
        parameters=bridge.schema,
        entrypoint=acall if bridge.is_async else call,
        skip_entrypoint_processing=True,
    )
