"""A process fault: what may happen to the agent's process at a crossing, and at which of them.

Law: a fault that ends the process, or the task, leaves behind exactly what the real thing would.
One file a kind beside this one; `make generate` finds it. Struck by `striking`, for every crossing
at which the plan says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentfuzz.core.faults import Slot
from agentfuzz.world.process import Process

MOMENTS = ("before", "after", "in_flight")
# The crossings at which something may happen: a write, a read, a turn of the model, a save in
# `world.store`, one of the agent's own, the end of the run. What comes after a read or a turn comes
# before the next crossing as well.
GROUPS = (
    *("process write", "process read", "process turn"),
    *("process own save", "process save", "process end"),
)
Strikes = Callable[[Process, Slot], Any]


def _always(process: Process) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ProcessFault:
    """One kind. `order` is its place among the others, simplest first; `at` says at which moments
    of which groups a campaign tries it; `says` is its phrase in reports. `strikes` may return
    something to be awaited; `stops` says that a task learns of it at its next await; `possible`
    whether it can happen to this process now."""

    name: str
    order: int
    at: Mapping[str, tuple[str, ...]]
    says: str
    strikes: Strikes
    stops: bool
    possible: Callable[[Process], bool]


def process_fault(
    *,
    order: int,
    at: Mapping[str, tuple[str, ...]],
    says: str,
    stops: bool = False,
    possible: Callable[[Process], bool] = _always,
) -> Callable[[Strikes], ProcessFault]:
    """Make a function of a process and a slot a process fault of its name."""
    assert set(at) <= set(GROUPS), f"{list(at)} names no group of crossings"
    return lambda strikes: ProcessFault(strikes.__name__, order, at, says, strikes, stops, possible)
