"""The tools of smolagents' agents: a world's, and the one that ends a task with a Completion.

Law: a tool is its bridge; of a call the framework tells no id. Called by the smolagents adapter.
"""

from typing import Any

from smolagents import Tool

from agentfuzz.adapters.contract.bridge import Bridge
from agentfuzz.adapters.smolagents.turns import FINAL
from agentfuzz.core.completion import Completion

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")


def _input(kind: Any, description: str, required: bool) -> dict[str, Any]:
    made = {"type": kind if kind in _TYPES else "any", "description": description}
    return made if required else {**made, "nullable": True}


class WorldTool(Tool):
    """A tool of the framework that calls one of the world's."""

    skip_forward_signature_validation = True
    output_type = "string"

    def __init__(self, bridge: Bridge) -> None:
        self.name, self.description = bridge.name, bridge.description
        required = bridge.schema.get("required", ())
        self.inputs = {
            name: _input(part.get("type"), part.get("description", name), name in required)
            for name, part in bridge.inputs.items()
        }
        self._bridge = bridge
        super().__init__()

    def forward(self, **arguments: Any) -> str:
        """One call, of which the framework does not tell the id."""
        return self._bridge.call(arguments)


class TypedAnswer(Tool):
    """The tool that ends a task, with a Completion as its arguments."""

    name, description, output_type = FINAL, "How the task ended.", "any"
    skip_forward_signature_validation = True
    inputs = {
        "status": _input("string", "how", True),
        "reason": _input("string", "why", False),
        "handle": _input("string", "what a caller can go on with", False),
        "detail": _input("string", "in words", False),
    }

    def forward(self, **arguments: Any) -> Completion:
        """The Completion. Raises ValidationError."""
        return Completion(**{name: value for name, value in arguments.items() if value is not None})
