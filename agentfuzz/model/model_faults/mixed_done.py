"""mixed_done: closes beside other calls.

The done tool is called in the same turn as work that is still to be done, before it or behind it;
or behind it with a status that does not exist.
"""

from agentfuzz.model.model_faults.kind import (
    Draft,
    Planned,
    Situation,
    again,
    arguments_of,
    model_fault,
)
from agentfuzz.world.toolbox import DONE


@model_fault(
    order=170,
    at=("calls", "done"),
    says=(
        "closes beside other calls",
        "closes beside other calls",
        "closes beside other calls, with a malformed completion",
    ),
    variants=3,
    alone=1,
)
def mixed_done(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if variant % 3 == 2:
        return _malformed(draft, at)
    if draft.group == "calls":  # closes beside the calls that are still to be made
        if at.closing.calls:
            both = (*draft.calls, *at.closing.calls) if variant % 3 else ()
            return draft._replace(calls=both or (*at.closing.calls, *draft.calls))
        return draft._replace(text=at.closing.text)
    if draft.group != "done" or at.last is None:
        return None
    both = (again(at.last), *draft.calls) if variant % 3 else (*draft.calls, again(at.last))
    return draft._replace(calls=both)


def _malformed(draft: Draft, at: Situation) -> Draft | None:
    beside = draft.calls if draft.group == "calls" else at.last and (again(at.last),)
    if draft.group not in ("calls", "done") or not beside or not at.closing.calls:
        return None
    said = {**arguments_of(at.closing.calls[0]), "status": "done"}
    return draft._replace(calls=(*beside, Planned(DONE, said)))
