"""cancel: somebody stops the task.

An agent that looks at the token learns of it there; an async one that never looks is cancelled.
"""

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


def _can_be(process: Process) -> bool:
    return "token" in process.polls or process.cancel_task is not None


@process_fault(
    order=20,
    at={
        "process write": MOMENTS,
        "process read": MOMENTS[:1],
        "process turn": MOMENTS[:1],
    },
    says="somebody stops the task",
    stops=True,
    possible=_can_be,
)
def cancel(process: Process, slot: Slot) -> None:
    process.cancel()
