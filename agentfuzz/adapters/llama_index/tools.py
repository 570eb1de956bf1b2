"""A world's tools as tools of LlamaIndex.

Law: a tool is its bridge; of a call the framework tells no id. Called by the llama_index adapter.
"""

from typing import Any

from llama_index.core.tools import FunctionTool, ToolMetadata

from agentfuzz.adapters.contract import Bridge


def tool_of(bridge: Bridge) -> FunctionTool:
    """A function as a tool, with the parameters of the world's."""

    async def call(**arguments: Any) -> str:
        return await bridge.acall(arguments)

    described = ToolMetadata(
        name=bridge.name, description=bridge.description, fn_schema=bridge.args_model
    )
    return FunctionTool(async_fn=call, metadata=described)
