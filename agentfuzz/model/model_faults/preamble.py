"""preamble: says something beside its calls.

Words before the calls of a turn, as most models write them; or a text that is blank.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault

SAID = ("I'm on it: order and payment are being taken care of.", "\n\n", "")


@model_fault(
    order=55,
    at=("calls",),
    says=("says something beside its calls", "writes blanks beside its calls"),
    variants=len(SAID),
    alone=2,
)
def preamble(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls" or draft.text is not None:
        return None
    return draft._replace(text=SAID[variant % len(SAID)])
