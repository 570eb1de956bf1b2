"""The watchdog: ends a run that spins without crossing any boundary.

Law: a run gets at least `seconds` of real time, then the main thread is interrupted with CutOff,
again and again; an agent that swallows it meets it at its next line as well. One interval timer
for a whole campaign; a run costs an integer and a look at the timer. Called by the simulation.
Works on the main thread of systems with `setitimer`; elsewhere only the budget of crossings ends
a run.
"""

import asyncio
import dis
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from agentfuzz.errors import CutOff

TICKS = 4
# Code that unwinds a run, which must not be interrupted while it does.
_UNWINDS = (str(Path(__file__).parent), str(Path(asyncio.__file__).parent))

_ENTERS_HANDLER = dis.opmap["PUSH_EXC_INFO"]


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
        self._unraisable: Any = None
        self._outer: tuple[Any, Any] = (None, None)
        self._tracing: tuple[Any] | None = None  # what was tracing before

    def arm(self) -> None:
        """Start the timer, unless there is none, or somebody else uses it."""
        if threading.current_thread() is not threading.main_thread():
            return
        outer_int = signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGINT, self._on_interrupt)
        alarm = None
        if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
            alarm = signal.signal(signal.SIGALRM, self._on_tick)
            self._start()
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._on_unraisable
        self._outer = (outer_int, alarm)
        self._armed = True

    def _start(self) -> None:
        every = self.seconds / TICKS
        signal.setitimer(signal.ITIMER_REAL, every, every)

    def disarm(self) -> None:
        """Stop the timer and give the handlers back."""
        if not self._armed:
            return
        sys.unraisablehook = self._unraisable
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
        if self._outer[1] is not None and not signal.getitimer(signal.ITIMER_REAL)[1]:
            self._start()  # a run before used the timer for itself, as signal.alarm does

    def end(self) -> None:
        """The run is over; a tick from now on interrupts nobody."""
        self._active = False
        if self._tracing is not None:
            sys.settrace(self._tracing[0])
            self._tracing = None

    def _on_tick(self, signum: int, frame: FrameType | None) -> None:
        if not self._active:
            return
        if self._run != self._last:
            self._last, self._ticks = self._run, 0
        self._ticks += 1
        if self._ticks > TICKS:
            if self._ticks > TICKS + 1:  # one was swallowed
                self._insist(frame)
            raise CutOff("spinning", where(frame))

    def _insist(self, frame: FrameType | None) -> None:
        """Raise CutOff again at the next line of whoever swallows the one that comes now: that
        line lies in the handler, and no longer in the block that the handler protects."""
        if self._tracing is None:
            self._tracing = (sys.gettrace(),)

        def trace(frame: FrameType, event: str, arg: object) -> Any:
            if frame.f_code.co_filename.startswith(_UNWINDS):
                return None
            if event == "exception" or _unwinding(frame):
                return trace
            raise CutOff("spinning", where(frame))

        while frame is not None and not _is_harness(frame):
            frame.f_trace = trace
            frame = frame.f_back
        sys.settrace(trace)

    def _on_unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """A CutOff in a destructor or a callback of the garbage collector reaches nobody; the
        tick after it interrupts, so that it is no news."""
        if unraisable.exc_type is not CutOff:
            self._unraisable(unraisable)

    def _on_interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True
        self._active = False
        outer = self._outer[0]
        if callable(outer):
            outer(signum, frame)
        else:
            raise KeyboardInterrupt


def _unwinding(frame: FrameType) -> bool:
    """Whether the interpreter is on its way into a handler, where raising would unbalance its
    stack of handled exceptions."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _ENTERS_HANDLER


def _is_execute(frame: FrameType) -> bool:
    return _is_harness(frame) and frame.f_code.co_name == "execute"


def _is_harness(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_UNWINDS[0])


def where(frame: FrameType | None) -> str:
    """The function of the agent that spins, as `function (file:line)`: the outermost one that is
    no part of the harness, by the line of its definition. What runs inside it at this moment
    differs from run to run, and the history must not."""
    found = "nowhere"
    while frame is not None and not _is_execute(frame):
        code = frame.f_code
        if not code.co_filename.startswith(_UNWINDS):
            name = code.co_filename.rsplit("/", 1)[-1]
            found = f"{code.co_name} ({name}:{code.co_firstlineno})"
        frame = frame.f_back
    return found
