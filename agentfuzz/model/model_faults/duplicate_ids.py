"""duplicate_ids: asks for the same call twice under one id.

The last call of the turn stands there twice, under one id.
"""

from dataclasses import replace

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(order=120, at=("calls",), says="asks for the same call twice under one id")
def duplicate_ids(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    return replace(draft, calls=(*draft.calls, replace(draft.calls[-1], same_id=True)))
