"""empty: answers with nothing.

A turn without text and without calls.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(
    order=60, at=("calls", "closing", "answer", "done", "giving_up"), says="answers with nothing"
)
def empty(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return Draft(draft.group, "")
