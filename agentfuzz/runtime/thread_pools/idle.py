"""The threads of pools, and those of an agent's own, that have no work: not yet, or no more.

Law: such a thread does nothing of the run's, but others wait for it really: to have begun, to be
free for the next work, to be over. How long it takes is the machine's affair: whoever waits goes on
as long as one of them runs, or could. Asked by the gate, and by the scheduler of work that blocks.
"""

import sys
import threading
from collections.abc import Iterable
from concurrent.futures.thread import _WorkItem
from types import FrameType
from typing import Any

from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.thread_pools.work_item import DONE, RUNS, SLICE, Own, asleep, state

MOST = 400  # looks at one that is over and does not end: it spins in a destructor
_works = _WorkItem.run.__code__
_joined = threading.Thread.join  # as it is outside of a run


def at_rest(threads: Iterable[threading.Thread]) -> tuple[object, ...] | None:
    """What `asleep` says of those of some threads that have no work; None: one runs, or could."""
    found = []
    for thread in threads:
        begun: threading.Event = vars(thread)["_started"]
        if not begun.is_set():
            return None
        ident, native = thread.ident or 0, thread.native_id or 0
        if not thread.is_alive():  # another may have its `ident` already
            if state(native) in RUNS:
                return None
        elif _is_free(thread):
            seen = asleep(ident, native, naps=False)
            if seen is None:
                return None
            found.append(seen)
    return (*found,)


def _is_free(thread: threading.Thread) -> bool:
    """Whether a thread is before, after or between its pieces of work: also those of others."""
    own = getattr(vars(thread).get("run"), "__self__", None)
    if isinstance(own, Own):
        return own.state is DONE
    frame: FrameType | None = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        if frame.f_code is _works:
            return False
        frame = frame.f_back
    return True


def settled(pool: Any, busy: int) -> None:
    """Wait until a pool knows of its idle threads: it takes one then, and starts none."""
    idle = getattr(pool, "_idle_semaphore", None)
    limit, pause, seen = Real.monotonic() + SLICE, 0.0, None
    while idle is not None and idle._value < len(pool._threads) - busy:
        if Real.monotonic() > limit:
            before, seen = seen, at_rest(pool._threads)
            if seen is not None and seen == before:
                return
            limit, pause = Real.monotonic() + SLICE, SLICE / 5  # leave the machine to them
        Real.sleep(pause)


def ended(thread: threading.Thread) -> None:
    """Wait until a thread whose work is done is seen to be over."""
    seen = None
    for _ in range(MOST):
        _joined(thread, SLICE)
        if not thread.is_alive():
            return
        before, seen = seen, at_rest((thread,))
        if seen and seen == before:
            return
