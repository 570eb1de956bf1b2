"""cut: reply breaks off in the middle of the stream.

The connection breaks in the middle of the reply, in one of the ways of `model.endings`.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, half, model_fault


@model_fault(
    order=80,
    at=("calls", "closing", "done", "giving_up"),
    says="reply breaks off in the middle of the stream",
)
def cut(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return half(draft, "cut")
