"""The watchdog: ends a run that spins without crossing any boundary.

Law: a run gets at least `seconds` of real time, then the main thread is interrupted with CutOff,
again and again for loops that swallow it. One interval timer for a whole campaign; a run costs
one integer. Called by the simulation. Works on the main thread of systems with `setitimer`;
elsewhere only the budget of crossings ends a run.
"""

import signal
import threading
from types import FrameType
from typing import Any

from agentfuzz.errors import CutOff

TICKS = 4


class Watchdog:
    """Arm once, count a run in with `begin` and out with `end`. `interrupted` says that a real
    Ctrl-C came, as against a KeyboardInterrupt that the agent raised."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.interrupted = False
        self._run = 0
        self._active = False
        self._last = -1
        self._ticks = 0
        self._armed = False
        self._outer: tuple[Any, Any] = (None, None)

    def arm(self) -> None:
        """Start the timer, unless there is none, or somebody else uses it."""
        if threading.current_thread() is not threading.main_thread():
            return
        outer_int = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, self._on_interrupt)
        alarm = None
        if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
            alarm = signal.signal(signal.SIGALRM, self._on_tick)
            every = self.seconds / TICKS
            signal.setitimer(signal.ITIMER_REAL, every, every)
        self._outer = (outer_int, alarm)
        self._armed = True

    def disarm(self) -> None:
        """Stop the timer and give the handlers back."""
        if not self._armed:
            return
        outer_int, alarm = self._outer
        if alarm is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)
        signal.signal(signal.SIGINT, outer_int or signal.default_int_handler)
        self._armed = False

    def begin(self) -> None:
        """A run begins. Raises KeyboardInterrupt when the run before swallowed a real Ctrl-C."""
        if self.interrupted:
            raise KeyboardInterrupt
        self._run += 1
        self._active = True

    def end(self) -> None:
        """The run is over; a tick from now on interrupts nobody."""
        self._active = False

    def _on_tick(self, signum: int, frame: FrameType | None) -> None:
        if not self._active:
            return
        if self._run != self._last:
            self._last, self._ticks = self._run, 0
        self._ticks += 1
        if self._ticks > TICKS:
            raise CutOff("spinning", where(frame))

    def _on_interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True
        self._active = False
        outer = self._outer[0]
        if callable(outer):
            outer(signum, frame)
        else:
            raise KeyboardInterrupt


def where(frame: FrameType | None) -> str:
    """The innermost three frames, innermost first, as `function (file:line)`."""
    shown = []
    while frame is not None and len(shown) < 3:
        name = frame.f_code.co_filename.rsplit("/", 1)[-1]
        shown.append(f"{frame.f_code.co_name} ({name}:{frame.f_lineno})")
        frame = frame.f_back
    return " < ".join(shown)
