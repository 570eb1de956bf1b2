"""withheld: reply withheld by a filter of the provider.

The provider's filter ends the turn: what was said until then is there, and no call, or, where the
filter struck behind them, all of its calls (`refusal`, `content_filter`).
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, half, model_fault


@model_fault(
    order=82,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says=("reply withheld by a filter", "reply withheld by a filter, behind its calls"),
    variants=2,
    alone=2,
    wire=True,
)
def withheld(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if variant % 2:
        return draft._replace(stop="withheld") if draft.calls else None
    return half(draft._replace(text=draft.text or "", calls=()), "withheld")
