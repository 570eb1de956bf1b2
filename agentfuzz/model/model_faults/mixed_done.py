"""mixed_done: closes beside other calls.

The done tool is called in the same turn as work that is still to be done.
"""

from dataclasses import replace

from agentfuzz.model.model_faults.kind import Draft, Situation, again, model_fault


@model_fault(order=170, at=("calls", "done"), says="closes beside other calls", variants=2)
def mixed_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group == "calls":  # closes beside the calls that are still to be made
        if at.closing.calls:
            both = (*draft.calls, *at.closing.calls) if variant % 2 else ()
            return replace(draft, calls=both or (*at.closing.calls, *draft.calls))
        return replace(draft, text=at.closing.text)
    if draft.group != "done" or at.last is None:
        return None
    both = (again(at.last), *draft.calls) if variant % 2 else (*draft.calls, again(at.last))
    return replace(draft, calls=both)
