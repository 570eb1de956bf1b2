"""interrupt: the user says something while the agent is at work.

An agent that reads its inbox finds the message there; an async one that never looks is cancelled,
and a leg begins with the message.
"""

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process
from agentfuzz.world.process_faults.kind import MOMENTS, process_fault


def _can_be(process: Process) -> bool:
    return "inbox" in process.polls or process.cancel_task is not None


@process_fault(
    order=30,
    at={
        "process write": MOMENTS[:2],
        "process read": MOMENTS[:1],
        "process turn": MOMENTS[:1],
    },
    says="the user says something",
    stops=True,
    possible=_can_be,
)
def interrupt(process: Process, slot: Slot) -> None:
    process.interrupt()
