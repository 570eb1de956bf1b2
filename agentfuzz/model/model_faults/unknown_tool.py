"""unknown_tool: asks for a tool that does not exist.

The last call names a tool that is not there, alone or beside the right one; or one whose name holds
characters that no name of a tool may have.
"""

from agentfuzz.model.model_faults.kind import Draft, Situation, model_fault

_NO_NAME = 2


@model_fault(
    order=140,
    at=("calls",),
    says="asks for a tool that does not exist",
    variants=3,
    alone=1,
)
def unknown_tool(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    *rest, last = draft.calls
    name = f"functions. {last.tool}" if variant == _NO_NAME else f"{last.tool}_v2"
    wrong = last._replace(tool=name, step=None)
    return draft._replace(calls=(*rest, last, wrong) if variant == 1 else (*rest, wrong))
