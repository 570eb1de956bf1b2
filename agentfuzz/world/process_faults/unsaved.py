"""unsaved: a save fails, and the agent is told.

Before it nothing is written; after it all of it is, and only the word that it is has been lost.
"""

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


@process_fault(
    order=80,
    at={"process save": MOMENTS[:2], "process own save": MOMENTS[:2]},
    says="the store cannot be reached",
)
def unsaved(process: Process, slot: Slot) -> None:
    raise ConnectionError(f"{slot.name}: the store cannot be reached")
