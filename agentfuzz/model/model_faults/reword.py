"""reword: closing text reworded.

Only the words change, never what the turn does; the variant is an index of the corpus.
"""

from agentfuzz.model.closings import TRIED, closing
from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(order=10, at=("closing",), says="closing text reworded", variants=TRIED)
def reword(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "closing":
        return None
    return draft._replace(text=closing(variant).text)
