"""reword: closing text reworded.

Only the words change, never what the turn does; the variant is an index of the corpus.
"""

from dataclasses import replace

from agentfuzz.model.closings import TRIED, closing
from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(order=10, at=("closing",), says="closing text reworded", variants=TRIED)
def reword(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "closing":
        return None
    return replace(draft, text=closing(variant).text)
