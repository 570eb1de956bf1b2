"""A world's tools as tools of Strands.

Law: a tool is its bridge; the framework tells the id of each call. Called by the strands adapter.
"""

from collections.abc import Mapping
from typing import Any

from strands.tools import PythonAgentTool

from agentfuzz.adapters.contract.bridge import Bridge


def tool_of(bridge: Bridge) -> PythonAgentTool:
    """A tool of the framework, which knows the id of its call."""

    async def called(tool_use: Mapping[str, Any], **state: Any) -> dict[str, Any]:
        text = await bridge.acall(tool_use["input"], tool_use["toolUseId"])
        content = [{"text": text}]
        return {"toolUseId": tool_use["toolUseId"], "status": "success", "content": content}

    spec = {
        "name": bridge.name,
        "description": bridge.description,
        "inputSchema": {"json": bridge.schema},
    }
    return PythonAgentTool(bridge.name, spec, called)
