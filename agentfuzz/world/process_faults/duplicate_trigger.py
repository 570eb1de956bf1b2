"""duplicate_trigger: the trigger is delivered again.

Another leg runs to its end at this crossing, while this one waits: one preemption, which is what
finds a check-then-act race.
"""

from typing import Any

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import MAX_DUPLICATES, Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


def _can_be(process: Process) -> bool:
    return process.begin_within is not None and process.duplicates < MAX_DUPLICATES


@process_fault(
    order=40,
    at={
        "process write": MOMENTS[:2],
        "process read": MOMENTS[:1],
        "process end": MOMENTS[:1],
    },
    says="the trigger is delivered again",
    possible=_can_be,
)
def duplicate_trigger(process: Process, slot: Slot) -> Any:
    return process.within("duplicate", None)
