"""The boundary of children: what becomes of an agent that another one begins."""

from collections.abc import Iterable

from agentfuzz.boundaries.boundary import CALLS, LOST, Boundary, Page, once
from agentfuzz.core.faults import Fault

_WORDS = {
    "fails": "cannot be begun",
    "dies": "does its work and dies before it answers",
    "late": "answers 45 virtual seconds later",
    "hangs": "never answers",
    "twice": "is begun twice",
}


def _sync(fault: Fault) -> Iterable[Fault]:
    return () if fault.axes[0] == "hangs" else (fault,)


def _order(group: str, fault: Fault) -> int:
    return LOST if fault.axes[0] == "dies" else CALLS


BOUNDARY = Boundary(
    name="child",
    axes=(("works", *_WORDS),),
    groups={"child": once, "child sync": _sync},
    place=lambda slot: f"child {slot.nth} called {slot.name}",
    says=lambda fault: _WORDS[fault.axes[0]],
    order=_order,
    told=Page(
        "Children",
        "`child:agent#nth:kind`",
        {("kind", "a spawned agent"): {"works": "does its work: no fault", **_WORDS}},
    ),
)
