"""error: its API answers with a server error.

No turn comes, but a server error (500, 529, 503).
"""

from agentfuzz.core.errors import ModelError
from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(
    order=100,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says="its API answers with a server error",
    variants=2,
)
def error(draft: Draft, at: Situation, variant: int) -> Draft | None:
    status = (500, 529, 503)[variant % 3]
    return draft._replace(raises=ModelError(f"{status} the model's API failed", status))
