"""truncated: reply cut off at the token limit.

The provider's token limit cuts the turn, in the midst of a call's JSON too.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, half, model_fault


@model_fault(
    order=70,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says="reply cut off at the token limit",
)
def truncated(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return half(draft, "length")
