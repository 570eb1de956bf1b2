"""The watchdog: ends a run that spins without crossing any boundary.

Law: a run gets at least `seconds` of real time from each crossing to the next (more, if it is the
first run of the process; imports take none of it), then its thread is interrupted with CutOff,
again and again; an agent that swallows it meets it once more in its handler. One interval timer
and one sleeping thread (see `watchdog_thread`) for a whole campaign; a run costs an integer. Called
by the simulation.
"""

import dis
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from agentfuzz.core.errors import CutOff
from agentfuzz.runtime import imports, servers
from agentfuzz.runtime.last_resort import LastResort
from agentfuzz.runtime.stack import calls, is_debugged, is_spared, where
from agentfuzz.runtime.user_code import begins_run
from agentfuzz.runtime.watchdog_thread import Counted, WatchdogThread, allowance

TICKS = 4
FIRST = 5  # times as long: what a framework builds when it is used for the first time
INSIST = 0.02  # real seconds between interruptions of an agent that swallows them
LINES = 16  # lines that they are moved by, one after the other
# Instructions at which raising unbalances the interpreter's stack of handled exceptions: on the way
# into a handler, at its end, and at the `try:` or `pass` of one, which no exception table covers.
_UNBALANCED = frozenset(dis.opmap[name] for name in ("PUSH_EXC_INFO", "POP_EXCEPT", "NOP"))

T = TypeVar("T")
_current: "list[Watchdog]" = []


def current() -> "Watchdog | None":
    """The watchdog of the simulation that is running."""
    return _current[-1] if _current else None


