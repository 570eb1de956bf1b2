"""The watchdog's thread: interrupts a run that spins from a thread of its own, where no timer can.

Law: one thread for a whole campaign, which sleeps; it strikes only while the agent's own code
runs, and what it has sent and has not arrived when the run ends is caught there. A run that is
blocked outside of Python cannot be interrupted; after three times its time its stacks are handed
on, once. Called by the watchdog, off the main thread, on systems without `setitimer`, and where
somebody else uses the timer (pytest-timeout).
"""

import ctypes
import sys
import threading
from _thread import allocate_lock
from collections.abc import Callable
from types import FrameType
from typing import Protocol

from agentfuzz.runtime.clock import Real

LOOKING = 0.2  # real seconds to wait for a moment in which the agent's own code runs
LOOK = 0.001  # and between two looks
SETTLE = 50  # turns of a loop: at each of them an exception may arrive


class Watched(Protocol):
    """What the thread sees of the watchdog."""

    run: int
    active: bool
    stuck: Callable[[str], None] | None

    def interruption(self, frame: FrameType, again: int) -> type[BaseException] | None:
        """What to raise in a thread that is at this frame; None: nothing."""
        ...

    def spares(self, frame: FrameType) -> bool:
        """Whether nothing may be raised here."""
        ...


class WatchdogThread(threading.Thread):
    """Watches the thread that makes it."""

    def __init__(self, watched: Watched, every: float, ticks: int, insist: float) -> None:
        super().__init__(name="agentfuzz watchdog", daemon=True)
        self.struck = False
        self._watched = watched
        self._times = (every, ticks, insist)
        self._whom = threading.get_ident()
        self._mutex = allocate_lock()
        self._over = allocate_lock()  # waiting for it is real, whatever else is patched
        self._over.acquire()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._over.release()
        self.join()

    def settle(self) -> None:
        """The run is over: what has been sent and has not arrived arrives here, as CutOff. (Taken
        back with NULL, Python 3.11 would look for it before every instruction, for ever.)"""
        with self._mutex:
            self.struck = False
        for _ in range(SETTLE):
            pass

    def run(self) -> None:
        every, limit, insist = self._times
        last, ticks, again, told = -1, 0, 0, False
        pause = every
        while not self._over.acquire(True, pause):
            watched = self._watched
            if not watched.active or watched.run != last:
                last, ticks, again, pause = watched.run, 0, 0, every
            ticks += watched.active
            if ticks <= limit:
                continue
            self._strike(last, again)
            again, pause = again + 1, insist
            if again * insist > 2 * limit * every and not told and watched.stuck is not None:
                told = True
                watched.stuck(stacks())

    def _strike(self, run: int, again: int) -> None:
        watched, limit = self._watched, Real.monotonic() + LOOKING
        while (frame := sys._current_frames().get(self._whom)) is not None:
            if not watched.spares(frame) or Real.monotonic() > limit:
                break
            Real.sleep(LOOK)
        error = None if frame is None else watched.interruption(frame, again)
        with self._mutex:
            if error is not None and watched.active and watched.run == run:
                self.struck = True
                _raise_in(self._whom, error)


def _raise_in(thread: int, error: type[BaseException]) -> None:
    """Raise in another thread at its next step."""
    given = ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)


def stacks() -> str:
    """Where every thread is, as the fault handler of Python writes it."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = []
    for ident, found in sys._current_frames().items():
        lines = [f"Thread {names.get(ident, ident)} (most recent call first):"]
        frame: FrameType | None = found
        while frame is not None:
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {frame.f_lineno} in {code.co_name}')
            frame = frame.f_back
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
