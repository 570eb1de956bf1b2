"""A tool's parameters as those of a Python function, for frameworks that read a signature.

Law: a parameter that the model may leave out is None by default, and `Bridge.sent` leaves it out
again. Called by adapters.
"""

from collections.abc import Mapping
from inspect import Parameter, Signature
from typing import Any

from agentfuzz.adapters.contract.bridge import TYPES, Bridge


def signature(bridge: Bridge, *more: Parameter, types: Mapping[Any, type] = TYPES) -> Signature:
    """The parameters of a tool by name, and those that the framework adds. `types` are Python's for
    those of JSON."""
    needed = bridge.schema.get("required", ())
    parameters = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if name in needed else None,
            annotation=types.get(part.get("type"), Any),
        )
        for name, part in bridge.inputs.items()
    ]
    return Signature([*parameters, *more])
