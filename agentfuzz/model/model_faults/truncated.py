"""truncated: reply cut off at the token limit.

The provider's token limit cuts the turn, in the midst of a call's JSON too, or before its first
word: all of it was spent on thinking.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, half, model_fault


@model_fault(
    order=70,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says=("reply cut off at the token limit", "reply cut off at the token limit, before a word"),
    variants=2,
    alone=1,
)
def truncated(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return Draft(draft.group, "", stop="length") if variant % 2 else half(draft, "length")