class Watchdog:
    """Arm once, count a run in with `begin` and out with `end`. `interrupted` says that a real
    Ctrl-C came, as against a KeyboardInterrupt that the agent raised. `stack` is where the agent
    was when it was last cut off, one `path:line function` a call, outermost first; `stuck` is
    told the stacks of a run that cannot be interrupted."""

    _warm = False  # a run of this process has ended

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.interrupted = self.active = False
        self.stack: list[str] = []
        self.stuck: Callable[[str], None] | None = None
        self.last_resort: LastResort | None = None
        self.run, self.heard = 0, 0  # ticks of the timer that have arrived
        self._counted: Counted | None = None
        self._thread: WatchdogThread | None = None
        self._last = self._struck = (-1, 0)
        self._ticks, self._place = 0, ""
        self._armed = self._timed = False
        self._unraisable: Any = None
        self._outer: tuple[Any, Any] = (None, None)
        self._tracing: tuple[Any] | None = None  # what was tracing before

    @property
    def limit(self) -> int:
        """Ticks that a run has from one crossing to the next."""
        return TICKS if Watchdog._warm else TICKS * FIRST

    @property
    def patience(self) -> float:
        """The same in real seconds."""
        return self.seconds * self.limit / TICKS

    def arm(self) -> None:
        """Start the timer, unless there is none or somebody else uses it, and the thread."""
        outer_int = alarm = None
        if threading.current_thread() is threading.main_thread():
            outer_int = signal.getsignal(signal.SIGINT)
            signal.signal(signal.SIGINT, self._on_interrupt)
            if hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
                alarm = signal.signal(signal.SIGALRM, self._on_tick)
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._on_unraisable
        self._outer = (outer_int, alarm)
        self._main = threading.current_thread() is threading.main_thread()
        self._timed = alarm is not None
        self._watch()
        self._armed = True
        _current.append(self)

    def _watch(self) -> None:
        if self._timed:
            self._start()
        self._thread = WatchdogThread(self, self.seconds / TICKS, INSIST, timed=self._timed)
        self._thread.start()

    def _start(self) -> None:
        every = self.seconds / TICKS
        signal.setitimer(signal.ITIMER_REAL, every, every)

    def revive(self) -> None:
        """Start the timer again, which a run has used for itself, as signal.alarm does."""
        given_back = signal.getsignal(signal.SIGALRM) == self._on_tick
        if given_back and not signal.getitimer(signal.ITIMER_REAL)[1]:
            self._start()

    def ends_process(self, stuck: Callable[[str], None], file: int) -> None:
        """A run that cannot be interrupted ends the process: through `stuck`, which is given the
        stacks of its threads, or, where none can run, with the stacks written to the file."""
        self.stuck = stuck
        self.last_resort = LastResort(file)
        self.last_resort.arm(allowance(self.seconds))

    def adopted(self) -> None:
        """This process was forked: start the thread and the timer. A run that does not react ends
        it, and who forked it knows the plan."""
        self.interrupted = False
        if self.last_resort is not None:
            self.last_resort.disarm()
        self.ends_process(lambda stacks: os._exit(1), os.open(os.devnull, os.O_WRONLY))
        self._watch()

    def disarm(self) -> None:
        """Stop the timer and give the handlers back."""
        if not self._armed:
            return
        _current.remove(self)
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
        if self.last_resort is not None:
            self.last_resort.disarm()
        sys.unraisablehook = self._unraisable
        outer_int, alarm = self._outer
        if alarm is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)
        if self._main:
            signal.signal(signal.SIGINT, outer_int or signal.default_int_handler)
        self._armed = self._timed = False

    def begin(self, counted: Counted | None = None) -> None:
        """A run begins, or other code of the user's. Raises KeyboardInterrupt when the run before
        swallowed a real Ctrl-C."""
        if self.interrupted:
            raise KeyboardInterrupt
        if self._thread is not None:
            self._thread.near = False
        self.run += 1
        self._counted = counted
        self.active = True

    def end(self) -> None:
        """The run is over: nothing interrupts anybody from now on. Raises CutOff for what arrives
        at its very first step; then it is to be called again."""
        while True:
            try:
                self.active = False
                if self._thread is not None and self._thread.near:
                    self._thread.settle()
                break
            except CutOff:
                continue
        if self._counted is not None and not Watchdog._warm:
            Watchdog._warm = True
        if self._tracing is not None:
            sys.settrace(self._tracing[0])
            self._tracing = None
            if self._timed:
                self._start()

    def watched(self, work: Callable[[], T]) -> T:
        """What `work` returns, which may run code of the user's. Raises CutOff when it spins."""
        try:
            self.begin()
            try:
                return work()
            finally:
                self.end()
        except CutOff:  # perhaps one that was on its way when it ended
            self.end()
            raise

    def clear_up(self, work: Callable[[], object]) -> None:
        """Do what is left to do after a run, the user's code as well (a `finally`, a destructor,
        the body of a tool that is late): what it raises is nobody's."""
        try:
            self.watched(work)
        except BaseException:
            if self.interrupted:
                raise

    @property
    def spun(self) -> str:
        """Where the run that was last counted was interrupted; empty if it was not."""
        return self._place if self._struck[0] == self.run else ""

    def state(self) -> tuple[int, int] | None:
        """The run that is under way, and how far it has come; None where no time counts. A run
        that was cut off has had its time, however far it goes on."""
        if not self.active or imports.under_way() or servers.under_way():
            return None
        if self._struck[0] == self.run:
            return self._struck
        return self.run, 0 if self._counted is None else self._counted.crossed

    def _on_tick(self, signum: int, frame: FrameType | None) -> None:
        self.heard += 1
        now = self.state()
        if now is None:
            return
        if now != self._last:
            self._last, self._ticks = now, 0
        self._ticks += 1
        again = self._ticks - self.limit - 1
        if again < 0:
            return
        if is_debugged(frame):
            self._ticks = 0
            return
        self._struck = now
        # The harness and the event loop are left alone: an exception that strikes in their midst
        # may be lost, or lose a task. The agent gets it at its next line.
        spared = frame is not None and is_spared(frame) and again < LINES
        if again or spared:
            self._insist(frame, max(again - 1, 0) % LINES)
        if not spared:
            raise self._cut(frame)

    def _cut(self, frame: FrameType | None) -> CutOff:
        self.stack, self._place = calls(frame), where(frame)
        return CutOff("spinning", self._place)

    def spares(self, frame: FrameType) -> bool:
        """Whether an exception may be lost here, or lose a task."""
        return is_spared(frame)

    def interruption(self, frame: FrameType, again: int) -> type[CutOff] | None:
        """What the thread raises at this frame: a class, which is made an exception in the thread
        that it interrupts, where the next lines can be traced. None where no agent runs."""
        place = where(frame)
        if place == "nowhere" or is_debugged(frame):
            return None
        self._struck = self.state() or self._struck
        self.stack, self._place = calls(frame), place
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
            if self._timed:
                signal.setitimer(signal.ITIMER_REAL, INSIST, INSIST)

        def trace(frame: FrameType, event: str, arg: object) -> Any:
            nonlocal lines
            if not self.active or is_spared(frame):
                return None
            if event == "exception" or _unbalanced(frame):
                return trace
            lines -= 1
            if lines >= 0:
                return trace
            raise self._cut(frame)

        while frame is not None and not begins_run(frame.f_code):
            if not is_spared(frame):
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
        if not callable(outer := self._outer[0]):
            raise KeyboardInterrupt
        outer(signum, frame)


def _unbalanced(frame: FrameType) -> bool:
    """Whether an exception that is raised here would leave another one handled for ever."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] in _UNBALANCED
