"""paused: pauses in the middle of its turn, and waits to be asked to go on.

What a provider does whose own tools have taken long (`pause_turn`): the reply is not the model's
last word, and to send it back as it is is to go on.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault

SAID = "I am still looking into that."


@model_fault(
    order=84,
    at=("calls", "closing", "answer", "done", "giving_up"),
    says="pauses in the middle of its turn",
    alone=1,
    wire=True,
)
def paused(draft: Draft, at: Situation, variant: int) -> Draft | None:
    return Draft(draft.group, SAID, stop="paused")
