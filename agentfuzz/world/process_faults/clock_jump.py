"""clock_jump: a day and an hour go by.

The machine slept: keys that the backend kept have expired.
"""

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


@process_fault(
    order=50,
    at={"process write": MOMENTS[:2], "process read": MOMENTS[:1]},
    says="a day and an hour go by",
)
def clock_jump(process: Process, slot: Slot) -> None:
    process.jump()
