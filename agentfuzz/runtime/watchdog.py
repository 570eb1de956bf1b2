"""The watchdog: ends a run that spins without crossing any boundary.

Law: a run gets at least `seconds` of real time, then its thread is interrupted with CutOff, again
and again; an agent that swallows it meets it once more in its handler. One interval timer for a
whole campaign (or one thread, see `watchdog_thread`, off the main thread and where there is no
timer to have); a run costs an integer and a look at the timer. Called by the simulation.
"""

import asyncio
import dis
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import CodeType, CoroutineType, FrameType
from typing import Any

from agentfuzz.core.errors import CutOff
from agentfuzz.runtime.user_code import begins_run, is_around
from agentfuzz.runtime.watchdog_thread import WatchdogThread

TICKS = 4
INSIST = 0.02  # real seconds between interruptions of an agent that swallows them
LINES = 16  # lines that they are moved by, one after the other
# Instructions at which raising unbalances the interpreter's stack of handled exceptions: on the way
# into a handler, at its end, and at the `try:` or `pass` of one, which no exception table covers.
_UNBALANCED = frozenset(dis.opmap[name] for name in ("PUSH_EXC_INFO", "POP_EXCEPT", "NOP"))


class Watchdog:
    """Arm once, count a run in with `begin` and out with `end`. `interrupted` says that a real
    Ctrl-C came, as against a KeyboardInterrupt that the agent raised. `stack` is where the agent
    was when it was last cut off, one `path:line function` a call, outermost first; `stuck` is
    told the stacks of a run that cannot be interrupted."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.interrupted = False
        self.stack: list[str] = []
        self.stuck: Callable[[str], None] | None = None
        self.run = 0
        self.active = False
        self._thread: WatchdogThread | None = None
        self._last = -1
        self._ticks = 0
        self._armed = False
        self._unraisable: Any = None
        self._outer: tuple[Any, Any] = (None, None)
        self._tracing: tuple[Any] | None = None  # what was tracing before

    def arm(self) -> None:
        """Start the timer, or a thread where there is none, or somebody else uses it."""
        outer_int = alarm = None
        if threading.current_thread() is threading.main_thread():
            outer_int = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, self._on_interrupt)
            if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
                alarm = signal.signal(signal.SIGALRM, self._on_tick)
                self._start()
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._on_unraisable
        self._outer = (outer_int, alarm)
        self._main = threading.current_thread() is threading.main_thread()
        if alarm is None:
            self._thread = WatchdogThread(self, self.seconds / TICKS, TICKS, INSIST)
            self._thread.start()
        self._armed = True

    def _start(self) -> None:
        every = self.seconds / TICKS
        signal.setitimer(signal.ITIMER_REAL, every, every)

    def disarm(self) -> None:
        """Stop the timer and give the handlers back."""
        if not self._armed:
            return
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
        sys.unraisablehook = self._unraisable
        outer_int, alarm = self._outer
        if alarm is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)
        if self._main:
            signal.signal(signal.SIGINT, outer_int or signal.default_int_handler)
        self._armed = False

    def begin(self) -> None:
        """A run begins. Raises KeyboardInterrupt when the run before swallowed a real Ctrl-C."""
        if self.interrupted:
            raise KeyboardInterrupt
        self.run += 1
        self.active = True
        if self._outer[1] is not None and not signal.getitimer(signal.ITIMER_REAL)[1]:
            self._start()  # a run before used the timer for itself, as signal.alarm does

    def end(self) -> None:
        """The run is over; a tick from now on interrupts nobody."""
        self.active = False
        if self._thread is not None and self._thread.struck:
            with suppress(CutOff):
                self._thread.settle()
        if self._tracing is not None:
            sys.settrace(self._tracing[0])
            self._tracing = None
            if self._thread is None:
                self._start()

    def _on_tick(self, signum: int, frame: FrameType | None) -> None:
        if not self.active:
            return
        if self.run != self._last:
            self._last, self._ticks = self.run, 0
        self._ticks += 1
        again = self._ticks - TICKS - 1
        if again < 0:
            return
        # The harness and the event loop are left alone: an exception that strikes in their midst
        # may be lost, or lose a task. The agent gets it at its next line.
        spared = frame is not None and _is_spared(frame) and again < LINES
        if again or spared:
            self._insist(frame, max(again - 1, 0) % LINES)
        if not spared:
            raise self._cut(frame)

    def _cut(self, frame: FrameType | None) -> CutOff:
        self.stack = calls(frame)
        return CutOff("spinning", where(frame))

    def spares(self, frame: FrameType) -> bool:
        """Whether an exception may be lost here, or lose a task."""
        return _is_spared(frame)

    def interruption(self, frame: FrameType, again: int) -> type[CutOff] | None:
        """What the thread raises at this frame: a class, which is made an exception in the thread
        that it interrupts, where the next lines can be traced. None where no agent runs."""
        place = where(frame)
        if place == "nowhere":
            return None
        self.stack = calls(frame)
        watchdog = self

        class Spinning(CutOff):
            def __init__(self) -> None:
                super().__init__("spinning", place)
                if again and watchdog.active:
                    watchdog._insist(sys._getframe(1), (again - 1) % LINES)

        Spinning.__name__ = Spinning.__qualname__ = CutOff.__name__
        return Spinning

    def _insist(self, frame: FrameType | None, lines: int) -> None:
        """Raise CutOff at one of the agent's next lines. Where one was swallowed, some lines on
        lies a handler, and no longer a block that the handler protects."""
        if self._tracing is None:
            self._tracing = (sys.gettrace(),)
            if self._thread is None:
                signal.setitimer(signal.ITIMER_REAL, INSIST, INSIST)

        def trace(frame: FrameType, event: str, arg: object) -> Any:
            nonlocal lines
            if not self.active or _is_spared(frame):
                return None
            if event == "exception" or _unbalanced(frame):
                return trace
            lines -= 1
            if lines >= 0:
                return trace
            raise self._cut(frame)

        while frame is not None and not _is_execute(frame):
            if not _is_spared(frame):
                frame.f_trace = trace
            frame = frame.f_back
        sys.settrace(trace)

    def _on_unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """A CutOff in a destructor or a callback of the garbage collector reaches nobody; the
        tick after it interrupts, so that it is no news."""
        if not issubclass(unraisable.exc_type, CutOff):
            self._unraisable(unraisable)

    def _on_interrupt(self, signum: int, frame: FrameType | None) -> None:
        self.interrupted = True
        self.active = False
        outer = self._outer[0]
        if callable(outer):
            outer(signum, frame)
        else:
            raise KeyboardInterrupt


def _unbalanced(frame: FrameType) -> bool:
    """Whether an exception that is raised here would leave another one handled for ever."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] in _UNBALANCED


