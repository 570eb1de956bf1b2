"""torn: half of what is saved is written, and the process dies.

The next leg finds the first half of the text, list or mapping; what has no half is None.
"""

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


@process_fault(
    order=60,
    at={"process save": MOMENTS[:1]},
    says="half of it is written, and the process dies",
)
def torn(process: Process, slot: Slot) -> None:
    process.save = "torn"
