"""cut: reply breaks off in the middle of the stream.

The connection breaks in the middle of the reply, in one of the ways of `model.endings`; or behind
all of it, before the event that says that it is whole.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, half, model_fault


@model_fault(
    order=80,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says=(
        "reply breaks off in the middle of the stream",
        "stream breaks off behind the reply, before its last event",
    ),
    variants=2,
    alone=1,
)
def cut(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return draft._replace(stop="cut", cut_at="end") if variant % 2 else half(draft, "cut")
