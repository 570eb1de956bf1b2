"""contradict: takes back what it has just done.

The call that undoes the last one, where a tool declares that it does.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(order=180, at=("closing", "answer", "done"), says="takes back what it has just done")
def contradict(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls" or at.undo is None:
        return None
    return Draft(draft.group, None, (at.undo,), "tool_calls")
