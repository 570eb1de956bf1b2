"""stale: a save is acknowledged and lost, as by a cache that nobody has flushed.

The process finds it as long as it lives. It dies after its next call, before it has read the reply,
or at the end of the run; the next leg finds what was saved before.
"""

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


@process_fault(
    order=70,
    at={"process save": MOMENTS[:1]},
    says="acknowledged and lost when the process dies, after its next call",
)
def stale(process: Process, slot: Slot) -> None:
    process.save = "stale"
