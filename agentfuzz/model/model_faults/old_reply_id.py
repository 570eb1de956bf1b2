"""old_reply_id: its reply bears the id of the one before it.

The turn is as planned; only the id of the response or message that it comes in was there already.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(
    order=125,
    at=("calls", "closing", "answer", "done"),
    says="its reply bears the id of the one before it",
    alone=1,
    wire=True,
)
def old_reply_id(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return None if at.last is None else draft._replace(old_id=True)
