"""crash: the process dies.

Before a call nothing is left of it, in flight a request that arrives later on, after it an effect
whose reply nobody read. Raises Crash.
"""

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


@process_fault(
    order=10,
    at={
        "process write": MOMENTS,
        "process read": MOMENTS[:1],
        "process turn": MOMENTS[:1],
        "process own save": MOMENTS[:2],
        "process save": MOMENTS[:2],
        "process end": MOMENTS[:1],
    },
    says="the process dies",
)
def crash(process: Process, slot: Slot) -> None:
    process.crash(slot)
