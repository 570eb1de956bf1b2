"""no_done: closes in prose, without the done tool.

The work is as planned; only the event that would say so is missing.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(order=20, at=("done",), says="closes in prose, without the done tool")
def no_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "done":
        return None
    return Draft(draft.group, "I'm done with that now.")