def _is_execute(frame: FrameType) -> bool:
    return begins_run(frame.f_code)


def _is_spared(frame: FrameType) -> bool:
    return is_around(frame.f_code.co_filename)


def where(frame: FrameType | None) -> str:
    """The function of the agent that spins, as `function (file:line)`: the outermost one that is
    no part of the harness, by the line of its definition. What runs inside it at this moment
    differs from run to run, and the history must not."""
    stack = []
    while frame is not None and not _is_execute(frame):
        stack.append(frame)
        frame = frame.f_back
    for one in reversed(stack):
        code: CodeType | None = one.f_code
        if one.f_code.co_name == "run_until_complete":
            code = _awaited(one.f_locals.get("future"))
        if code is not None and not is_around(code.co_filename):
            name = code.co_filename.rsplit("/", 1)[-1]
            return f"{code.co_name} ({name}:{code.co_firstlineno})"
    return "nowhere"


def calls(frame: FrameType | None) -> list[str]:
    """Where the agent is at this moment: `path:line function` of each of its calls, outermost
    first; of a loop that is between two steps, what its main task awaits."""
    found: list[FrameType | None] = []
    waiting: list[FrameType | None] = []
    while frame is not None and not _is_execute(frame):
        if frame.f_code.co_name == "run_until_complete" and not waiting:
            waiting = [coro.cr_frame for coro in _awaiting(frame.f_locals.get("future"))]
        if not _is_spared(frame):
            found.append(frame)
        frame = frame.f_back
    return [
        f"{one.f_code.co_filename}:{one.f_lineno} {one.f_code.co_name}"
        for one in found[::-1] or waiting
        if one is not None
    ]


def _awaited(task: object) -> CodeType | None:
    """The agent's coroutine in the main task of a loop, while another step of the loop runs."""
    return next((coro.cr_code for coro in _awaiting(task)), None)


def _awaiting(task: object) -> "Iterator[CoroutineType[Any, Any, Any]]":
    """The agent's coroutines in a task, outermost first."""
    waiting: object = task.get_coro() if isinstance(task, asyncio.Task) else None
    while isinstance(waiting, CoroutineType):
        if not is_around(waiting.cr_code.co_filename):
            yield waiting
        waiting = waiting.cr_await
