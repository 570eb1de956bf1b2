"""skip: skips a planned call and closes.

What was planned for this turn is left out, and the turn closes the task.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(order=30, at=("calls",), says="skips a planned call and closes")
def skip(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return at.closing if draft.group == "calls" else None
