"""timeout: its API does not answer in time.

No turn comes.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(
    order=110,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says="its API does not answer in time",
)
def timeout(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return draft._replace(raises=TimeoutError("the model did not answer in time"))
