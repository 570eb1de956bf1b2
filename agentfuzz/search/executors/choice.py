"""How many processes are worth their forks, and whether a campaign may fork at all.

Law: what was asked for by number is done, unless it is not safe; `auto` spends processes on dear
runs alone. Asked by the campaign, once it knows what a run costs.
"""

import os
import threading

from agentfuzz.runtime.clock import Real

AUTO = 0  # workers: as many as there are processors
DEAR = 0.002  # real seconds a run, from which on several processes are worth their forks
LOOKS, PAUSE = 20, 0.005  # at the threads of this process; real seconds between two
WATCHDOG = "agentfuzz watchdog"  # its thread: a child gets one of its own


def wanted(workers: int, seconds: float) -> int:
    """How many processes, for runs of so many real seconds: with `AUTO` one for each processor,
    and one in all for cheap runs, or beside other workers of pytest-xdist."""
    if workers != AUTO:
        return workers
    if seconds < DEAR or "PYTEST_XDIST_WORKER" in os.environ:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def safe() -> bool:
    """Whether a child forked now is whole: `fork` is there, and no other thread than the main one
    and the watchdog's holds anything that the child would wait for; one that is about to end is
    given a moment."""
    for _ in range(LOOKS):
        known = [one.name for one in threading.enumerate()]
        others = set(known) - {"MainThread", WATCHDOG}
        try:
            unknown = len(os.listdir("/proc/self/task")) > len(known)  # of C code, or raw ones
        except OSError:
            unknown = False
        if not others and not unknown:
            return hasattr(os, "fork")
        Real.sleep(PAUSE)  # those of a pool that was shut down are on their way out
    return False
