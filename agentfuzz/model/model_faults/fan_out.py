"""fan_out: asks for the same call 50 times at once.

One call, many times over, in one turn.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, again, model_fault

FAN_OUT = 50


@model_fault(order=200, at=("calls",), says="asks for the same call 50 times at once")
def fan_out(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    return draft._replace(calls=(*draft.calls, *(again(draft.calls[-1]),) * (FAN_OUT - 1)))
