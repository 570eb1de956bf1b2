"""bad_done: closes with a malformed completion.

The done tool is called with a status or reason that does not exist, or without one.
"""

from agentfuzz.model.model_faults.kind import Draft, Planned, Situation, arguments_of, model_fault
from agentfuzz.world.toolbox import DONE


@model_fault(order=150, at=("done",), says="closes with a malformed completion", variants=3)
def bad_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "done":
        return None
    arguments = dict(arguments_of(draft.calls[0]))
    if variant % 3 == 0:
        arguments["status"] = "done"
    elif variant % 3 == 1:
        arguments.pop("status", None)
    else:
        arguments["reason"] = "tool_failed"
    return draft._replace(calls=(Planned(DONE, arguments),))
