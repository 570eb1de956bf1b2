"""duplicate_ids: gives one id to two calls.

The last call of the turn stands there twice; or beside it stands another one, under its id; or the
first call of the turn bears the id of one of an earlier turn, as those of a provider do that counts
anew in each reply.
"""

from agentfuzz.model.model_faults.kind import Draft, Planned, Situation, model_fault


@model_fault(
    order=120,
    at=("calls",),
    says=(
        "asks for the same call twice under one id",
        "asks for two different calls under one id",
        "asks under the id of a call of an earlier turn",
    ),
    variants=3,
    alone=2,
)
def duplicate_ids(draft: Draft, at: Situation, variant: int) -> Draft | None:
    if draft.group != "calls":
        return None
    first, *rest = draft.calls
    if variant % 3 == 0:
        return draft._replace(calls=(*draft.calls, draft.calls[-1]._replace(same_id=True)))
    if variant % 3 == 1:
        other = rest.pop(0) if rest else at.last
        if other is None or _same(first, other):
            return None
        return draft._replace(calls=(first, other._replace(same_id=True), *rest))
    if at.last is None:
        return None
    return draft._replace(calls=(first._replace(same_id=True), *rest))


def _same(one: Planned, other: Planned) -> bool:
    return (one.tool, one.arguments) == (other.tool, other.arguments)
