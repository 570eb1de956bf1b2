"""A tool of a world as a function of ADK's.

Law: ADK reads a signature, and the model is shown the tool's own schema. Called by the google_adk
adapter.
"""

import json
from collections.abc import Mapping, Sequence
from inspect import Parameter
from typing import Any

from google.adk.tools import FunctionTool, ToolContext
from google.genai import types

from agentfuzz.adapters.contract import Bridge, signature
from agentfuzz.adapters.contract.bridge import TYPES

_TYPES: Mapping[Any, type] = {**TYPES, "array": list, "object": dict}
_CONTEXT = Parameter("tool_context", Parameter.KEYWORD_ONLY, annotation=ToolContext)


class WorldTool(FunctionTool):
    """A tool of a world as a function with its parameters, declared with its own schema."""

    def __init__(self, bridge: Bridge, **options: Any) -> None:
        async def call(tool_context: ToolContext, **arguments: Any) -> Any:
            return _value(await bridge.acall(arguments, tool_context.function_call_id))

        read = signature(bridge, _CONTEXT, types=_TYPES)
        call.__signature__ = read  # type: ignore[attr-defined]
        call.__annotations__ = {name: one.annotation for name, one in read.parameters.items()}
        call.__name__, call.__doc__ = bridge.name, bridge.description
        super().__init__(call, **options)
        self._bridge = bridge
        self._declared = types.FunctionDeclaration(
            name=bridge.name,
            description=bridge.description,
            parameters_json_schema=bridge.schema,
        )

    def waiting(self, approvals: Sequence[str]) -> "WorldTool":
        """The same, which a person must allow if it is among these."""
        if self.name not in approvals:
            return self
        return WorldTool(self._bridge, require_confirmation=True)

    def _get_declaration(self) -> types.FunctionDeclaration:
        return self._declared


def _value(text: str) -> Any:
    """A result as a function of ADK returns it: an object as a dict, all else as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, dict) else text
