"""unknown_tool: asks for a tool that does not exist.

The last call names a tool that is not there, alone or beside the right one.
"""

from dataclasses import replace

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault


@model_fault(order=140, at=("calls",), says="asks for a tool that does not exist", variants=2)
def unknown_tool(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    *rest, last = draft.calls
    wrong = replace(last, tool=f"{last.tool}_v2", step=None)
    return replace(draft, calls=(*rest, last, wrong) if variant % 2 else (*rest, wrong))
