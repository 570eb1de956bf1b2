"""double_done: closes twice in one turn.

The done tool is called twice in one turn, alike or in contradiction.
"""

from agentfuzz.model.model_faults.kind import Draft, Planned, Situation, model_fault
from agentfuzz.world.toolbox import DONE


@model_fault(order=160, at=("done",), says="closes twice in one turn", variants=2)
def double_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "done":
        return None
    second = draft.calls[0]
    if variant % 2:
        second = Planned(DONE, {"status": "failed", "reason": "other"})
    return draft._replace(calls=(draft.calls[0], second))
