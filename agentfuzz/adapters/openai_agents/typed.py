"""The typed input of a handoff of the OpenAI Agents SDK, and what a fault makes of it.

Law: what is of its type is what the SDK takes for it. Called by `handoffs`.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from agentfuzz.core.events import Json
from agentfuzz.world.team.damage import damaged


class Typed(NamedTuple):
    """The type of what a handoff is called with, as the SDK reads it."""

    of: Any

    def model_validate(self, value: Json) -> Any:
        """The object. Raises pydantic's ValidationError."""
        return TypeAdapter(self.of).validate_json(json.dumps(value), strict=True)


def retyped(kind: Typed) -> Callable[[str, int, Json, Json], Json]:
    def spoil(way: str, variant: int, payload: Json, before: Json) -> Json:
        if way == "stale":
            try:
                kind.model_validate(before)
            except ValueError:  # that one went to somebody else
                return None
        return damaged(way, variant, payload, before)

    return spoil
