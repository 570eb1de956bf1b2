"""malformed_args: writes arguments that are not what the tool takes.

Arguments that are no JSON, no object, or lack a field; of the last call, or of one more beside it.
"""

import json
from collections.abc import Mapping

from agentfuzz.core.events import Json
from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault

_BESIDE = 3  # from this variant on


@model_fault(
    order=130,
    at=("calls",),
    says="writes arguments that are not what the tool takes",
    variants=5,
    alone=2,
)
def malformed_args(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls" or isinstance(draft.calls[-1].arguments, str):
        return None
    *rest, last = draft.calls
    arguments = last.arguments
    assert not isinstance(arguments, str), "checked above"
    if variant % 3 == 0:
        bad: Mapping[str, Json] | str = json.dumps(arguments)[:-1]
    elif variant % 3 == 1:
        bad = json.dumps(list(arguments.values()))
    else:
        bad = dict(list(arguments.items())[1:])
    if variant >= _BESIDE:
        return draft._replace(calls=(*draft.calls, last._replace(arguments=bad, step=None)))
    return draft._replace(calls=(*rest, last._replace(arguments=bad)))
