"""drift: asks again in cosmetically different arguments.

The same intent in other arguments: texts padded, numbers as floats, never the scope.
"""

import json
from collections.abc import Mapping

from agentfuzz.model.model_faults.kind import Draft, Planned, Situation, model_fault
from agentfuzz.world.tools import ToolSpec


@model_fault(
    order=50,
    at=("calls", "closing", "answer", "done"),
    says="asks again in cosmetically different arguments",
    variants=2,
)
def drift(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls":
        drifted = tuple(_drifted(one, at.specs, variant) for one in draft.calls)
        return None if _written(drifted) == _written(draft.calls) else draft._replace(calls=drifted)
    if at.last is None:
        return None
    return Draft(draft.group, None, (_drifted(at.last, at.specs, variant),), "tool_calls")


def _written(calls: tuple[Planned, ...]) -> list[str]:
    """The arguments as a model writes them: 42 is not 42.0, and their order is one, too."""
    return [json.dumps(one.arguments, default=repr) for one in calls]


def _drifted(planned: Planned, specs: Mapping[str, ToolSpec], variant: int) -> Planned:
    """The same intent in cosmetically different arguments: never the scope itself."""
    spec = specs.get(planned.tool)
    if isinstance(planned.arguments, str) or spec is None:
        return planned
    changed = dict(planned.arguments)
    if variant % 2:
        changed = dict(reversed(changed.items()))
    for name, value in planned.arguments.items():
        if name in spec.scope:
            continue
        if isinstance(value, str):
            changed[name] = f" {value}" if variant % 2 else f"{value} "
        elif type(value) is int:
            changed[name] = float(value)
    return planned._replace(arguments=changed)
