"""Troubles: what in a plan makes an agent fail, so that two bugs are two findings and one is one.

Law: a cause is the troubles of a plan's faults with the place of each: the boundary and the name,
without numbers, wordings and seconds. Two plans with the same troubles show the same bug, and so
does a plan that has them and others besides. Called by what a campaign keeps, and by what groups
its findings.

Each boundary says which of its faults are one trouble: that the reply of a call was spoiled,
however it was; that the process died, wherever it was.
"""

from agentfuzz.boundaries import BOUNDARIES
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.core.plan import FaultPlan

Trouble = tuple[str, str, str]  # boundary, name, what happens there
Troubles = frozenset[Trouble]


def troubles_of(plan: FaultPlan) -> Troubles:
    """The troubles of a plan; none for a plan without faults, which is in every other."""
    return frozenset(
        (*_place(slot), trouble)
        for slot, fault in plan.by_slot.items()
        for trouble in _of(slot, fault)
    )


def _of(slot: Slot, fault: Fault) -> tuple[str, ...]:
    """The troubles of one fault; at a boundary that is not known, it is its own."""
    boundary = BOUNDARIES.get(slot.boundary)
    return (str(fault),) if boundary is None else boundary.causes(fault)


def _place(slot: Slot) -> tuple[str, str]:
    """Just after a call is just before the next save: the process is one place; a race between
    two calls is one wherever it is decided."""
    boundary, name, _ = slot
    known = BOUNDARIES.get(boundary)
    if known is not None and known.of_process:
        return "process", ""
    return boundary, "" if known is not None and known.anywhere else name


def places(cause: Troubles) -> frozenset[tuple[str, str]]:
    """Where the troubles of a cause are: boundaries and names."""
    return frozenset((boundary, name) for boundary, name, _ in cause)
