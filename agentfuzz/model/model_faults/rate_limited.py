"""rate_limited: its API answers 429, too many requests.

No turn comes, but a 429 with its Retry-After.
"""

from agentfuzz.core.errors import ModelError
from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(
    order=90,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says="its API answers 429, too many requests",
)
def rate_limited(draft: Draft, at: Situation, variant: int) -> Draft | None:
    error = ModelError("429 rate_limit_error: too many requests", 429, retry_after=1.0)
    return draft._replace(raises=error)
