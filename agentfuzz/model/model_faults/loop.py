"""loop: never changes its mind.

From this turn on it asks for the same call for ever.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault
from agentfuzz.model.model_faults.repeat import repeat


@model_fault(
    order=190, at=("calls", "closing", "answer", "done", "closed"), says="never changes its mind"
)
def loop(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.calls and draft.group == "calls":
        return draft
    return repeat(draft, at, variant)
