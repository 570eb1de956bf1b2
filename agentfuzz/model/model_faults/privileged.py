"""privileged: asks for a tool that its task has no use for.

A tool with an effect that the world offers and the script never calls, about the things that the
script is about: beside the right calls, in their place, or rather than give up.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(
    order=210,
    at=("calls", "giving_up"),
    says="asks for a tool that its task has no use for",
    variants=2,
    off=True,
)
def privileged(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if at.spare is None or draft.group not in ("calls", "giving_up"):
        return None
    if draft.group == "giving_up" or variant % 2:
        return Draft(draft.group, None, (at.spare,), "tool_calls")
    return draft._replace(calls=(*draft.calls, at.spare))
