"""repeat: repeats an earlier call under a fresh id.

A call that was made already is asked for once more, with an id of its own.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, again, model_fault


@model_fault(
    order=40,
    at=("calls", "closing", "answer", "done", "closed"),
    says="repeats an earlier call under a fresh id",
)
def repeat(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls":
        return draft._replace(calls=(*draft.calls, again(draft.calls[-1])))
    if at.last is None:
        return None
    return Draft(draft.group, None, (again(at.last),), "tool_calls")
