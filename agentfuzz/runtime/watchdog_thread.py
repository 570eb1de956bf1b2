"""The watchdog's thread: the second line, where the timer does not help.

Law: one thread for a whole campaign, which sleeps. It strikes where there is no timer, or where
its signal does not arrive (the agent has blocked it, or is in C code), and only while the agent's
own code runs; what it has sent and has not arrived when the run ends is caught there. A run that
nothing interrupts for long is given up: its stacks are handed on, once. Called by the watchdog.

It counts its own naps, not a clock: a process that was stopped and goes on has lost no time.
"""

import ctypes
import sys
import threading
from _thread import allocate_lock
from collections.abc import Callable
from types import FrameType
from typing import Protocol

from agentfuzz.runtime.clock import Real
from agentfuzz.runtime.last_resort import LastResort

LOOKING = 0.2  # real seconds to wait for a moment in which the agent's own code runs
LOOK = 0.001  # and between two looks
SETTLE = 50  # turns of a loop: at each of them an exception may arrive
LOST = 3  # naps without a tick of the timer: somebody may have taken it away
HELPLESS = 6  # it does not help
PATIENCE = 20.0  # real seconds that a run which is being interrupted has at least to end


class Counted(Protocol):
    """What a run has crossed so far: a number that grows, though not for ever."""

    @property
    def crossed(self) -> int:
        """How far it has come."""
        ...


class Watched(Protocol):
    """What the thread sees of the watchdog."""

    seconds: float
    run: int
    active: bool
    heard: int
    stuck: Callable[[str], None] | None
    last_resort: LastResort | None

    def state(self) -> tuple[int, int] | None:
        """The run that is under way, and how far it has come; None where no time counts."""
        ...

    @property
    def limit(self) -> int:
        """Naps after which a run that has come no further is interrupted."""
        ...

    def revive(self) -> None:
        """Start the timer again, if it was taken away."""
        ...

    def interruption(self, frame: FrameType, again: int) -> type[BaseException] | None:
        """What to raise in a thread that is at this frame; None: nothing."""
        ...

    def spares(self, frame: FrameType) -> bool:
        """Whether nothing may be raised here."""
        ...


class WatchdogThread(threading.Thread):
    """Watches the thread that makes it. `timed`: a timer does, and this is the second line."""

    def __init__(self, watched: Watched, every: float, insist: float, *, timed: bool) -> None:
        super().__init__(name="agentfuzz watchdog", daemon=True)
        self.near = False  # from one nap before the first strike on
        self.striking = False
        self._watched = watched
        self._times = (every, insist)
        self._timed = timed
        self._whom = threading.get_ident()
        self._over = allocate_lock()  # waiting for it is real, whatever else is patched
        self._over.acquire()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._over.release()
        self.join()

    def settle(self) -> None:
        """The run is over: what has been sent and has not arrived arrives here, as CutOff. (Taken
        back with NULL, Python 3.11 would look for it before every instruction, for ever.)"""
        while self.striking:
            Real.sleep(LOOK)
        for _ in range(SETTLE):
            pass

    def AF902_a_run_hangs_its_plan_is_saved_start_pytest_again(self, pause: float) -> bool:
        """Sleep. The name is for whoever reads the stacks that the last resort leaves."""
        return self._over.acquire(True, pause)

    def run(self) -> None:
        every, insist = self._times
        watched, pause, last = self._watched, every, None
        naps, again, over, heard, silent = 0, 0, 0.0, 0, 0  # silent: naps without a tick
        sleep = self.AF902_a_run_hangs_its_plan_is_saved_start_pytest_again
        while not sleep(pause):
            now, limit = watched.state(), watched.limit
            if watched.last_resort is not None:
                watched.last_resort.renew(allowance(watched.seconds))
            silent = silent + 1 if self._timed and heard == watched.heard else 0
            heard = watched.heard
            if silent and silent % LOST == 0:
                watched.revive()
            if now is None or now != last:
                last, pause = now, every
                naps, again, over = 0, 0, 0.0
                if now is None:
                    continue
            naps += 1
            self.near = self.near or naps >= limit
            if naps <= limit:
                continue
            over += pause
            if not self._timed or silent > HELPLESS:
                self._strike(now[0], again)
                again, pause = again + 1, insist
            if over > max(2 * watched.seconds, PATIENCE) and watched.stuck is not None:
                over = float("-inf")
                watched.stuck(stacks())

    def _strike(self, run: int, again: int) -> None:
        watched, limit = self._watched, Real.monotonic() + LOOKING
        while (frame := sys._current_frames().get(self._whom)) is not None:
            if not watched.spares(frame) or Real.monotonic() > limit:
                break
            Real.sleep(LOOK)
        error = None if frame is None else watched.interruption(frame, again)
        if error is None:
            return
        self.striking = True  # first this, then the look: whoever ends the run does it crosswise
        try:
            if watched.active and watched.run == run:
                _raise_in(self._whom, error)
        finally:
            self.striking = False


def allowance(seconds: float) -> float:
    """Seconds of CPU time in which somebody must say that the interpreter is still there."""
    return max(3 * seconds, PATIENCE)


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
