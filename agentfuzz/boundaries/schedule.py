"""The boundary of the schedule: which ready task, or pool thread, goes on at a tool call."""

from agentfuzz.boundaries.boundary import Boundary, Page, once
from agentfuzz.boundaries.process import MOMENT_WORDS
from agentfuzz.core.faults import Fault, Slot
from agentfuzz.world.process_faults.kind import MOMENTS


def _place(slot: Slot) -> str:
    return f"{slot.name} {slot.nth}"


def _says(fault: Fault) -> str:
    return f"everything else that can go on goes first, {MOMENT_WORDS[fault.axes[1]]}"


BOUNDARY = Boundary(
    name="schedule",
    axes=(("in_turn", "preempted"), MOMENTS[:2]),
    led=True,
    groups={"schedule": once},
    place=_place,
    says=_says,
    at_calls=True,
    anywhere=True,
    told=Page(
        "The schedule",
        "`schedule:tool#nth:preempted/moment`",
        {("kind", ""): {"preempted": "everything else that is ready goes first"}},
    ),
)
